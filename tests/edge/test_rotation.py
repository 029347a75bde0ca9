"""A terminal's key is rotated, lost and revoked: the shipped terminal, a real edge with a real broker, a real district."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

import wanmi_edge
from edge.street import CITY_POINT, EDGE, Line, RunningEdge, Street, running, until
from wanmi.clock import SystemClock
from wanmi.coords import Point
from wanmi.identity.terminals import admit_terminal, order_rotation, revoke_terminal
from wanmi.ids import SystemIds
from wanmi.journal.terminal_keys import known_terminals
from wanmi.models import TerminalRow, table
from wanmi.node import Node, node_card
from wanmi.reports.envelope import from_b64
from wanmi.reports.reasons import Reason
from wanmi.testing import admit, carry, react, replay_differences, small_node
from wanmi_terminal.broker import BrokerUrl
from wanmi_terminal.field import FieldTerminal, Route
from wanmi_terminal.heart import Beat
from wanmi_terminal.home import Home, init_home, open_home
from wanmi_terminal.maker import Draft, Place
from wanmi_terminal.schedule import Retry

pytestmark = pytest.mark.mosquitto
DISTRICT, ID = "210102", "T210102-0007"
DRAFT = Draft("event", "0102", Place(Point(*CITY_POINT)))
RETRY = Retry(settle=0.05, reconnect=0.05, reconnect_longest=0.2, later=0.3)


@dataclass
class Town:
    """A district and its edge, whose broker stands."""

    district: Node
    edge: RunningEdge
    home: Home

    def up(self) -> None:
        """What the edge wrote comes to the district, and is answered there; the answer stays there."""
        carry(self.edge.node, self.district)
        react(self.district)

    def exchange(self) -> None:
        """The same, and down again, with the district's countersignature."""
        self.up()
        carry(self.district, self.edge.node)
        cosign = self.district.journal.cosign(EDGE)
        assert cosign is not None
        self.edge.node.journal.note_cosign(cosign).result()

    @contextmanager
    def terminal(self, home: Home | None = None) -> Iterator[FieldTerminal]:
        route = Route(BrokerUrl.parse(self.edge.broker["url"]))
        with FieldTerminal(home or open_home(self.home.dir), [route], retry=RETRY, beat=Beat(every=0.3)) as made:
            yield made

    def asked(self) -> int:
        return len(self.edge.entries("terminal.rotating"))

    def key(self) -> bytes:
        with self.district.store.reader() as tx:
            return known_terminals(tx)[DISTRICT, ID].public_key

    def received(self) -> list[str]:
        return [entry.body["report_id"] for entry in self.edge.entries("report.received")]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    clock = SystemClock()
    with small_node(
        tmp_path / "district", clock=clock, sections={"link": {"listen": "tcp://127.0.0.1:7402"}}
    ) as district:
        card = node_card(district.dir)
        edge = small_node(tmp_path / "edge", role="edge", code=EDGE, plugins=[wanmi_edge], parent=card, clock=clock)
        admit(district, edge)
        home = init_home(tmp_path / "T", ID, SystemIds(), district_keys=(district.keys.sign_public.hex(),))
        admit_terminal(district, home.card())
        carry(district, edge)
        with running(edge, district) as stands:  # type: ignore[arg-type]
            yield Town(district, stands, home)
            carry(edge, district)
            assert replay_differences(district) == replay_differences(edge) == []


def test_a_rotation_by_order_loses_nothing_that_was_queued_or_under_way(town: Town) -> None:
    old = town.key()
    with town.terminal() as terminal:
        queued = [terminal.report(DRAFT) for _ in range(3)]
        until(lambda: len(town.received()) == 3, "the edge has them, the district does not")
        order_rotation(town.district, ID, "yearly")
        carry(town.district, town.edge.node)
        until(lambda: town.asked() == 1, "the terminal asked by itself when it heard the order")
        under_way = terminal.report(DRAFT)
        assert town.key() == old
        town.exchange()
        until(lambda: terminal.home.ring.next is None, "it reports with the new key")
        after = terminal.report(DRAFT)
        until(lambda: set(town.received()) == {*queued, under_way, after}, "the new key's report is taken")
        town.exchange()
        assert terminal.wait_quiet(20)
    assert open_home(town.home.dir).ring.current.public == town.key() != old
    assert town.asked() == 1, "asked again and again, journaled once"
    with town.district.store.reader() as tx:
        verifier = tx.execute(select(table(TerminalRow).c.broker_verifier)).scalar_one()
    assert verifier == open_home(town.home.dir).ring.current.verifier


def test_the_old_password_is_refused_and_the_new_one_lives(town: Town) -> None:
    first = Street(ID, town.home.key, town.home.ring.current.password)
    with town.terminal() as terminal:
        terminal.rotate()
        until(lambda: town.asked() == 1, "asked")
        town.exchange()
        until(lambda: terminal.home.ring.next is None, "rotated")
    with Line(first, town.edge.broker) as line:
        until(lambda: line.client.last_error.startswith("refused"), f"refused: {line.client.last_error}")
    pair = open_home(town.home.dir).ring.current
    with Line(Street(ID, pair.key, pair.password), town.edge.broker) as line:
        line.connect()


