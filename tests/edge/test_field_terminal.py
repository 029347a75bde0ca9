"""The shipped field terminal and the shipped edge: what one says, the other understands."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from edge.street import CITY_POINT, EDGE, District, make_edge_dir, open_edge, running, until
from wanmi.coords import Point
from wanmi.ids import SystemIds
from wanmi.kinds import TerminalAdmitted
from wanmi.registry import Draft as EntryDraft
from wanmi.reports import read_card
from wanmi_terminal.broker import BrokerUrl
from wanmi_terminal.field import FieldTerminal, Route
from wanmi_terminal.home import init_home
from wanmi_terminal.maker import Draft, Place
from wanmi_terminal.photos import made_up_photo

pytestmark = pytest.mark.mosquitto


def test_a_field_terminal_forgets_only_what_the_district_countersigned(tmp_path: Path) -> None:
    district = District(tmp_path / "district")
    keys = (district.keys.sign_public.hex(),)
    home = init_home(tmp_path / "terminal", "T210102-0007", SystemIds(), district_keys=keys)
    card = read_card(home.card())
    with running(open_edge(make_edge_dir(tmp_path / "edge", district)), district) as edge:
        body = TerminalAdmitted(card.terminal, card.public_key, card.broker_verifier, None)
        district.tell(edge.node, EntryDraft("terminal.admitted", f"terminal:{card.terminal}", body))
        route = Route(BrokerUrl.parse(edge.broker["url"]), twice_every=10)
        with FieldTerminal(home, [route]) as terminal:
            for n in range(40):
                photos = (made_up_photo(300_000 if n else 3000, SystemIds()),) if n % 20 == 0 else ()
                place = Place(Point(CITY_POINT[0] + 100 * n, CITY_POINT[1]))
                terminal.report(Draft("event", "0102", place, text="暴露垃圾" if n % 2 else "", photos=photos))
            assert terminal.wait_for(lambda p: p.counts.unsafe == 40 and p.receipts >= 20, 20)
            os.kill(edge.broker["pid"], signal.SIGKILL)
            until(lambda: len(edge.entries("report.received")) == 40, "all came, the broker's death notwithstanding")
            assert not terminal.wait_quiet(0.3)
            district.countersign(edge.node)
            assert terminal.wait_quiet(30)
            assert terminal.progress().bad_safe == 0
        ids = [entry.body["report_id"] for entry in edge.entries("report.received")]
        assert len(set(ids)) == len(ids) == 40
        blobs = [
            a["blob"] for e in edge.entries("report.received") for a in e.body["attachments"] if a["role"] == "photo"
        ]
        assert [len(edge.node.blobs.open(blob)) for blob in blobs] == [3000, 300_000]
        assert edge.node.journal.cursor(EDGE).seq >= 40
