"""Guards: conditions that the step table names. Each answers why not, with what to do; None lets pass. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from wanmi.cases.asking import Ask, Asked
from wanmi.cases.case import Case

if TYPE_CHECKING:
    from wanmi.cases.table import StepTable

Guard = Callable[["StepTable", Case, Asked, int], str | None]


def _own_department(_table: StepTable, case: Case, asked: Asked, _now: int) -> str | None:
    if case.department is not None and asked.unit == case.department:
        return None
    return f"it is dispatched to department {case.department or '(none)'}, not to {asked.unit or '(no unit)'}; ask the dispatcher"


def _has_department(_table: StepTable, case: Case, asked: Asked, _now: int) -> str | None:
    named = isinstance(asked, Ask) and asked.department is not None
    return None if case.department is not None or named else "no department has it; dispatch it first"


def _handled_it(_table: StepTable, case: Case, asked: Asked, _now: int) -> str | None:
    if asked.unit in case.departments:
        return None
    return f"department {asked.unit or '(no unit)'} never had it; only {', '.join(case.departments) or 'a department that had it'} may"


def _own_task(_table: StepTable, case: Case, asked: Asked, _now: int) -> str | None:
    if case.collector in (None, asked.actor):
        return None
    return f"the task was given to {case.collector}, not to {asked.actor}; the operator can send it again"


def _verified(table: StepTable, case: Case, _asked: Asked, _now: int) -> str | None:
    if case.opened.source not in table.verify_sources or case.fields.get("answer_verify.result") == "exists":
        return None
    said = case.fields.get("answer_verify.result", "nothing yet")
    return (
        f"reports from {case.opened.source} are verified first (the collector says: {said}); send_verify, or reject it"
    )


def _before_deadline(_table: StepTable, case: Case, _asked: Asked, now: int) -> str | None:
    if case.deadline is None:
        return "no deadline runs now"
    # A clock that was set back makes nothing early: the case cannot be asked about before it was written last.
    return (
        None if max(now, case.changed_at) <= case.deadline else "the deadline has passed; it must be asked for before"
    )


def _was_overdue(_table: StepTable, case: Case, _asked: Asked, _now: int) -> str | None:
    return None if case.overdue else "it was never overdue; there is nothing to appeal against"


def _city_case(_table: StepTable, case: Case, _asked: Asked, _now: int) -> str | None:
    return None if case.owner.endswith("00") else f"{case.owner} is a district; only the city hands down"


def _district_case(_table: StepTable, case: Case, _asked: Asked, _now: int) -> str | None:
    return f"{case.owner} is the city; only a district's case is taken over" if case.owner.endswith("00") else None


GUARDS: Mapping[str, Guard] = MappingProxyType(
    {
        "own_department": _own_department,
        "has_department": _has_department,
        "handled_it": _handled_it,
        "own_task": _own_task,
        "verified": _verified,
        "before_deadline": _before_deadline,
        "was_overdue": _was_overdue,
        "city_case": _city_case,
        "district_case": _district_case,
    }
)
"""Guards by the name that a table uses."""
