"""The terminal against a real broker: everything reaches safe, in order, whatever is lost on the way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from plugins.terminal.fakes import EDGE, QUICK, TERMINAL, Broker, Cable, FakeEdge, TlsBroker, until
from wanmi.clock import SystemClock
from wanmi.coords import Point
from wanmi.ids import SeededIds
from wanmi.reports import ReportMessage, read_text
from wanmi_terminal.broker import BrokerUrl
from wanmi_terminal.field import FieldTerminal, Progress, Route
from wanmi_terminal.home import Home
from wanmi_terminal.maker import Draft, Place, ReportMaker
from wanmi_terminal.photos import made_up_photo
from wanmi_terminal.spool import Spool

pytestmark = pytest.mark.mosquitto

PLACE = Place(Point(1_234_000_000, 417_900_000))
DRAFT = Draft("event", "0102", PLACE, "井盖松动")
MakeEdge = Callable[..., FakeEdge]


def route(broker: Broker | Cable, every: int = 1, twice_every: int = 0) -> Route:
    return Route(BrokerUrl.parse(broker.url), every, twice_every)


def field(home: Home, *routes: Route) -> FieldTerminal:
    return FieldTerminal(home, routes, retry=QUICK)


def make(terminal: FieldTerminal, count: int) -> list[str]:
    signed = [terminal.sign(DRAFT) for _ in range(count)]
    terminal.add(signed)
    return [report.report_id for report in signed]


def wait_quiet(terminal: FieldTerminal) -> None:
    assert terminal.wait_quiet(30), terminal.progress()


def test_reports_become_safe_in_order(home: Home, broker: Broker, make_edge: MakeEdge) -> None:
    edge = make_edge()
    heard: list[Progress] = []
    with FieldTerminal(home, [route(broker)], on_progress=heard.append) as terminal:
        made = make(terminal, 250)
        wait_quiet(terminal)
        assert terminal.progress().counts.safe == 250
        assert terminal.spool.held() == []
    assert edge.order == made
    assert all(len(copies) == 1 for copies in edge.seen.values())
    assert heard[-1].counts.safe == 250
    spool = Spool(home.spool_path)
    assert all(spool.receipt(report_id) for report_id in made)
    spool.close()


def test_an_edge_that_loses_and_delays_is_asked_until_all_is_safe(
    home: Home, broker: Broker, make_edge: MakeEdge
) -> None:
    """First time: nothing, a late kept, kept, or all; the second time kept; from the third kept and safe."""
    first = [[], ["kept late"], ["kept"], ["kept", "safe"]]

    def answer(message: ReportMessage, times: int) -> list[str]:
        if times == 1:
            return first[int(message.digest[:8], 16) % 4]
        return ["kept"] if times == 2 else ["kept", "safe"]

    edge = make_edge(answer)
    with field(home, route(broker)) as terminal:
        made = make(terminal, 60)
        wait_quiet(terminal)
        assert terminal.progress().counts.safe == 60
    assert edge.order == made
    assert any(len(copies) >= 3 for copies in edge.seen.values())
    assert all(len(set(copies)) == 1 for copies in edge.seen.values()), "a report's bytes never change"


def test_what_was_made_offline_is_caught_up_in_order(home: Home, cable: Cable, make_edge: MakeEdge) -> None:
    edge = make_edge()
    with field(home, route(cable)) as terminal:
        made = make(terminal, 20)
        wait_quiet(terminal)
        cable.cut()
        assert terminal.wait_for(lambda progress: not progress.links[0].connected, 10)
        made += make(terminal, 150)
        assert terminal.progress().counts.new == 150
        cable.heal()
        made += make(terminal, 10)
        wait_quiet(terminal)
    assert edge.order == made


def test_a_line_cut_under_way_loses_nothing_and_keeps_the_order(home: Home, cable: Cable, make_edge: MakeEdge) -> None:
    """Cut while a hundred messages fly, three times: what flew is sent anew before what was never sent."""
    edge = make_edge()
    with field(home, route(cable)) as terminal:
        made = make(terminal, 900)
        for arrived in (50, 300, 600):
            until(lambda: len(edge.order) >= arrived, f"the first {arrived} reports at the edge")  # noqa: B023
            cable.cut()
            assert terminal.wait_for(lambda progress: not progress.links[0].connected, 10)
            cable.heal()
        wait_quiet(terminal)
        assert terminal.progress().counts.safe == 900
    assert edge.order == made
    assert all(len(set(copies)) == 1 for copies in edge.seen.values())


def test_messages_that_a_killed_broker_had_acknowledged_are_sent_again(
    home: Home, broker: Broker, make_edge: MakeEdge
) -> None:
    """What the broker took dies with it: only the edge's receipt counts."""
    edge = make_edge()
    with field(home, route(broker)) as terminal:
        made = make(terminal, 400)
        until(lambda: len(edge.order) >= 50, "the first 50 reports at the edge")
        broker.kill()
        broker.start()
        wait_quiet(terminal)
        assert terminal.progress().counts.safe == 400
    assert sorted(edge.order) == sorted(made)


