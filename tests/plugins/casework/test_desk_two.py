"""Two operators on one case, keys that make an ask once, many cases at once, and a timer that was away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from plugins.casework.office import DAY, HOUR, LEADER, OPERATOR, OTHER_OPERATOR, Office
from wanmi.cases import Case
from wanmi.errors import BadInput, Conflict, NotAllowed, NotFound, WanmiError
from wanmi.hookspecs import Actor
from wanmi.testing import reopen, replay_differences
from wanmi_casework.desk import CaseDesk, Said
from wanmi_casework.desk_split import Part, split_case


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    assert made.rows_that_do_not_fit() == []
    assert replay_differences(made.node) == []
    made.node.close()


def test_of_two_operators_one_wins_and_the_other_is_told_who_did_what(office: Office) -> None:
    number = office.open_case()
    seen = office.desk.case(number).version
    both = threading.Barrier(2)

    def work(actor: Actor) -> Case | WanmiError:
        both.wait()
        try:
            return office.desk.step(number, "accept", actor, Said(opinion="mine", expect=seen))
        except WanmiError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(work, (OPERATOR, OTHER_OPERATOR)))
    won = [one for one in results if isinstance(one, Case)]
    lost = [one for one in results if isinstance(one, Conflict)]
    assert (len(won), len(lost)) == (1, 1)
    winner = won[0].history[-1].actor
    assert f"it is at version 2, you looked at 1: {winner} (operator) did accept (受理) at 2026-11-24 14:00" in str(
        lost[0]
    )
    assert len(office.node.journal.subject(f"case:{number}")) == 2


def test_without_a_version_the_second_is_judged_by_the_case_as_it_is_then(office: Office) -> None:
    number = office.open_case()
    both = threading.Barrier(8)

    def work(n: int) -> Case | WanmiError:
        both.wait()
        try:
            return office.desk.step(number, "accept", Actor(f"o-{n}", "operator"), Said(opinion="mine"))
        except WanmiError as error:
            return error

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(8)))
    refused = [str(one) for one in results if isinstance(one, NotAllowed)]
    assert len(refused) == 7
    assert all("cannot go from pending_file to pending_file" in told for told in refused)


def test_an_ask_with_a_key_is_done_once(office: Office) -> None:
    number = office.open_case()
    said = Said(opinion="take it", key="k-1")
    first = office.desk.step(number, "accept", OPERATOR, said)
    office.step(number, "file")
    again = office.desk.step(number, "accept", OPERATOR, said)
    assert again == first, "the answer is the case as it stood then"
    with pytest.raises(BadInput, match="was used for another ask"):
        office.desk.step(number, "reject", OPERATOR, said)
    with pytest.raises(NotAllowed):
        office.desk.step(number, "accept", OTHER_OPERATOR, said)
    assert len(office.node.journal.subject(f"case:{number}")) == 3


def test_keys_outlive_the_process(office: Office) -> None:
    number = office.open_case()
    first = office.desk.step(number, "accept", OPERATOR, Said(opinion="take it", key="k-1"))
    office.node = reopen(office.node)
    later = Office(office.node.dir, office.node)
    assert later.desk.step(number, "accept", OPERATOR, Said(opinion="take it", key="k-1")) == first


def test_the_same_key_at_once_makes_one_entry(office: Office) -> None:
    number = office.open_case()
    office.to(number, "pending_handle")
    worker = Actor("d-1", "department")

    def ask(_: int) -> Case:
        return office.desk.request(number, "extension", worker, Said("dep-1", "rain", key="k-9"))

    with ThreadPoolExecutor(6) as pool:
        cases = list(pool.map(ask, range(6)))
    assert {case.requests[-1].id for case in cases} == {office.desk.case(number).requests[-1].id}
    assert len(office.desk.case(number).requests) == 1


def test_bulk_tells_of_each_case(office: Office) -> None:
    numbers = [office.open_case() for _ in range(3)]
    office.to(numbers[1], "pending_file")
    asked = [*numbers, "210102-E0102-20261124-9999", numbers[0]]
    results = office.desk.bulk(asked, lambda number: office.step(number, "accept"))
    assert [one.number for one in results] == [*numbers, "210102-E0102-20261124-9999"]
    assert [one.case.state if one.case else type(one.error).__name__ for one in results] == [
        "pending_file", "NotAllowed", "pending_file", "NotFound",
    ]  # fmt: skip


def test_cases_of_others_are_not_worked_here(office: Office) -> None:
    with pytest.raises(NotFound, match="not known at this node"):
        office.step("210103-E0102-20261124-0001", "accept")


def test_after_a_week_away_everything_due_comes_once(office: Office) -> None:
    waiting, working, asked = office.open_case(), office.open_case(), office.open_case()
    office.to(working, "handling")
    office.to(asked, "pending_handle")
    request = office.ask(asked, "return")
    office.clock.advance(7 * DAY)
    assert office.timer.tick() == 4
    assert office.timer.tick() == 0
    overdue = {number: office.desk.case(number).overdue for number in (waiting, working, asked)}
    assert [[clock for clock, _ in told] for told in overdue.values()] == [["accept"], ["department"], ["department"]]
    assert office.desk.case(asked).request(request) == replace(
        office.desk.case(asked).requests[-1], state="expired", id=request
    )
    office.node = reopen(office.node)
    assert Office(office.node.dir, office.node).timer.tick() == 0


def test_a_new_deadline_is_told_anew(office: Office) -> None:
    number = office.open_case()
    office.to(number, "handling")
    office.clock.advance(5 * HOUR)
    assert office.timer.tick() == 1
    office.to(number, "handled")
    office.step(number, "rework")
    office.clock.advance(5 * HOUR)
    assert office.timer.tick() == 1
    assert len(office.desk.case(number).overdue) == 2


def test_what_is_not_due_yet_is_left(office: Office) -> None:
    number = office.open_case()
    office.clock.advance(14 * 60 * 1_000_000)
    assert office.timer.tick() == 0
    office.clock.advance(2 * 60 * 1_000_000)
    assert office.timer.tick() == 1
    assert office.step(number, "accept", OPERATOR).overdue == (
        ("accept", office.desk.case(number).opened_at + HOUR // 4),
    )
    assert office.step(number, "file", LEADER).clock == "dispatch"


def test_splits_at_once_give_no_number_twice(office: Office) -> None:
    numbers = [office.open_case() for _ in range(4)]
    part = [Part("event", "0103")]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda n: split_case(office.desk, n, part, OPERATOR, Said(opinion="two things")), numbers))
    new = [case.opened.day_seq for cases in made for case in cases]
    assert sorted(new) == [5, 6, 7, 8]


def test_what_a_desk_has_at_hand_is_not_the_last_word(office: Office) -> None:
    """Two desks of one node, as HTTP and the CLI have: each sees what the other did."""
    number, other = office.open_case(), CaseDesk(office.node)
    office.desk.step(number, "accept", OPERATOR)
    other.step(number, "ask_again", LEADER, Said(opinion="which street?"))
    assert office.desk.step(number, "accept", OPERATOR).version == 4
    with pytest.raises(NotAllowed, match="cannot go from pending_file to pending_file"):
        other.step(number, "accept", OPERATOR)
