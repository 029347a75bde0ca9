"""Ten days without the district, by a moved clock, and a clock that steps while reports come: nothing lost, in order, once."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

from edge.street import EDGE, Street
from edge.test_ledger import Desk
from wanmi.clock import ManualClock, SystemClock
from wanmi.node.clockwatch import ClockWatch, note_step
from wanmi.reports import digest_of, part_topic, report_topic
from wanmi_edge.safe import covered_by
from wanmi_edge.spool import PartSpool
from wanmi_edge.tally import Tally

HOUR = 3_600_000_000
DAY = 24 * HOUR
CHUNKY = b"a photo that nobody asks for" * 1000


def moved(desk: Desk) -> ManualClock:
    """The desk's node on a clock that the test moves."""
    clock = ManualClock(SystemClock().now())
    desk.node.clock = clock
    desk.node.journal._clock = clock
    return clock


def report_at(desk: Desk, street: Street, at: int) -> str:
    report, message = street.signed(made_at=at, fix_at=at)
    desk.take(report_topic(street.id), message)
    return report.report_id


def test_ten_days_offline_are_delivered_in_order_afterwards(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    clock, street = moved(desk), desk.street
    made = []
    for _ in range(10 * 24):
        clock.advance(HOUR)
        made.append(report_at(desk, street, clock.now()))
    desk.settle()
    assert desk.tally()["reports"] == Tally("reports", 240, 0, 240, 0)
    desk.district.countersign(desk.node)
    assert desk.tally()["reports"] == Tally("reports", 240, 240, 0, 0)
    held = [one.entry for one in desk.district.journal.read(EDGE, 0, 10_000, 10**9) if one.entry is not None]
    assert [one.body["report_id"] for one in held if one.kind == "report.received"] == made, "in the order they came"
    assert all(a.at < b.at for a, b in itertools.pairwise(held))
    told = covered_by(desk.node.store, EDGE, 0, 10_000, 500)
    assert [one.report_id for one in told] == made, "and terminals are told in that order"
    desk.node.close()


def test_parts_that_nobody_asks_for_do_not_fill_ten_days(tmp_path: Path) -> None:
    """The spool of parts is bounded by size and by age; what was taken in does not lie there."""
    desk = Desk(tmp_path)
    clock, spool = moved(desk), desk.intake._spool
    assert isinstance(spool, PartSpool)
    for n in range(300):
        content = CHUNKY + n.to_bytes(4, "big")
        desk.take(part_topic(desk.street.id, digest_of(content)), content)
    assert spool.count == 300
    clock.advance(10 * DAY)
    spool.sweep()
    assert (spool.count, spool.size) == (0, 0)
    desk.node.close()


def test_a_clock_that_steps_back_and_forth_neither_doubles_nor_disorders(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    clock, street = moved(desk), desk.street
    watch = ClockWatch(clock)
    report, message = street.signed(made_at=clock.now(), fix_at=clock.now())
    for step in (0, 2 * DAY, -3 * DAY, DAY):
        clock.step(step)
        assert asyncio.run(note_step(desk.node, watch)) == step
        desk.take(report_topic(street.id), message)
        desk.settle()
    entries = [one.entry for one in desk.node.journal.read(EDGE, 0, 10_000, 10**9) if one.entry is not None]
    assert [one.body["report_id"] for one in entries if one.kind == "report.received"] == [report.report_id], "once"
    assert [one.body["step"] for one in entries if one.kind == "clock.stepped"] == [2 * DAY, -3 * DAY, DAY]
    assert all(a.at < b.at for a, b in itertools.pairwise(entries)), "a chain's times only grow"
    assert desk.tally()["reports"].missing == 0
    desk.node.close()