def test_parts_come_before_their_report_and_whole(home: Home, broker: Broker, make_edge: MakeEdge) -> None:
    edge = make_edge()
    photo = made_up_photo(600_000, SeededIds(1))
    with field(home, route(broker)) as terminal:
        terminal.report(Draft("event", "0102", PLACE, "垃圾堆", (photo, made_up_photo(3_000, SeededIds(2)))))
        wait_quiet(terminal)
        assert terminal.spool.part(next(iter(edge.parts))) is None, "a safe report's photos are deleted"
    assert edge.wanted == []
    assert edge.part_messages == 3 + 1
    assert photo in edge.parts.values()


def test_parts_that_were_lost_are_sent_when_wanted(home: Home, broker: Broker, make_edge: MakeEdge) -> None:
    edge = make_edge(lambda _message, times: [] if times == 1 else ["kept", "safe"])
    photo = made_up_photo(300_000, SeededIds(1))
    with field(home, route(broker)) as terminal:
        (report_id,) = [terminal.report(Draft("event", "0102", PLACE, photos=(photo,)))]
        until(lambda: report_id in edge.seen, "the report at the edge")
        edge.parts.clear()
        wait_quiet(terminal)
    assert edge.wanted
    assert list(edge.parts.values()) == [photo]


def test_the_text_travels_with_the_report(home: Home, broker: Broker, make_edge: MakeEdge) -> None:
    texts: list[str] = []

    def answer(message: ReportMessage, _times: int) -> list[str]:
        texts.extend(read_text(part) for part in message.parts.values())
        return ["kept", "safe"]

    make_edge(answer)
    with field(home, route(broker)) as terminal:
        terminal.report(DRAFT)
        wait_quiet(terminal)
    assert texts == ["井盖松动"]


def test_a_refused_report_stays_with_its_reason_until_a_person_acts(
    home: Home, broker: Broker, make_edge: MakeEdge
) -> None:
    edge = make_edge(lambda _message, times: ["outside_city"] if times == 1 else ["kept", "safe"])
    with field(home, route(broker)) as terminal:
        (report_id,) = make(terminal, 1)
        wait_quiet(terminal)
        (held,) = terminal.spool.held("refused")
        assert (held.report_id, held.reason, held.edge) == (report_id, "outside_city", EDGE)
        assert len(edge.seen[report_id]) == 1
        terminal.send_again([report_id])
        assert terminal.wait_for(lambda progress: progress.counts.safe == 1, 20)


def test_a_refusal_that_may_pass_is_tried_again(home: Home, broker: Broker, make_edge: MakeEdge) -> None:
    make_edge(lambda _message, times: ["unknown_terminal"] if times < 3 else ["kept", "safe"])
    with field(home, route(broker)) as terminal:
        make(terminal, 3)
        wait_quiet(terminal)
        assert terminal.progress().counts.safe == 3


