"""A golden case through every side flow, on a real node; after each the rows are what the chain adds up to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from core.cases.worked import START
from plugins.casework.office import (
    ASSESSOR,
    COLLECTOR,
    DAY,
    DISPATCHER,
    HOUR,
    LEADER,
    OPERATOR,
    OTHER_OPERATOR,
    SUPERVISOR,
    WORKER,
    Office,
)
from wanmi.case_kinds import Limit
from wanmi.cases import fold_all
from wanmi.errors import BadInput, Conflict, NotAllowed
from wanmi.hookspecs import Actor
from wanmi.journal.case_rows import CaseActorRow, CaseLinkRow, CaseRequestRow
from wanmi.models import AttachmentRow, CaseRow, Row, table
from wanmi.query import find_case
from wanmi.testing import replay_differences
from wanmi_casework.desk_split import Part, split_case


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    assert made.rows_that_do_not_fit() == []
    assert replay_differences(made.node) == []
    made.node.close()


def rows(office: Office, row: type[Row], number: str) -> list[dict[str, object]]:
    columns = table(row)
    with office.node.store.reader() as tx:
        return [dict(one) for one in tx.execute(select(columns).where(columns.c.number == number)).mappings()]


def test_the_usual_way_with_its_rows(office: Office) -> None:
    number = office.open_case()
    closed = office.to(number, "closed")
    with office.node.store.reader() as tx:
        line = find_case(tx, number)
        photos = tx.execute(
            select(table(AttachmentRow)).where(table(AttachmentRow).c.subject == f"case:{number}")
        ).all()
    assert (line.state, line.stage, line.final, line.department) == ("closed", "evaluate", True, "dep-1")
    assert (line.version, line.filed_at, line.closed_at) == (closed.version, closed.filed_at, closed.closed_at)
    assert len(photos) == 2
    assert {(row["actor"], row["axis"]) for row in rows(office, CaseActorRow, number)} == set(closed.actors)


def test_a_returned_case_goes_back_and_a_groundless_return_is_counted(office: Office) -> None:
    number = office.open_case()
    office.to(number, "pending_handle")
    first = office.ask(number, "return")
    with pytest.raises(Conflict, match="was asked for already"):
        office.ask(number, "return", Actor("d-2", "department"))
    refused = office.review(number, first, False)
    assert (refused.state, refused.counts["groundless_return"]) == ("pending_handle", 1)
    second = office.ask(number, "return")
    returned = office.review(number, second, True)
    assert (returned.state, returned.department, returned.clock) == ("returned", None, "dispatch")
    with pytest.raises(NotAllowed, match="cannot go from returned to pending_check"):
        office.step(number, "pass_on")
    again = office.step(number, "dispatch", department="dep-2")
    assert again.departments == ("dep-1", "dep-2")
    with pytest.raises(NotAllowed, match="dispatched to department dep-2, not to dep-1"):
        office.step(number, "take")


def test_a_department_may_not_return_what_staff_work_on(office: Office) -> None:
    number = office.open_case()
    office.to(number, "handling")
    with pytest.raises(NotAllowed, match="return cannot be asked for while it is handling"):
        office.ask(number, "return")
    office.step(number, "put_back")
    assert office.review(number, office.ask(number, "return"), True).state == "returned"


def test_two_extensions_and_no_third(office: Office) -> None:
    number = office.open_case()
    due = office.to(number, "handling").deadline
    assert due is not None
    for n in (1, 2):
        case = office.review(number, office.ask(number, "extension"), True)
        assert case.deadline is not None
        assert abs(case.deadline - due - n * 4 * HOUR) < 1000, "entries of one instant lie microseconds apart"
    with pytest.raises(NotAllowed, match="granted 2 times, at most 2"):
        office.ask(number, "extension")


def test_an_extension_is_asked_before_the_deadline(office: Office) -> None:
    number = office.open_case()
    office.to(number, "handling")
    office.clock.advance(5 * HOUR)
    with pytest.raises(NotAllowed, match="the deadline has passed"):
        office.ask(number, "extension")


def test_refused_extensions_do_not_count(office: Office) -> None:
    number = office.open_case()
    office.to(number, "handling")
    for _ in range(3):
        office.review(number, office.ask(number, "extension"), False)
    assert office.review(number, office.ask(number, "extension"), True).granted("extension") == 1


def test_a_suspension_stops_the_clock_and_ends_by_itself(office: Office) -> None:
    number = office.open_case()
    handling = office.to(number, "handling")
    started = handling.marks[-1].at
    office.clock.advance(HOUR)
    until = office.clock.now() + 10 * DAY
    request = office.ask(number, "suspension", until=until)
    office.clock.advance(HOUR)
    suspended = office.review(number, request, True)
    paused = suspended.marks[-1].at
    assert (suspended.state, suspended.deadline, suspended.until) == ("suspended", None, until)
    with pytest.raises(NotAllowed, match="it is suspended; resume it first"):
        office.step(number, "answer")
    office.clock.advance(17 * DAY)
    assert office.timer.tick() == 2
    resumed = office.desk.case(number)
    assert (resumed.state, resumed.until) == ("handling", None)
    assert resumed.deadline == until + 4 * HOUR - (paused - started)
    assert resumed.marks[-1][:4] == ("department", "resume", until, "case.resumed")
    assert resumed.overdue == (("department", resumed.deadline),)
    with pytest.raises(NotAllowed, match="suspension was granted 1 times"):
        office.ask(number, "suspension", until=office.clock.now() + DAY)


def test_a_deferral_is_ended_early_by_the_dispatcher(office: Office) -> None:
    number = office.open_case()
    office.to(number, "pending_handle")
    with pytest.raises(BadInput, match="at most 30 days"):
        office.ask(number, "deferral", until=office.clock.now() + 31 * DAY)
    request = office.ask(number, "deferral", until=office.clock.now() + 3 * DAY)
    assert office.review(number, request, True).state == "suspended"
    office.clock.advance(DAY)
    resumed = office.desk.resume(number, DISPATCHER, office.said("resume", DISPATCHER))
    assert resumed.state == "pending_handle"
    assert resumed.deadline is not None
    assert resumed.deadline > office.clock.now() + 3 * HOUR
    assert office.timer.tick() == 0


def test_rework_starts_the_clock_anew_and_is_counted(office: Office) -> None:
    number = office.open_case()
    office.to(number, "checking")
    office.step(number, "answer_check_failed")
    with pytest.raises(NotAllowed, match="cannot go from check_failed to closed"):
        office.step(number, "close")
    reworked = office.step(number, "rework")
    assert (reworked.state, reworked.department, reworked.counts["rework"]) == ("rework", "dep-1", 1)
    assert reworked.deadline is not None
    assert reworked.deadline >= office.clock.now() + 4 * HOUR
    office.to(number, "closed")


def test_voiding_and_forced_closing_need_the_shift_leader(office: Office) -> None:
    first, second = office.open_case(), office.open_case()
    office.to(first, "pending_dispatch")
    void = office.ask(first, "void", OPERATOR)
    with pytest.raises(NotAllowed, match=r"decide on void is not for the post dispatcher; it is for: shift_leader"):
        office.review(first, void, True)
    assert office.review(first, void, True, LEADER).state == "cancelled"
    office.to(second, "handling")
    force = office.ask(second, "forced_close", DISPATCHER)
    assert office.review(second, force, True, LEADER).state == "forced_closed"
    early = office.open_case()
    with pytest.raises(NotAllowed, match="void cannot be asked for while it is reported"):
        office.ask(early, "void", OPERATOR)


def test_what_a_collector_handled_is_examined(office: Office) -> None:
    number, bare = office.open_case(), office.open_case(attachments=[])
    with pytest.raises(BadInput, match="photo_before"):
        office.ask(bare, "self_handled", COLLECTOR)
    with pytest.raises(BadInput, match="photo_after"):
        office.ask(number, "self_handled", COLLECTOR, attachments=())
    invalid = office.review(number, office.ask(number, "self_handled", COLLECTOR), False, OPERATOR)
    assert (invalid.state, invalid.counts["self_handled_invalid"]) == ("reported", 1)
    valid = office.review(number, office.ask(number, "self_handled", COLLECTOR), True, OPERATOR)
    assert (valid.state, valid.counts["self_handled"]) == ("closed", 1)


def test_reopening_is_asked_for_and_granted(office: Office) -> None:
    number = office.open_case()
    office.to(number, "closed")
    request = office.desk.reopen(number, OTHER_OPERATOR, office.said("reopen", OTHER_OPERATOR)).requests[-1].id
    reopened = office.review(number, request, True, LEADER)
    assert (reopened.state, reopened.final, reopened.closed_at) == ("pending_file", False, None)
    assert office.to(number, "closed").counts == {"answered": 2, "closed": 2, "reopened": 1}


def test_an_overdue_appeal_needs_two_different_reviewers(office: Office) -> None:
    number = office.open_case()
    office.to(number, "handling")
    office.clock.advance(5 * HOUR)
    assert office.timer.tick() == 1
    with pytest.raises(NotAllowed, match="while it is handling"):
        office.ask(number, "overdue_appeal")
    office.to(number, "closed")
    with pytest.raises(NotAllowed, match="dep-9 never had it"):
        office.ask(number, "overdue_appeal", unit="dep-9")
    appeal = office.ask(number, "overdue_appeal")
    half = office.review(number, appeal, True, ASSESSOR)
    assert (half.requests[-1].state, half.counts.get("overdue_excused")) == ("open", None)
    with pytest.raises(NotAllowed, match="the next reviewer is another person"):
        office.review(number, appeal, True, ASSESSOR)
    whole = office.review(number, appeal, True, SUPERVISOR)
    assert (whole.requests[-1].state, whole.counts["overdue_excused"], whole.state) == ("granted", 1, "closed")
    assert len(whole.overdue) == 1
    with pytest.raises(NotAllowed, match=r"can be asked for 1 time\(s\) a case"):
        office.ask(number, "overdue_appeal")


def test_without_being_overdue_there_is_no_appeal(office: Office) -> None:
    number = office.open_case()
    office.to(number, "closed")
    with pytest.raises(NotAllowed, match="was never overdue"):
        office.ask(number, "overdue_appeal")


def test_requests_expire_and_can_be_made_again(office: Office) -> None:
    number = office.open_case()
    office.to(number, "pending_handle")
    request = office.ask(number, "return")
    office.clock.advance(25 * HOUR)
    with pytest.raises(NotAllowed, match="has expired"):
        office.review(number, request, True)
    assert office.timer.tick() == 2
    assert office.desk.case(number).requests[-1].state == "expired"
    with pytest.raises(Conflict, match="is expired already"):
        office.review(number, request, True)
    assert rows(office, CaseRow, number)[0]["requests"] == 0
    office.ask(number, "return")
    assert [row["state"] for row in rows(office, CaseRequestRow, number)] == ["expired", "open"]


def test_nobody_decides_on_their_own_request(office: Office) -> None:
    number = office.open_case()
    office.to(number, "pending_dispatch")
    request = office.ask(number, "void", Actor("l-1", "operator"))
    with pytest.raises(NotAllowed, match="somebody else decides"):
        office.review(number, request, True, LEADER)


def test_a_merge_is_undone(office: Office) -> None:
    number, main = office.open_case(), office.open_case()
    before = office.to(number, "handling")
    office.to(main, "pending_dispatch")
    merged = office.desk.merge(number, main, OPERATOR, office.said("merge", OPERATOR))
    assert (merged.state, merged.merged_into, merged.deadline) == ("merged", main, None)
    assert office.desk.case(main).merged_here() == (number,)
    with pytest.raises(NotAllowed, match=f"merged into {main}; undo the merge first"):
        office.step(number, "answer")
    with pytest.raises(NotAllowed, match="is merged into it"):
        office.desk.merge(main, office.open_case(), OPERATOR, office.said("merge", OPERATOR))
    office.clock.advance(2 * DAY)
    assert office.timer.tick() == 2
    assert office.desk.case(number).overdue == (), "the clocks of a merged case do not run"
    back = office.desk.unmerge(number, OPERATOR, office.said("unmerge", OPERATOR))
    assert (back.state, back.stage, back.department, back.merged_into) == ("handling", "handle", "dep-1", None)
    assert before.deadline is not None
    assert back.deadline is not None
    assert abs(back.deadline - before.deadline - 2 * DAY) < 1000
    assert office.desk.case(main).merged_here() == ()
    assert [row["live"] for row in rows(office, CaseLinkRow, main)] == [0]
    office.to(number, "closed")


def test_links_hold_both_ways_and_far_cases_only_here(office: Office) -> None:
    one, other = office.open_case(), office.open_case()
    linked = office.desk.link(one, other, OPERATOR)
    assert [(link.other, link.kind) for link in linked.links] == [(other, "similar")]
    assert [link.other for link in office.desk.case(other).links] == [one]
    with pytest.raises(Conflict, match="already"):
        office.desk.link(one, other, OPERATOR)
    far = office.desk.link(one, "210103-E0102-20261124-0009", OPERATOR)
    assert len(far.links) == 2
    with pytest.raises(BadInput, match="not linked with itself"):
        office.desk.link(one, one, OPERATOR)


def test_a_split_opens_linked_cases(office: Office) -> None:
    number = office.open_case()
    office.to(number, "pending_file")
    parts = [Part("event", "0103"), Part("component", "0101", "2101020101000001")]
    cases = split_case(office.desk, number, parts, OPERATOR, office.said("split", OPERATOR))
    assert [case.number for case in cases] == ["210102-E0103-20261124-0002", "210102-C0101-20261124-0003"]
    assert [case.links[0].other for case in cases] == [number, number]
    assert [link.other for link in office.desk.case(number).links] == [case.number for case in cases]
    assert cases[1].opened.component == "2101020101000001"
    office.to(cases[0].number, "closed")
    with pytest.raises(NotAllowed, match="it is closed"):
        split_case(office.desk, cases[0].number, parts, OPERATOR, office.said("split", OPERATOR))


def test_deadlines_follow_the_calendar(office: Office) -> None:
    """From Tuesday 15:00 two work days of eight hours end on Thursday 15:00."""
    number = office.open_case()
    office.clock.advance(HOUR)
    office.to(number, "pending_dispatch")
    case = office.step(number, "dispatch", limit=Limit(2, "work_day"))
    assert case.deadline is not None
    assert 0 <= case.deadline - START - HOUR - 2 * DAY < 1000


def test_what_stands_after_all_is_what_the_entries_add_up_to(office: Office) -> None:
    number = office.open_case()
    office.to(number, "handling")
    office.review(number, office.ask(number, "extension"), True)
    live = office.to(number, "closed")
    entries = [stored.entry for stored in office.node.journal.subject(f"case:{number}")]
    assert fold_all(entry for entry in entries if entry is not None) == live


def test_another_worker_of_the_department_may_go_on(office: Office) -> None:
    number = office.open_case()
    office.to(number, "handling")
    assert office.step(number, "answer", Actor("d-2", "department")).state == "handled"
    assert WORKER.id in {actor for actor, _ in office.desk.case(number).actors}
