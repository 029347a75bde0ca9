"""The usual way of a case, and every kind of refusal with its explanation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.cases.worked import HOUR, LIMIT, PHOTO, START, Worked
from wanmi.cases import Ask, StepTable, fold_all, may_now
from wanmi.errors import BadEntry, BadInput, Conflict, NotAllowed, NotFound


def test_the_usual_way_goes_through_the_seven_stages() -> None:
    case = Worked()
    steps = (
        "accept",
        "file",
        "dispatch",
        "take",
        "answer",
        "pass_on",
        "send_check",
        "answer_check_passed",
        "close",
    )
    stages = [case.case.stage, *(case.step(step).stage for step in steps)]
    assert list(dict.fromkeys(stages)) == ["collect", "file", "dispatch", "handle", "feedback", "close", "evaluate"]
    assert case.case.state == "closed"
    assert case.case.final
    assert case.case.closed_at == case.now
    assert case.case == fold_all(case.entries)
    assert [done.what for done in case.case.history][:3] == ["case.opened", "accept", "file"]


def test_clocks_run_where_the_table_says() -> None:
    case = Worked()
    assert [mark[:4] for mark in case.case.clock_marks()] == [("accept", "start", START + 1, "case.opened")]
    case.to("pending_dispatch")
    assert (case.case.clock, case.case.limit) == ("dispatch", StepTable.load().clocks["dispatch"].limit)
    assert case.case.deadline is not None
    dispatched = case.step("dispatch")
    assert dispatched.deadline == dispatched.marks[-1].at + 4 * HOUR
    assert dispatched.warn == dispatched.marks[-1].at + 4 * HOUR * 4 // 5
    done = case.to("handled")
    assert (done.clock, done.limit, done.deadline) == (None, None, None)
    assert [(mark.name, mark.what) for mark in done.marks] == [
        ("accept", "start"), ("accept", "stop"), ("dispatch", "start"), ("dispatch", "stop"), ("department", "start"),
        ("department", "stop"),
    ]  # fmt: skip


def test_a_refused_state_says_what_may_be_done() -> None:
    case = Worked()
    case.to("closed")
    with pytest.raises(NotAllowed, match=r"cannot go from closed to pending_handle; reopen it first"):
        case.step("dispatch")
    other = Worked()
    with pytest.raises(
        NotAllowed, match=r"from reported it can be: send_verify, reject, accept, give_up, request self_handled"
    ):
        other.step("close")


def test_a_wrong_post_is_told_whose_it_is() -> None:
    with pytest.raises(NotAllowed, match=r"accept is not for the post dispatcher; it is for: operator \(坐席员\)"):
        Worked().step("accept", "c-1", "dispatcher")


@pytest.mark.parametrize(("first", "second"), [("supervision", "command"), ("command", "supervision")])
def test_nobody_acts_on_both_axes(first: str, second: str) -> None:
    case = Worked()
    if first == "supervision":
        case.step("accept", "x-1")
        case.step("file")
        with pytest.raises(NotAllowed, match=r"x-1 has acted on its supervision axis and may not act on command"):
            case.step("dispatch", "x-1")
    else:
        case.to("pending_dispatch")
        case.step("dispatch", "x-1")
        for step in ("take", "answer", "pass_on"):
            case.step(step)
        with pytest.raises(NotAllowed, match=r"x-1 has acted on its command axis and may not act on supervision"):
            case.step("send_check", "x-1")
    assert second not in case.case.axes_of("x-1")


def test_the_reporting_collector_does_not_command() -> None:
    case = Worked()
    case.to("pending_dispatch")
    with pytest.raises(NotAllowed, match="its supervision axis"):
        case.step("dispatch", "T210102-0001")


def test_a_department_never_checks_or_closes_its_own_work() -> None:
    case = Worked()
    case.to("checking")
    with pytest.raises(NotAllowed, match="not for the post department"):
        case.step("answer_check_passed", "d-9", "department", unit="dep-1")
    with pytest.raises(NotAllowed, match="nobody of it may supervise it"):
        case.step("answer_check_passed", "k-9", "collector", unit="dep-1")
    case.step("answer_check_passed")
    with pytest.raises(NotAllowed, match="department dep-1 handles it"):
        case.step("close", "l-9", unit="dep-1")


def test_another_department_is_not_let_in() -> None:
    case = Worked()
    case.to("pending_handle")
    with pytest.raises(NotAllowed, match="dispatched to department dep-1, not to dep-2"):
        case.step("take", unit="dep-2")


def test_a_task_is_answered_by_whom_it_was_given_to() -> None:
    case = Worked()
    case.to("pending_check")
    case.step("send_check", collector="T210102-0007")
    with pytest.raises(NotAllowed, match=r"given to T210102-0007, not to T210102-0001"):
        case.step("answer_check_passed")
    assert case.step("answer_check_passed", "T210102-0007").state == "check_passed"


def test_missing_fields_are_named() -> None:
    case = Worked()
    case.to("handling")
    with pytest.raises(BadInput, match=r"answer needs opinion, photo_after \(attached now\)"):
        case.step("answer", opinion=" ", attachments=())
    with pytest.raises(BadInput, match="at most 2000"):
        case.step("answer", opinion="x" * 2001, attachments=(PHOTO,))
    other = Worked()
    other.to("pending_dispatch")
    with pytest.raises(BadInput, match="dispatch needs department"):
        other.step("dispatch", department=None)
    with pytest.raises(BadInput, match="accept does not set the limit"):
        Worked().step("accept", limit=LIMIT)
    verifying = Worked()
    verifying.step("send_verify")
    with pytest.raises(BadInput, match="exists, does_not_exist, cannot_tell"):
        verifying.step("answer_verify", fields={"result": "maybe"})


def test_somebody_was_first_is_told_with_name_and_time() -> None:
    case = Worked()
    seen = case.case.version
    case.step("accept", "o-1")
    with pytest.raises(
        Conflict, match=r"at version 2, you looked at 1: o-1 \(operator\) did accept \(受理\) at 2026-11-24 14"
    ):
        case.step("reject", "o-2", expect=seen)
    assert case.step("file", expect=2).state == "pending_dispatch"


def test_public_reports_are_verified_before_they_are_accepted() -> None:
    case = Worked(source="hotline", terminal=None)
    with pytest.raises(NotAllowed, match="verified first"):
        case.step("accept")
    case.step("send_verify")
    case.step("answer_verify", fields={"result": "does_not_exist"})
    with pytest.raises(NotAllowed, match="does_not_exist"):
        case.step("accept")
    case.step("send_verify")
    case.step("answer_verify")
    assert case.step("accept").state == "pending_file"


def test_unknown_steps_are_named() -> None:
    with pytest.raises(NotFound, match=r"step 'fly': the step table cjt-2007 has submit, send_verify"):
        Worked().step("accept") and Worked().table.step("fly")


def test_what_may_be_done_now_says_why_not() -> None:
    case = Worked()
    case.to("pending_handle")
    mine = {may.what: may for may in may_now(case.table, case.case, Ask("d-1", "department", "dep-1"), case.now)}
    assert {name for name, may in mine.items() if may.allowed} == {
        "take",
        "return",
        "extension",
        "suspension",
        "deferral",
    }
    assert "not for the post department" in mine["redispatch"].why
    assert mine["suspension"].needs == ("opinion", "until")
    theirs = {may.what: may for may in may_now(case.table, case.case, Ask("d-2", "department", "dep-2"), case.now)}
    assert not any(may.allowed for may in theirs.values())


def test_entries_that_do_not_fit_are_refused() -> None:
    case = Worked()
    case.step("accept")
    stepped = case.entries[-1]
    first = fold_all(case.entries[:1])
    with pytest.raises(BadEntry, match="before the case was opened"):
        fold_all([stepped])
    with pytest.raises(BadEntry, match="only its owner"):
        fold_all([case.entries[0], _with(stepped, origin="210103")])
    with pytest.raises(BadEntry, match="version"):
        fold_all([*case.entries, stepped])
    with pytest.raises(BadEntry, match="a step from"):
        fold_all([*case.entries, _with(stepped, version=3)])
    assert first is not None
    assert replace(first, version=1) == first


def _with(entry, **values):  # type: ignore[no-untyped-def]
    import msgspec

    return msgspec.structs.replace(entry, **values)


def test_an_appeal_does_not_move_the_time_of_closing() -> None:
    case = Worked()
    case.to("handling")
    case.now += 5 * HOUR
    assert case.overdue()
    closed_at = case.to("closed").closed_at
    case.now += HOUR
    case.request("overdue_appeal", "q-1")
    case.review("q-1", True, "a-1", "assessor")
    granted = case.review("q-1", True, "a-2", "assessor")
    assert granted.counts["overdue_excused"] == 1
    assert granted.closed_at == closed_at


def test_a_clock_set_back_makes_no_extension_early() -> None:
    case = Worked()
    case.to("handling")
    case.now += 5 * HOUR
    assert case.overdue()
    case.now -= 3 * HOUR
    with pytest.raises(NotAllowed, match="the deadline has passed"):
        case.request("extension", "q-1")