def test_a_forged_safe_receipt_is_not_believed(home: Home, broker: Broker, make_edge: MakeEdge) -> None:
    make_edge(lambda _message, times: ["forged"] if times < 3 else ["safe"])
    with field(home, route(broker)) as terminal:
        make(terminal, 5)
        assert terminal.wait_for(lambda progress: progress.bad_safe >= 5, 20)
        wait_quiet(terminal)
        assert terminal.progress().counts.safe == 5
        assert terminal.progress().bad_safe == 10


def test_a_second_edge_gets_every_nth_and_each_tenth_goes_twice(
    home: Home, broker: Broker, make_edge: MakeEdge, tmp_path: Path
) -> None:
    other = Broker(tmp_path / "other", [home])
    other.start()
    first, second = make_edge(lambda *_: ["kept"]), make_edge(lambda *_: ["kept"], at=other)
    with field(home, route(broker, twice_every=10), route(other, every=7)) as terminal:
        made = make(terminal, 70)
        until(lambda: len(second.order) == 10 and len(first.order) == 70, "all at both edges")
        first.answer = second.answer = lambda _message, _times: ["kept", "safe"]
        wait_quiet(terminal)
    other.kill()
    assert first.order == made
    assert second.order == made[6::7]
    assert all(len(first.seen[report_id]) >= 2 for report_id in made[9::10])


def test_kept_by_one_edge_is_not_refused_by_another(
    home: Home, broker: Broker, make_edge: MakeEdge, tmp_path: Path
) -> None:
    other = Broker(tmp_path / "other", [home])
    other.start()
    first = make_edge(lambda _message, times: [] if times == 1 else ["kept", "safe"])
    make_edge(lambda *_: ["unknown_category"], at=other)
    with field(home, route(broker), route(other)) as terminal:
        (report_id,) = make(terminal, 1)
        assert terminal.wait_for(lambda progress: progress.counts.refused == 1, 20)
        receipts = [first.receipt(TERMINAL, report_id, "kept"), first.receipt(TERMINAL, report_id, "safe")]
        terminal.took(receipts[:1])
        assert [held.state for held in terminal.spool.held()] == ["kept"]
        assert terminal.wait_for(lambda progress: progress.counts.safe == 1, 20), "it is sent again until it is safe"
    other.kill()


def test_a_terminal_that_is_not_admitted_says_so_and_keeps_its_reports(home: Home, tmp_path: Path) -> None:
    stranger = Broker(tmp_path / "broker", [])
    stranger.start()
    with field(home, route(stranger)) as terminal:
        make(terminal, 2)
        assert terminal.wait_for(lambda progress: "refuses the terminal" in progress.links[0].problem, 20)
        assert terminal.progress().counts.new == 2
    stranger.kill()


def test_a_report_of_another_process_is_sent_by_the_running_one(
    home: Home, broker: Broker, make_edge: MakeEdge
) -> None:
    edge = make_edge()
    with field(home, route(broker)) as terminal:
        make(terminal, 1)
        wait_quiet(terminal)
        clock = SystemClock()
        spool = Spool(home.spool_path)
        signed = ReportMaker(TERMINAL, home.key, clock, SeededIds(3), "other process").make(DRAFT, 0)
        spool.add([signed])
        spool.close()
        assert terminal.wait_for(lambda progress: progress.counts.safe == 2, 20)
    assert edge.order[-1] == signed.report_id


def test_over_tls_with_the_citys_ca_and_with_no_other(home: Home, tls_broker: TlsBroker, public: bytes) -> None:
    right = Route(BrokerUrl.parse(tls_broker.url, tls_broker.ca))
    wrong = Route(BrokerUrl.parse(tls_broker.url, tls_broker.other_ca))
    with field(home, wrong) as terminal:
        make(terminal, 2)
        assert terminal.wait_for(lambda progress: "CERTIFICATE_VERIFY_FAILED" in progress.links[0].problem, 20)
        assert terminal.progress().counts.new == 2
    edge = FakeEdge(tls_broker, public)
    with field(home, right) as terminal:
        wait_quiet(terminal)
        assert terminal.progress().counts.safe == 2
    edge.stop()
