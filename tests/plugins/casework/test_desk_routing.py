"""Dispatch without a department: routing suggests one and the step says by which rule; a contested case waits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from plugins.casework.office import DISPATCHER, LEADER, Office
from wanmi.case_kinds import Limit
from wanmi.cases import Case
from wanmi.errors import BadInput, Conflict, NotAllowed
from wanmi.node import run_action
from wanmi.testing import replay_differences
from wanmi_casework.desk import Said
from wanmi_casework.routing import arbitrate, queue

DEPARTMENTS = "code,name,kind,tier,begins\nD1,环卫,centre,district,2026-01-01\nD2,执法,bureau,district,2026-01-01\n"
RULES = "id,categories,department,limit,unit,begins\nR1,event:0102,D1,4,work_hour,2026-01-01\n"
CONTEST = RULES + "R2,event:0102,D2,,,2026-01-01\n"


@pytest.fixture
def office(tmp_path: Path) -> Any:
    office = Office(tmp_path)
    yield office
    assert replay_differences(office.node) == []
    office.node.close()


def take(office: Office, dir: Path, *texts: str) -> None:
    """Import routing data."""
    paths = [dir / f"{n}.csv" for n, _ in enumerate(texts)]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    *_, last = run_action(office.node, "route.import", {"files": [str(path) for path in paths]})
    assert isinstance(last, dict)
    assert last["refused"] == []


def waiting(office: Office) -> str:
    number = office.open_case()
    office.to(number, "pending_dispatch")
    return number


def dispatch(office: Office, number: str, **given: Any) -> Case:
    return office.desk.step(number, "dispatch", DISPATCHER, Said(opinion="派遣"), **given)


def body(office: Office, number: str) -> dict[str, Any]:
    entry = office.node.journal.subject(f"case:{number}")[-1].entry
    assert entry is not None
    return entry.body


def test_the_suggestion_is_taken_and_its_reason_kept(office: Office, tmp_path: Path) -> None:
    take(office, tmp_path, DEPARTMENTS, RULES)
    number = waiting(office)
    case = dispatch(office, number)
    assert (case.department, case.limit, case.clock) == ("D1", Limit(4, "work_hour"), "department")
    assert case.deadline is not None
    said = body(office, number)
    assert said["deadline"] == case.deadline
    assert (said["fields"]["rule"], said["fields"]["limit_rule"]) == ("R1", "R1")
    assert said["fields"]["routing"].startswith(f"{office.node.code}:")


def test_whoever_names_a_department_gets_it_with_the_limit_suggested(office: Office, tmp_path: Path) -> None:
    take(office, tmp_path, DEPARTMENTS, RULES)
    number = waiting(office)
    case = dispatch(office, number, department="D2")
    assert (case.department, case.limit) == ("D2", Limit(4, "work_hour"))
    fields = body(office, number)["fields"]
    assert "rule" not in fields
    assert fields["limit_rule"] == "R1"


def test_without_a_rule_the_department_must_be_named(office: Office) -> None:
    with pytest.raises(BadInput, match="department"):
        dispatch(office, waiting(office))


def test_a_contested_case_leads_to_the_queue_and_is_dispatched_as_decided(office: Office, tmp_path: Path) -> None:
    number = waiting(office)
    take(office, tmp_path, DEPARTMENTS, CONTEST)
    for _ in range(2):
        with pytest.raises(Conflict, match=f"R1 says D1, rule R2 says D2.*POST /api/v1/arbitration/{number}"):
            dispatch(office, number)
    assert [one.case for one in queue(office.node)] == [number]
    decided = arbitrate(office.node, number, "D2", "属地", "c-1")
    assert dispatch(office, number).department == "D2"
    assert body(office, number)["fields"]["arbitrated"] == decided.entry
    assert queue(office.node) == []


def test_whoever_may_not_dispatch_puts_nothing_into_the_queue(office: Office, tmp_path: Path) -> None:
    number = waiting(office)
    take(office, tmp_path, DEPARTMENTS, CONTEST)
    with pytest.raises((NotAllowed, BadInput)):
        office.desk.step(number, "dispatch", LEADER, Said(opinion="x"))
    assert queue(office.node) == []
