"""At the desk of a real node: what its tables know decides, not what whoever asks says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.casework.office import COLLECTOR, DISPATCHER, HOUR, LEADER, OPERATOR, WORKER, Office
from wanmi.case_kinds import Limit
from wanmi.errors import BadInput, NotAllowed
from wanmi.hookspecs import Actor
from wanmi.kinds import TerminalAdmitted
from wanmi.query.case_clocks import lines_of, states_of
from wanmi.registry import Draft
from wanmi.testing import replay_differences
from wanmi_casework.desk_split import Part, split_case


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    assert made.rows_that_do_not_fit() == []
    assert replay_differences(made.node) == []
    made.node.close()


def test_no_case_is_given_up_without_an_order_of_the_city(office: Office) -> None:
    numbers = [office.open_case() for _ in range(2)]
    for number in numbers:
        office.to(number, "pending_dispatch")
    with pytest.raises(NotAllowed, match="no order whatever of the city is known here"):
        office.step(numbers[0], "give_up", fields={"order": "whatever"})
    results = office.desk.bulk(numbers, lambda one: office.step(one, "give_up", fields={"order": "whatever"}))
    assert [str(one.error).partition(": cannot")[0] for one in results] == [f"case {number}" for number in numbers]
    assert {office.desk.case(number).state for number in numbers} == {"pending_dispatch"}


def test_who_carries_the_terminal_that_reported_does_not_command(office: Office) -> None:
    body = TerminalAdmitted("T210102-0001", "ab" * 32, "v", "c-1")
    office.node.journal.append(Draft("terminal.admitted", "terminal:210102:T210102-0001", body)).result()
    number = office.open_case()
    office.to(number, "pending_dispatch")
    with pytest.raises(NotAllowed, match=r"c-1 \(as T210102-0001\) has acted on its supervision axis"):
        office.step(number, "dispatch")
    can = {may.what: may for may in office.desk.may(number, DISPATCHER)}
    assert "as T210102-0001" in can["dispatch"].why
    office.step(number, "dispatch", Actor("c-2", "dispatcher"))
    with pytest.raises(NotAllowed, match=r"T210102-0009|c-2 has acted on its command axis"):
        office.step(number, "give_up", Actor("c-2", "operator"), fields={"order": "o"})


def test_who_carries_a_terminal_does_not_decide_on_what_it_asked(office: Office) -> None:
    body = TerminalAdmitted("T210102-0001", "ab" * 32, "v", "o-1")
    office.node.journal.append(Draft("terminal.admitted", "terminal:210102:T210102-0001", body)).result()
    number = office.open_case()
    asked = office.ask(number, "self_handled", COLLECTOR)
    with pytest.raises(NotAllowed, match=r"o-1 made request .*; somebody else decides on it"):
        office.review(number, asked, True, OPERATOR)
    assert office.review(number, asked, True, LEADER).state == "closed"


def test_the_same_department_gets_no_new_time(office: Office) -> None:
    number = office.open_case()
    due = office.to(number, "handling").deadline
    office.clock.advance(5 * HOUR)
    again = office.desk.step(
        number, "redispatch", DISPATCHER, office.said("redispatch", DISPATCHER), department="dep-1"
    )
    assert (again.state, again.deadline) == ("pending_handle", due)
    assert office.timer.tick() == 1
    with pytest.raises(NotAllowed, match="the deadline has passed"):
        office.ask(number, "extension")


def test_passed_round_each_department_has_its_own_time(office: Office) -> None:
    """On the node's calendar: what the step says, and what is explained from the marks, is one deadline."""
    number = office.open_case()
    case = office.to(number, "pending_handle")
    began = case.marks[-1].at
    office.clock.advance(HOUR)
    left = office.step(number, "redispatch", department="dep-2").marks[-1].at
    office.clock.advance(2 * HOUR)
    again = office.step(number, "redispatch", department="dep-1")
    assert again.deadline == again.marks[-1].at + 4 * HOUR - (left - began)
    table = office.desk.table(again)
    [*_, told] = states_of(table, again, office.desk.timing(table).calendar, office.clock.now())
    assert (told.rule.id, told.deadline, told.round) == ("department", again.deadline, 1)
    assert [line for line in lines_of(told)[0] if "次计时" in line][-1].endswith("接续第 1 次计时（redispatch）")
    with pytest.raises(
        BadInput, match="dep-2 has had it, so its clock department goes on with its limit 4 urgent_hour"
    ):
        office.step(number, "redispatch", department="dep-2", limit=Limit(8, "urgent_hour"))
    office.clock.advance(4 * HOUR)
    assert office.timer.tick() == 1


def test_parts_of_a_split_keep_who_acted_on_their_axis(office: Office) -> None:
    number = office.open_case()
    office.to(number, "handled")
    boss = Actor("x-1", "dispatcher")
    office.step(number, "pass_on", boss)
    [part] = split_case(office.desk, number, [Part("event", "0103")], LEADER, office.said("split", LEADER))
    assert set(part.actors) == {*office.desk.case(number).actors, ("l-1", "supervision")}
    with pytest.raises(NotAllowed, match="x-1 has acted on its command axis"):
        office.step(part.number, "accept", Actor("x-1", "operator"))
    with pytest.raises(BadInput, match="component has at most 40"):
        split_case(office.desk, number, [Part("event", "0103", "1" * 41)], LEADER, office.said("split", LEADER))


def test_a_clock_set_back_after_another_case_was_written_makes_nothing_early(office: Office) -> None:
    late, other = office.open_case(), office.open_case()
    office.to(late, "handling")
    office.clock.advance(5 * HOUR)
    office.to(other, "pending_file")
    office.clock.advance(-5 * HOUR)
    with pytest.raises(NotAllowed, match="the deadline has passed"):
        office.ask(late, "extension")


def test_a_limit_that_no_calendar_could_hold_is_refused(office: Office) -> None:
    number = office.open_case()
    office.to(number, "pending_dispatch")
    with pytest.raises(BadInput, match="runs at most 366 natural_day"):
        office.step(number, "dispatch", limit=Limit(99_999, "work_day"), reason="hard")
    case = office.step(number, "dispatch", limit=Limit(366, "natural_day"), reason="hard")
    for _ in range(2):
        case = office.review(number, office.ask(number, "extension", WORKER), True)
    assert case.deadline is not None
