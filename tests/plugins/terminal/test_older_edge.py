"""A broker whose access rules are those of an older edge: without statuses, keys, tasks. The terminal goes on, and says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.terminal import fakes
from plugins.terminal.fakes import Broker, until
from wanmi.coords import Point
from wanmi.ids import SystemIds
from wanmi_terminal.broker import BrokerUrl
from wanmi_terminal.field import FieldTerminal, Route
from wanmi_terminal.heart import Beat
from wanmi_terminal.home import init_home
from wanmi_terminal.maker import Draft, Place

pytestmark = pytest.mark.mosquitto
FIRST_EDGE = """\
user edge
topic readwrite wanmi/v1/#
pattern write wanmi/v1/%u/report
pattern write wanmi/v1/%u/part/#
pattern read wanmi/v1/%u/receipt
"""


def test_a_terminal_goes_on_where_the_broker_knows_no_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fakes, "ACL", FIRST_EDGE)
    home = init_home(tmp_path / "T", "T210102-0001", SystemIds())
    broker = Broker(tmp_path / "broker", [home])
    broker.start()
    try:
        edge = fakes.FakeEdge(broker, home.ring.current.public)
        route = Route(BrokerUrl.parse(broker.url))
        try:
            with FieldTerminal(home, [route], retry=fakes.QUICK, beat=Beat(every=0.02)) as terminal:
                for _ in range(150):
                    terminal.report(Draft("event", "0102", Place(Point(1_234_330_000, 417_900_000))))
                assert terminal.wait_quiet(20), terminal.progress()
                until(lambda: terminal.progress().links[0].without == ("seen", "status"), "it says what is not taken")
                assert terminal.progress().links[0].problem == ""
        finally:
            edge.stop()
    finally:
        broker.kill()
