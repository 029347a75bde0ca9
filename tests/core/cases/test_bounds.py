"""What nobody can get round: time used counts on, limits and requests have bounds, orders are looked up, a human is one."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from core.cases.worked import HOUR, LIMIT, Worked
from wanmi.case_kinds import Limit
from wanmi.cases import Known, OrderSeen, StepTable, fold_all
from wanmi.errors import BadInput, NotAllowed

LESS, MORE = Limit(2, "urgent_hour"), Limit(13, "urgent_hour")


def test_dispatched_to_the_same_department_again_its_clock_goes_on() -> None:
    case = Worked()
    due = case.to("handling").deadline
    case.now += 5 * HOUR
    again = case.step("redispatch")
    assert (again.state, again.deadline, again.clock) == ("pending_handle", due, "department")
    assert again.counts["redispatched"] == 1
    assert case.overdue(), "the deadline that had passed is still the one"


def test_a_running_clock_is_not_given_another_limit() -> None:
    case = Worked()
    case.to("handling")
    with pytest.raises(BadInput, match=r"its clock department goes on with its limit 4 urgent_hour"):
        case.step("redispatch", limit=Limit(8, "urgent_hour"))
    assert case.step("redispatch", limit=None).limit == LIMIT


def test_what_was_given_back_unanswered_goes_on_with_the_time_used() -> None:
    case = Worked()
    started = case.to("pending_handle").marks[-1].at
    case.now += HOUR
    case.request("return", "q-1")
    returned = case.review("q-1", True)
    used = returned.marks[-2].at - started
    case.now += 10 * HOUR
    again = case.step("dispatch")
    assert again.marks[-1].what == "resume"
    assert again.deadline == again.marks[-1].at + 4 * HOUR - used
    assert again.limit == LIMIT
    assert fold_all(case.entries) == again


def test_another_department_and_rework_start_anew() -> None:
    case = Worked()
    case.to("handling")
    case.now += 3 * HOUR
    other = case.step("redispatch", department="dep-2")
    assert other.deadline == other.marks[-1].at + 4 * HOUR
    done = Worked()
    done.to("handled")
    again = done.step("rework")
    assert again.deadline == again.marks[-1].at + 4 * HOUR


def passed_round() -> tuple[Worked, int]:
    """dep-1 used an hour and gave the case back, dep-2 has had it for two; and when dep-1 was given it."""
    case = Worked()
    started = case.to("pending_handle").marks[-1].at
    case.now += HOUR
    case.request("return", "q-1")
    case.review("q-1", True)
    case.now += HOUR
    assert case.step("dispatch", department="dep-2", limit=MORE, reason="far away").limit == MORE
    case.now += 2 * HOUR
    return case, started


def test_back_at_a_department_its_own_time_goes_on_and_not_the_others() -> None:
    case, started = passed_round()
    used = next(mark for mark in case.case.marks if mark.source == "return").at - started
    again = case.step("redispatch", department="dep-1", limit=None)
    assert [mark.what for mark in again.marks[-2:]] == ["stop", "resume"]
    assert (again.limit, again.deadline) == (LIMIT, again.marks[-1].at + 4 * HOUR - used)
    case.now += HOUR
    other = case.step("redispatch", department="dep-2", limit=None)
    assert (other.limit, other.deadline) == (MORE, other.marks[-1].at + 13 * HOUR - 2 * HOUR - 1)
    assert fold_all(case.entries) == other


def test_who_is_past_its_deadline_stays_so_wherever_the_case_was() -> None:
    case = Worked()
    due = case.to("handling").deadline
    case.now += 5 * HOUR
    case.step("redispatch", department="dep-2")
    again = case.step("redispatch", department="dep-1")
    assert again.deadline is not None
    assert again.deadline < again.marks[-1].at
    assert due is not None
    with pytest.raises(NotAllowed, match="the deadline has passed"):
        case.request("extension", "q-1")


def test_a_new_limit_with_its_reason_starts_a_department_anew() -> None:
    case, _ = passed_round()
    with pytest.raises(BadInput, match=r"goes on with its limit 4 urgent_hour; leave the limit out, or say the reason"):
        case.step("redispatch", department="dep-1", limit=LESS)
    anew = case.step("redispatch", department="dep-1", limit=LESS, reason="the other half of the road too")
    assert anew.marks[-1].what == "start"
    assert (anew.limit, anew.deadline) == (LESS, anew.marks[-1].at + 2 * HOUR)


def test_after_an_answer_everybody_starts_anew() -> None:
    case, _ = passed_round()
    case.step("take", unit="dep-2")
    case.step("answer", unit="dep-2")
    case.step("rework")
    anew = case.step("redispatch", department="dep-1")
    assert (anew.marks[-1].what, anew.deadline) == ("start", anew.marks[-1].at + 4 * HOUR)


def test_extensions_stay_with_the_department_that_was_granted_them() -> None:
    case = Worked()
    case.to("pending_handle")
    case.request("extension", "q-1")
    due = case.review("q-1", True).deadline
    other = case.step("redispatch", department="dep-2")
    assert other.deadline == other.marks[-1].at + 4 * HOUR
    case.now += HOUR
    again = case.step("redispatch", department="dep-1")
    assert due is not None
    assert again.deadline == due + again.marks[-1].at - other.marks[-1].at


def test_tables_from_before_start_a_department_anew_after_another_one() -> None:
    """A case keeps the version under which it was opened; those before the field do not have it."""
    table = StepTable.load()
    before = msgspec.structs.replace(table.step("redispatch"), earlier_department="anew")
    case = Worked(msgspec.structs.replace(table, steps={**table.steps, "redispatch": before}))
    case.to("handling")
    case.now += HOUR
    case.step("redispatch", department="dep-2")
    again = case.step("redispatch", department="dep-1")
    assert again.deadline == again.marks[-1].at + 4 * HOUR


def test_a_table_may_start_the_clock_anew() -> None:
    table = StepTable.load()
    anew = msgspec.structs.replace(table.step("redispatch"), same_department="anew")
    case = Worked(msgspec.structs.replace(table, steps={**table.steps, "redispatch": anew}))
    case.to("handling")
    case.now += 3 * HOUR
    again = case.step("redispatch")
    assert again.deadline == again.marks[-1].at + 4 * HOUR


def test_a_limit_other_than_the_categorys_needs_a_reason_and_has_a_bound() -> None:
    case = Worked()
    case.to("pending_dispatch")
    known = replace(case.known, usual=LIMIT)
    with pytest.raises(BadInput, match=r"its category's limit is 4 urgent_hour; 2 urgent_hour instead needs a reason"):
        case.step("dispatch", limit=LESS, known=known, reason=" ")
    with pytest.raises(NotAllowed, match=r"13 urgent_hour is more than 300 % of its category's 4 urgent_hour"):
        case.step("dispatch", limit=MORE, known=known, reason="a long street")
    stepped = case.step("dispatch", limit=LESS, known=known, reason="a fair is on")
    assert (stepped.limit, case.entries[-1].body["reason"]) == (LESS, "a fair is on")
    same = Worked()
    same.to("pending_dispatch")
    assert same.step("dispatch", limit=Limit(240, "natural_minute"), known=known).state == "pending_handle"


@pytest.mark.parametrize("limit", [Limit(367, "natural_day"), Limit(99_999, "work_day"), Limit(10**15, "work_hour")])
def test_no_limit_is_longer_than_the_table_says(limit: Limit) -> None:
    case = Worked()
    case.to("pending_dispatch")
    with pytest.raises(BadInput, match="clock department runs at most 366 natural_day"):
        case.step("dispatch", limit=limit, reason="very hard")


def test_limits_that_are_none_are_refused() -> None:
    case = Worked()
    case.to("pending_dispatch")
    with pytest.raises(BadInput, match="at least 1"):
        case.step("dispatch", limit=Limit(0, "work_day"))
    with pytest.raises(BadInput, match="time unit 'moon'"):
        case.step("dispatch", limit=Limit(1, "moon"))


def test_deferrals_come_to_an_end() -> None:
    case = Worked()
    case.to("handling")
    for n in range(2):
        case.request("deferral", f"q-{n}", until=case.now + 24 * HOUR)
        case.review(f"q-{n}", True)
        case.resume()
    with pytest.raises(NotAllowed, match=r"deferral was granted 2 times, at most 2"):
        case.request("deferral", "q-9", until=case.now + 24 * HOUR)


def test_an_appeal_is_about_the_departments_own_clock() -> None:
    case = Worked()
    case.to("pending_dispatch")
    case.now += HOUR
    assert case.overdue(), "only dispatch was late"
    case.to("closed")
    with pytest.raises(NotAllowed, match="department dep-1 was never overdue with it"):
        case.request("overdue_appeal", "q-1")


def test_what_was_late_can_be_appealed_though_nobody_told_it_yet() -> None:
    case = Worked()
    case.to("handling")
    case.now += 5 * HOUR
    closed = case.to("closed")
    assert closed.overdue == ()
    assert [(late.clock, late.department) for late in closed.late] == [("department", "dep-1")]
    assert case.request("overdue_appeal", "q-1").requests[-1].state == "open"


def test_another_departments_lateness_is_not_appealed() -> None:
    case = Worked()
    case.to("handling")
    case.now += 5 * HOUR
    case.step("redispatch", department="dep-2")
    case.step("take", unit="dep-2")
    case.step("answer", unit="dep-2")
    case.to("closed")
    with pytest.raises(NotAllowed, match="department dep-2 was never overdue"):
        case.request("overdue_appeal", "q-1", unit="dep-2")
    assert case.request("overdue_appeal", "q-2", unit="dep-1").requests[-1].unit == "dep-1"


def order(worked: Worked, /, **other: object) -> OrderSeen:
    values = {
        "id": "o", "kind": "take_over", "district": worked.case.owner, "case": None, "district_case": worked.case.number,
        "waiting": True, "answered": False,
    }  # fmt: skip
    return OrderSeen(**{**values, **other})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"id": "another"}, "no order o of the city is known here"),
        ({"kind": "press"}, "does not take this case over"),
        ({"district_case": "210102-E0102-20261124-0009"}, "does not take this case over"),
        ({"district": "210103"}, "does not take this case over"),
        ({"waiting": False}, "was answered or has ended"),
    ],
)
def test_only_an_order_of_the_city_takes_a_case_over(other: dict[str, object], told: str) -> None:
    case = Worked()
    with pytest.raises(NotAllowed, match=told):
        case.step("give_up", known=Known("district", order(case, **other)))
    with pytest.raises(NotAllowed, match="no order whatever of the city is known"):
        case.step("give_up", known=Known("district"), fields={"order": "whatever"})
    with pytest.raises(BadInput, match="give_up needs order"):
        case.step("give_up", fields={})
    assert case.step("give_up").state == "taken_over"


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"kind": "check"}, "does not hand this case down"),
        ({"case": "210100-E0102-20261124-0009"}, "does not hand this case down"),
        ({"district": "210104"}, "does not hand this case down to 210103"),
        ({"waiting": False}, "has ended; give another one"),
    ],
)
def test_only_its_order_hands_a_case_down(other: dict[str, object], told: str) -> None:
    case = Worked()
    case.to("pending_dispatch")
    down = {"kind": "hand_down", "case": case.case.number, "district": "210103"}
    with pytest.raises(NotAllowed, match=told):
        case.step("hand_down", known=Known("city", order(case, **{**down, **other})))
    with pytest.raises(NotAllowed, match="is no city; only a city hands down"):
        case.step("hand_down", known=replace(case.knows("hand_down"), tier="district"))
    case.step("hand_down", known=replace(case.knows("hand_down"), tier="city"))
    with pytest.raises(NotAllowed, match=r"210103 has not answered order o \(hand_down\) yet"):
        case.step("take_answer", known=Known("city", order(case, **down)))
    assert case.step("take_answer").state == "handled"


def test_the_tier_is_the_nodes_own_not_its_code() -> None:
    case = Worked()
    with pytest.raises(NotAllowed, match="is no district"):
        case.step("give_up", known=replace(case.knows("give_up"), tier="city"))


def test_who_registered_a_report_does_not_command() -> None:
    case = Worked(terminal=None, source="patrol", by="o-7")
    assert case.case.actors == (("o-7", "supervision"),)
    case.to("pending_dispatch")
    with pytest.raises(NotAllowed, match="o-7 has acted on its supervision axis"):
        case.step("dispatch", "o-7")


def test_a_terminal_and_its_holder_are_one_human() -> None:
    case = Worked()
    case.to("pending_dispatch")
    with pytest.raises(NotAllowed, match=r"k-1 \(as T210102-0001\) has acted on its supervision axis"):
        case.step("dispatch", "k-1", known=replace(case.known, also=("T210102-0001",)))
    case.step("dispatch", "k-1")


def test_free_text_has_a_length() -> None:
    case = Worked()
    case.to("pending_dispatch")
    for given, told in (
        ({"reason": "x" * 501}, "a reason has at most 500"),
        ({"department": "d" * 61}, "a department's code has at most 60"),
        ({"fields": {"remark": "x" * 501}}, "field 'remark' has at most 500"),
        ({"fields": {"x" * 61: 1}}, "the name of field 'x+' has at most 60"),
        ({"fields": {f"f{n}": n for n in range(31)}}, "dispatch has at most 30 fields"),
    ):
        with pytest.raises(BadInput, match=told):
            case.step("dispatch", **given)
    with pytest.raises(BadInput, match="a collector's id has at most 60"):
        Worked().step("send_verify", collector="k" * 61)
