"""City and district: what is taken in above is handed down, worked, answered; pressed, taken over; asked for from below.

Real journals on disk; ``carry`` brings them as links do, ``react`` lets the reactors do what they do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from support.two_tiers import (
    CITY,
    COLLECTOR,
    DISPATCHER,
    DISTRICT,
    FILED,
    HOUR,
    LEADER,
    OPERATOR,
    SUPERVISOR,
    WORKED,
    TwoTiers,
    links,
    small_tiers,
)
from wanmi.errors import BadInput, Conflict, NotAllowed, NotFound
from wanmi.hookspecs import Actor
from wanmi.models import CaseRow, ReactorRow, table
from wanmi.node import run_action
from wanmi.testing import react, reopen, replay_differences
from wanmi_casework.desk import CaseDesk, Said
from wanmi_supervision.answering import answer, escalate
from wanmi_supervision.asking import AnswerAsk, CloseAsk, IssueAsk
from wanmi_supervision.history import history_of
from wanmi_supervision.issuing import close, issue
from wanmi_supervision.queues import find_order, list_orders


@pytest.fixture
def tiers(tmp_path: Path) -> Iterator[TwoTiers]:
    with small_tiers(tmp_path) as made:
        yield made


def test_the_city_works_a_case_with_its_own_departments(tiers: TwoTiers) -> None:
    number = tiers.case_from("media")
    case = CaseDesk(tiers.city).case(number)
    assert (case.owner, case.opened.source, case.opened.report[:13]) == (CITY, "media", "report:210100")  # type: ignore[index]
    desk = CaseDesk(tiers.city)
    with pytest.raises(NotAllowed, match="verified first"):
        desk.step(number, "accept", OPERATOR, Said(opinion="so"))
    tiers.work(tiers.city, number, ("send_verify", OPERATOR))
    desk.step(number, "answer_verify", COLLECTOR, Said(opinion="it is there", fields={"result": "exists"}))
    assert tiers.work(tiers.city, number, *FILED, *WORKED).state == "closed"
    tiers.settled()


def test_a_case_is_handed_down_worked_and_answered(tiers: TwoTiers) -> None:
    above, order = tiers.handed_down()
    assert (order.state, order.district, order.reply_by) == ("open", DISTRICT, tiers.now + 24 * HOUR)
    assert CaseDesk(tiers.city).case(above).state == "handed_down"
    tiers.exchange()
    below = tiers.number(tiers.district, CaseRow.report_id, order.order_id)
    case = CaseDesk(tiers.district).case(below)
    assert (case.opened.source, case.state, case.opened.category) == ("city", "pending_dispatch", "0102")
    assert links(tiers.city, above) == [("handed_down", below)]
    assert links(tiers.district, below) == [("handed_down", above)]
    for node in (tiers.city, tiers.district):
        known = find_order(node, order.order_id)
        assert (known.case, known.accepted_case, known.state) == (above, below, "open")
    tiers.advance(2 * HOUR)
    tiers.work(tiers.district, below, *WORKED)
    tiers.exchange()
    answered = find_order(tiers.city, order.order_id)
    assert (answered.state, answered.answer, answered.answer_opinion, answered.late) == (
        "answered", "done", "close it is", False,
    )  # fmt: skip
    CaseDesk(tiers.city).step(above, "take_answer", DISPATCHER, Said(fields={"order": order.order_id}))
    tiers.exchange()
    for node in (tiers.city, tiers.district):
        ended = find_order(node, order.order_id)
        assert (ended.state, ended.result, ended.closed_by) == ("closed", "done", DISPATCHER.id)
    tiers.settled()


def test_what_is_attached_is_wanted_below(tiers: TwoTiers) -> None:
    above, _ = tiers.handed_down()
    text = CaseDesk(tiers.city).case(above).opened.attachments[0]
    assert tiers.city.blobs.has(text.blob)
    tiers.exchange()
    assert text.blob in {one.blob for one in tiers.district.blobs.missing()}


def test_a_returned_case_goes_back_to_the_citys_dispatch(tiers: TwoTiers) -> None:
    above, order = tiers.handed_down()
    tiers.exchange()
    below = tiers.number(tiers.district, CaseRow.report_id, order.order_id)
    tiers.work(tiers.district, below, ("return_to_operator", DISPATCHER), ("reject", LEADER))
    tiers.exchange()
    returned = find_order(tiers.city, order.order_id)
    assert (returned.answer, returned.answer_opinion) == ("returned", "reject it is")
    tiers.work(tiers.city, above, ("take_back", DISPATCHER))
    tiers.exchange()
    assert find_order(tiers.district, order.order_id).result == "taken_back"
    again = issue(
        tiers.city, IssueAsk("hand_down", "再次转交", tiers.now + HOUR, case=above, district=DISTRICT), DISPATCHER
    )
    tiers.exchange()
    assert again.order_id != order.order_id
    assert {find_order(tiers.city, one.order_id).state for one in (order, again)} == {"closed", "open"}
    tiers.settled()


def test_nobody_answers_in_time(tiers: TwoTiers) -> None:
    _, order = tiers.handed_down()
    tiers.exchange()
    tiers.advance(25 * HOUR)
    assert [one.order_id for one in list_orders(tiers.city, state="late").orders] == [order.order_id]
    assert (tiers.count().orders_late, tiers.count().orders_open) == (1, 0)
    below = tiers.number(tiers.district, CaseRow.report_id, order.order_id)
    tiers.work(tiers.district, below, *WORKED)
    tiers.exchange()
    found = find_order(tiers.city, order.order_id)
    assert (found.state, found.late) == ("answered", True)


def test_a_press_is_answered(tiers: TwoTiers) -> None:
    number = tiers.district_case()
    tiers.advance(5 * HOUR)
    ask = IssueAsk(
        "press", "领导关注, 速办", tiers.now + 2 * HOUR, district_case=number, press="leader", level="urgent", key="k1"
    )
    order = issue(tiers.city, ask, SUPERVISOR)
    assert issue(tiers.city, ask, SUPERVISOR).order_id == order.order_id
    counted = tiers.count()
    assert (counted.open, counted.overdue, counted.pressed, counted.orders_open) == (1, 1, 1, 1)
    tiers.exchange()
    assert [one.order_id for one in list_orders(tiers.district, state="open", kind="press").orders] == [order.order_id]
    said = answer(tiers.district, AnswerAsk(order.order_id, "answered", "今日 16 时前完成"), LEADER)
    assert said.state == "answered"
    tiers.exchange()
    assert find_order(tiers.city, order.order_id).answer_opinion == "今日 16 时前完成"
    assert close(tiers.city, CloseAsk(order.order_id, "", "done"), SUPERVISOR).state == "closed"
    assert tiers.count().pressed == 0
    with pytest.raises(Conflict, match="ended it already"):
        close(tiers.city, CloseAsk(order.order_id, "", "done"), SUPERVISOR)
    tiers.exchange()
    with pytest.raises(Conflict, match="nothing to answer"):
        answer(tiers.district, AnswerAsk(order.order_id, "answered", "again"), LEADER)
    tiers.settled()


def test_a_dead_districts_work_is_taken_over(tiers: TwoTiers) -> None:
    number = tiers.district_case()
    ask = IssueAsk("take_over", "区平台瘫痪, 市级上收", tiers.now + HOUR, district_case=number)
    order = issue(tiers.city, ask, LEADER)
    with pytest.raises(Conflict, match="takes it over already"):
        issue(tiers.city, ask, LEADER)
    react(tiers.city)  # the district is away: nothing is carried
    mine = tiers.number(tiers.city, CaseRow.report_id, order.order_id)
    assert links(tiers.city, mine) == [("taken_over", number)]
    assert tiers.work(tiers.city, mine, *WORKED).state == "closed"
    tiers.exchange()  # and comes back
    assert ("taken_over", mine) in links(tiers.district, number)
    answer(tiers.district, AnswerAsk(order.order_id, "given_up", "移交市级"), DISPATCHER)
    assert CaseDesk(tiers.district).case(number).state == "taken_over"
    tiers.exchange()
    assert find_order(tiers.city, order.order_id).answer == "given_up"
    with pytest.raises(Conflict, match="answered it already"):
        answer(tiers.district, AnswerAsk(order.order_id, "kept", "no"), DISPATCHER)
    tiers.settled()


def test_a_district_asks_the_city(tiers: TwoTiers) -> None:
    number = tiers.district_case()
    asked = escalate(tiers.district, number, "跨区问题, 请市级协调", DISPATCHER, key="e1")
    assert escalate(tiers.district, number, "跨区问题, 请市级协调", DISPATCHER, key="e1") == asked
    tiers.exchange()
    above = tiers.number(tiers.city, CaseRow.report_id, f"{DISTRICT}-{asked}")
    case = CaseDesk(tiers.city).case(above)
    assert (case.opened.source, case.opened.category, case.state) == ("district", "0102", "reported")
    assert links(tiers.city, above) == [("escalated", number)]
    assert links(tiers.district, number) == [("escalated", above)]
    tiers.settled()


def test_one_history_at_both_nodes(tiers: TwoTiers) -> None:
    above, order = tiers.handed_down()
    tiers.exchange()
    below = tiers.number(tiers.district, CaseRow.report_id, order.order_id)
    issue(tiers.city, IssueAsk("press", "快", tiers.now + HOUR, district_case=below, press="important"), SUPERVISOR)
    tiers.exchange()
    tiers.work(tiers.district, below, *WORKED)
    tiers.exchange()
    seen = [history_of(node, one) for node in (tiers.city, tiers.district) for one in (above, below)]
    assert [sorted(one.cases) for one in seen] == [sorted((above, below))] * 4
    assert [one.lines for one in seen[1:]] == [seen[0].lines] * 3
    lines = seen[0].lines
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert {line.node for line in lines} == {CITY, DISTRICT}
    told = [(line.node, line.kind, line.what) for line in lines]
    for one in (
        (CITY, "case.stepped", "hand_down"), (DISTRICT, "case.opened", ""), (DISTRICT, "order.answered", "accepted"),
        (CITY, "order.issued", f"press {DISTRICT}"), (DISTRICT, "case.stepped", "close"),
        (DISTRICT, "order.answered", "done"),
    ):  # fmt: skip
        assert one in told
    assert all(line.zh and line.node_name for line in lines)


def test_exactly_once_when_cursors_are_lost(tiers: TwoTiers) -> None:
    above, order = tiers.handed_down()
    asked_of = tiers.district_case()
    escalate(tiers.district, asked_of, "请协调", DISPATCHER)
    tiers.exchange()
    below = tiers.number(tiers.district, CaseRow.report_id, order.order_id)
    tiers.work(tiers.district, below, *WORKED)
    tiers.exchange()
    CaseDesk(tiers.city).step(above, "take_answer", DISPATCHER, Said(fields={"order": order.order_id}))
    tiers.exchange()
    before = [node.journal.cursor(node.code).seq for node in (tiers.city, tiers.district)]
    tiers.nodes.edge.close()
    forgetful = []
    for node in (tiers.city, tiers.district):
        node.store.write(lambda tx: tx.execute(delete(table(ReactorRow)))).result()
        forgetful.append(reopen(node))
    try:
        for node, seq in zip(forgetful, before, strict=True):
            react(node)
            assert node.journal.cursor(node.code).seq == seq
            assert replay_differences(node) == []
    finally:
        for node in forgetful:
            node.close()


def test_refusals_explain_themselves(tiers: TwoTiers) -> None:
    number = tiers.case_from()
    later = tiers.now + HOUR
    with pytest.raises(NotAllowed, match="cannot go from reported to handed_down; from reported it can be"):
        issue(tiers.city, IssueAsk("hand_down", "x", later, case=number, district=DISTRICT), DISPATCHER)
    tiers.work(tiers.city, number, *FILED)
    for ask, who, why in (
        (IssueAsk("hand_down", "x", later, case=number), DISPATCHER, "name the district"),
        (IssueAsk("hand_down", "x", later, case=number, district="210199"), DISPATCHER, "those are: 210102"),
        (IssueAsk("hand_down", " ", later, case=number), DISPATCHER, "say it in words"),
        (IssueAsk("hand_down", "x", tiers.now, case=number), DISPATCHER, "lies ahead"),
        (IssueAsk("hand_down", "x", later), DISPATCHER, "name the case"),
        (IssueAsk("press", "x", later, district_case=number), SUPERVISOR, "goes with kind press"),
        (IssueAsk("press", "x", later, district_case=number, press="leader"), SUPERVISOR, "the city's own"),
        (IssueAsk("hand_down", "x", later, case=number, district=DISTRICT), OPERATOR, "not for the post operator"),
    ):
        with pytest.raises((NotAllowed, BadInput, NotFound), match=why):
            issue(tiers.city, ask, who)
    below = tiers.district_case()
    with pytest.raises(NotAllowed, match="press is not for the post operator; it is for: supervisor, shift_leader"):
        issue(tiers.city, IssueAsk("press", "x", later, district_case=below, press="leader"), OPERATOR)
    with pytest.raises(NotAllowed, match="only a city orders"):
        issue(tiers.district, IssueAsk("press", "x", later, district_case=below, press="leader"), SUPERVISOR)
    with pytest.raises(NotAllowed, match="nobody is there to be asked"):
        escalate(tiers.city, number, "x", DISPATCHER)
    order = issue(tiers.city, IssueAsk("hand_down", "x", later, case=number, district=DISTRICT), DISPATCHER)
    tiers.exchange()
    with pytest.raises(NotAllowed, match="answers by itself when case 210102-E0102"):
        answer(tiers.district, AnswerAsk(order.order_id, "done", "x"), LEADER)
    with pytest.raises(NotAllowed, match="take the answer"):
        close(tiers.city, CloseAsk(order.order_id, "", "done"), LEADER)
    with pytest.raises(NotFound, match="not known"):
        find_order(tiers.city, "nothing")


def test_the_actions_say_the_same(tiers: TwoTiers) -> None:
    number = tiers.district_case()
    [made] = run_action(tiers.city, "order.issue", {
        "kind": "check", "demand": "请核查", "reply_by": tiers.now + HOUR, "district_case": number, "actor": "s-1",
        "post": "supervisor",
    })  # fmt: skip
    assert isinstance(made, dict)
    tiers.exchange()
    [said] = run_action(tiers.district, "order.answer", {
        "order": made["order_id"], "answer": "answered", "opinion": "已核查", "actor": "l-1", "post": "shift_leader",
    })  # fmt: skip
    assert isinstance(said, dict)
    assert said["state"] == "answered"
    tiers.exchange()
    [page] = run_action(tiers.city, "order.list", {"state": "answered"})
    assert isinstance(page, dict)
    assert [one["order_id"] for one in page["orders"]] == [made["order_id"]]
    with pytest.raises(BadInput, match="name the actor"):
        list(run_action(tiers.city, "order.issue", {"kind": "check"}))


def test_what_was_handed_down_can_be_taken_over(tiers: TwoTiers) -> None:
    above, order = tiers.handed_down()
    tiers.exchange()
    below = tiers.number(tiers.district, CaseRow.report_id, order.order_id)
    taken = issue(tiers.city, IssueAsk("take_over", "超期未办", tiers.now + HOUR, district_case=below), SUPERVISOR)
    assert taken.case == above
    tiers.exchange()
    again = tiers.number(tiers.city, CaseRow.report_id, taken.order_id)
    answer(tiers.district, AnswerAsk(taken.order_id, "given_up", "移交"), DISPATCHER)
    tiers.work(tiers.city, above, ("take_back", DISPATCHER))
    tiers.exchange()
    ended = find_order(tiers.district, order.order_id)
    assert (ended.result, ended.answer) == ("taken_back", "returned"), "giving it up ended the waiting for it too"
    assert sorted(history_of(tiers.district, below).cases) == sorted((above, below, again))
    CaseDesk(tiers.city).merge(above, again, OPERATOR, Said(opinion="同一问题"))
    assert tiers.work(tiers.city, again, *WORKED).state == "closed"
    tiers.settled()


def test_both_hand_it_down_and_one_is_told(tiers: TwoTiers) -> None:
    above, order = tiers.handed_down()
    ask = IssueAsk("hand_down", "也转交", tiers.now + HOUR, case=above, district=DISTRICT)
    with pytest.raises(
        NotAllowed, match="cannot go from handed_down to handed_down; from handed_down it can be: take_back"
    ):
        issue(tiers.city, ask, Actor("c-2", "dispatcher"))
    assert [one.order_id for one in list_orders(tiers.city).orders] == [order.order_id]


def test_other_districts_hold_digests_only(tiers: TwoTiers) -> None:
    tiers.handed_down()
    held = tiers.city.journal.batch_for("210103", CITY, 0)
    assert held is not None
    hidden = [item for item in held.items if item.raw is None]
    assert [item.audience for item in hidden] == [(DISTRICT,)], "the order alone is addressed to its district"


def test_by_place_and_by_matter(tmp_path: Path) -> None:
    for name, matters, why in (("place", {}, ("210102001002007", None)), ("matter", {"E01": DISTRICT}, (None, "E01"))):
        sections = {"supervision.matters": matters} if matters else {}
        with small_tiers(tmp_path / name, sections=sections) as tiers:
            number = tiers.case_from(grid="210102001002007" if name == "place" else "210199001002007")
            tiers.work(tiers.city, number, *FILED)
            order = issue(tiers.city, IssueAsk("hand_down", "请处理", tiers.now + HOUR, case=number), DISPATCHER)
            assert (order.district, (order.by_place, order.by_matter)) == (DISTRICT, why)
            tiers.exchange()
            below = tiers.number(tiers.district, CaseRow.report_id, order.order_id)
            opened = CaseDesk(tiers.district).case(below).opened
            assert opened.grid == CaseDesk(tiers.city).case(number).opened.grid
            tiers.settled()