def test_what_was_signed_before_comes_within_the_grace(town: Town) -> None:
    """A spool on another disk, say: signed with the old key, sent by hand after the rotation."""
    old = Street(ID, town.home.key)
    before, message = old.signed()
    with town.terminal() as terminal:
        terminal.rotate()
        until(lambda: town.asked() == 1, "asked")
        town.exchange()
        until(lambda: terminal.home.ring.next is None, "rotated")
    later, too_late = old.signed()
    pair = open_home(town.home.dir).ring.current
    with Line(Street(ID, pair.key, pair.password), town.edge.broker) as line:
        line.connect()
        line.send(message)
        assert line.receipt(before.report_id).status == "kept"
        line.send(too_late)
        refused = line.receipt(later.report_id)
        assert (refused.status, refused.reason, refused.passing) == ("refused", "old_key", True)
    assert town.received() == [before.report_id]


@pytest.mark.parametrize("crash", ["asked", "journaled", "granted, not told", "told, not written"])
def test_whatever_step_it_crashes_after_the_terminal_reports(town: Town, crash: str) -> None:
    if crash == "asked":
        open_home(town.home.dir).ring.begin(ID, SystemIds(), SystemClock().now())
    else:
        with town.terminal() as terminal:
            terminal.rotate()
            until(lambda: town.asked() == 1, "journaled")
        if crash == "granted, not told":
            town.up()
        elif crash == "told, not written":
            town.exchange()
            until(lambda: "granted" and _verifier(town) in _passwords(town), "the broker knows the new password")
    with town.terminal() as terminal:
        one = terminal.report(DRAFT)
        until(lambda: one in town.received(), f"it reports after a crash: {terminal.progress().links}")
        until(lambda: town.asked() == 1, "asked once")
        town.exchange()
        until(lambda: terminal.home.ring.next is None, "and the rotation goes through")
        two = terminal.report(DRAFT)
        until(lambda: two in town.received(), "with the new key")
        town.exchange()
        assert terminal.wait_quiet(20)


def _verifier(town: Town) -> str:
    ring = open_home(town.home.dir).ring
    return ring.next.verifier if ring.next else ring.current.verifier


def _passwords(town: Town) -> str:
    return (town.edge.node.dir / "broker" / "passwords").read_text()


def test_a_revoked_terminal_is_refused_by_the_broker_and_by_every_signature(town: Town) -> None:
    old = Street(ID, town.home.key)
    _, early = old.signed()
    with town.terminal() as terminal:
        terminal.rotate()
        until(lambda: town.asked() == 1, "asked")
        town.exchange()
        until(lambda: terminal.home.ring.next is None, "rotated")
        revoke_terminal(town.district, ID, "stolen")
        carry(town.district, town.edge.node)
        until(lambda: "refuses" in terminal.progress().links[0].problem, "cut off, and refused at the broker")
        assert not terminal.progress().links[0].connected
    pair = open_home(town.home.dir).ring.current
    now = Street(ID, pair.key)
    for message in (early, now.signed()[1]):
        town.edge.client().publish(f"wanmi/v1/{ID}/report", message)
    intake = town.edge.node.registry.probes["edge"].read.args[0].intake  # type: ignore[attr-defined]
    until(lambda: intake.counts.refused[Reason.REVOKED_TERMINAL] == 2, "by signature")
    assert town.received() == []


def test_a_terminal_rotates_by_itself_when_its_key_is_old_enough(town: Town) -> None:
    home = open_home(town.home.dir)
    year = 366 * 86_400
    long_ago = SystemClock().now() // 1_000_000 - year
    os.utime(home.dir / "sign.key", (long_ago, long_ago))
    with town.terminal() as terminal:
        until(lambda: town.asked() == 1, "asked by itself")
        town.exchange()
        until(lambda: terminal.home.ring.next is None, "rotated")
        assert terminal.rotation() == b"", "the new key is young"


def test_the_entry_says_what_both_keys_signed(town: Town) -> None:
    from wanmi.reports.rotations import RotationWire, open_rotation

    with town.terminal() as terminal:
        terminal.rotate()
        until(lambda: town.asked() == 1, "asked")
    town.up()
    (rotated,) = [
        s.entry for s in town.district.journal.read(DISTRICT, 0) if s.entry and s.entry.kind == "terminal.rotated"
    ]
    body = rotated.body
    said = open_rotation(RotationWire(1, body["envelope"], body["sig"], body["new_sig"]))
    assert (said.old_key, said.public_key) == (body["old_key"], body["sign_key"])
    assert rotated.cause is not None
    assert body["grace"] == 14 * 86_400
    assert from_b64(body["envelope"])
