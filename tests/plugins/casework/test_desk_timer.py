"""What keeps the timer from telling: nothing that another case or another city's limits are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from core.cases.worked import opened
from plugins.casework.office import DAY, HOUR, Office
from wanmi.case_kinds import Limit
from wanmi.cases import StepTable
from wanmi.profiles import ProfileStore
from wanmi.registry import Draft
from wanmi_casework import desk_timer

MINUTE = HOUR // 60


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setattr(desk_timer, "BATCH", 2)
    made = Office(tmp_path)
    yield made
    made.node.close()


def undecidable(office: Office, first: int, count: int) -> None:
    """Cases of a profile that is not held here."""
    for n in range(first, first + count):
        number = f"{office.node.code}-E0102-20261124-{n:04d}"
        body = opened(number, profile="elsewhere@0123456789abcdef")
        office.node.journal.append(Draft("case.opened", f"case:{number}", body, expect=0)).result()


def accept_within(minutes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step table of a city whose cases are accepted in that time."""
    table = StepTable.load()
    rule = msgspec.structs.replace(table.clocks["accept"], limit=Limit(minutes, "natural_minute"))
    own = msgspec.structs.replace(table, clocks={**table.clocks, "accept": rule})
    monkeypatch.setattr(ProfileStore, "steps", lambda _self, _profile: own)


def test_a_shorter_limit_is_told_in_time(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    accept_within(5, monkeypatch)
    number = office.open_case()
    office.clock.advance(4 * MINUTE)
    assert office.timer.tick() == 0
    office.clock.advance(2 * MINUTE)
    assert office.timer.tick() == 1
    assert office.desk.case(number).overdue == (("accept", office.desk.case(number).opened_at + 5 * MINUTE),)
    assert office.timer.tick() == 0


def test_many_that_are_not_due_yet_starve_none(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    accept_within(60, monkeypatch)
    due = [office.open_case() for _ in range(5)]
    office.clock.advance(30 * MINUTE)
    rest = [office.open_case() for _ in range(5)]
    office.clock.advance(31 * MINUTE)
    assert office.timer.tick() == 5
    assert [bool(office.desk.case(number).overdue) for number in (*due, *rest)] == [True] * 5 + [False] * 5


def test_cases_that_cannot_be_decided_on_starve_none(office: Office) -> None:
    undecidable(office, 1, 5)
    number = office.open_case()
    office.clock.advance(DAY)
    assert office.timer.tick() == 1
    assert office.desk.case(number).overdue
    assert office.timer.tick() == 0


def test_cases_that_cannot_be_resumed_starve_none(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [office.open_case() for _ in range(6)]
    until = office.clock.now() + DAY
    for number in numbers:
        office.to(number, "handling")
        office.review(number, office.ask(number, "suspension", until=until), True)
    decide, broken = office.timer._resume, set(numbers[:4])

    monkeypatch.setattr(office.timer, "_resume", lambda case: None if case.number in broken else decide(case))
    office.clock.advance(DAY)
    assert office.timer.tick() == 2
    assert [office.desk.case(number).state for number in numbers[3:]] == ["suspended", "handling", "handling"]
