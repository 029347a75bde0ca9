"""Between city and district only an order moves a case: it is looked up, and a merge does not leave it waiting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.two_tiers import DISPATCHER, HOUR, OPERATOR, SUPERVISOR, WORKED, TwoTiers, small_tiers
from wanmi.errors import NotAllowed
from wanmi.models import CaseRow
from wanmi_casework.desk import CaseDesk, Said
from wanmi_casework.leaving import list_left
from wanmi_supervision.answering import answer
from wanmi_supervision.asking import AnswerAsk, IssueAsk
from wanmi_supervision.issuing import issue
from wanmi_supervision.queues import find_order


@pytest.fixture
def tiers(tmp_path: Path) -> Iterator[TwoTiers]:
    with small_tiers(tmp_path) as made:
        yield made


def test_a_merge_at_the_district_ends_the_waiting_and_its_end_is_told(tiers: TwoTiers) -> None:
    above, order = tiers.handed_down()
    tiers.exchange()
    below, into = tiers.number(tiers.district, CaseRow.report_id, order.order_id), tiers.district_case()
    desk = CaseDesk(tiers.district)
    desk.merge(below, into, OPERATOR, Said(opinion="同一问题"))
    tiers.exchange()
    seen = find_order(tiers.city, order.order_id)
    assert (seen.state, seen.answer) == ("answered", "answered")
    assert seen.answer_opinion == f"本案已并入案卷 {into}，随其办理：同一问题"
    tiers.work(tiers.district, into, *WORKED[1:])
    tiers.exchange()
    assert find_order(tiers.city, order.order_id).answer == "done"
    steps = Said(opinion="已办", fields={"order": order.order_id})
    assert CaseDesk(tiers.city).step(above, "take_answer", DISPATCHER, steps).state == "handled"
    tiers.settled()


def test_an_answer_is_taken_once_there_is_one(tiers: TwoTiers) -> None:
    above, order = tiers.handed_down()
    tiers.exchange()
    press = issue(
        tiers.city,
        IssueAsk("press", "速办", tiers.now + HOUR, district_case=tiers.district_case(), press="leader"),
        SUPERVISOR,
    )
    desk = CaseDesk(tiers.city)
    for named, why in (
        ("whatever", "no order whatever of the city is known here"),
        (press.order_id, "did not hand this case down"),
        (order.order_id, "has not answered order"),
    ):
        with pytest.raises(NotAllowed, match=why):
            desk.step(above, "take_answer", DISPATCHER, Said(opinion="好", fields={"order": named}))
    below = tiers.number(tiers.district, CaseRow.report_id, order.order_id)
    tiers.work(tiers.district, below, *WORKED)
    tiers.exchange()
    assert (
        desk.step(above, "take_answer", DISPATCHER, Said(opinion="好", fields={"order": order.order_id})).final is False
    )


def test_a_case_is_given_up_only_to_the_order_that_takes_it_over(tiers: TwoTiers) -> None:
    number, other = tiers.district_case(), tiers.district_case()
    asks = [
        IssueAsk("press", "速办", tiers.now + HOUR, district_case=number, press="leader"),
        IssueAsk("take_over", "超期未办", tiers.now + HOUR, district_case=other),
    ]
    orders = [issue(tiers.city, ask, SUPERVISOR) for ask in asks]
    tiers.exchange()
    desk = CaseDesk(tiers.district)
    for order in orders:
        with pytest.raises(NotAllowed, match="does not take this case over"):
            desk.step(number, "give_up", DISPATCHER, Said(opinion="移交", fields={"order": order.order_id}))
    answer(tiers.district, AnswerAsk(orders[1].order_id, "kept", "自办"), DISPATCHER)
    with pytest.raises(NotAllowed, match="was answered or has ended"):
        desk.step(other, "give_up", DISPATCHER, Said(opinion="移交", fields={"order": orders[1].order_id}))
    assert desk.case(other).state == "pending_handle"


def test_a_case_given_up_to_the_city_is_told_to_the_department_that_had_it(tiers: TwoTiers) -> None:
    number = tiers.district_case()
    order = issue(tiers.city, IssueAsk("take_over", "超期未办", tiers.now + HOUR, district_case=number), SUPERVISOR)
    tiers.exchange()
    desk = CaseDesk(tiers.district)
    department = desk.case(number).department
    assert department is not None
    desk.step(number, "give_up", DISPATCHER, Said(opinion="移交市级", fields={"order": order.order_id}))
    tiers.exchange()
    [line] = list_left(tiers.district, department).left
    assert (line.case, line.what, line.to, line.state, line.opinion) == (
        number,
        "give_up",
        None,
        "taken_over",
        "移交市级",
    )
    assert [one.case for one in list_left(tiers.city, department).left] == [number], "the city hears of it too"
