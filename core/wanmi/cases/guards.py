"""Guards: conditions that the step table names. Each answers why not, with what to do; None lets pass. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from wanmi.cases.asking import Ask, Asked, OrderSeen
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


def _was_overdue(table: StepTable, case: Case, asked: Asked, _now: int) -> str | None:
    """Whether the department's own clock ran past a deadline: as scores derive it, told by the timer or not."""
    clocks = table.department_clocks()
    if any(late.clock in clocks and late.department == asked.unit for late in case.late):
        return None
    return f"department {asked.unit or '(no unit)'} was never overdue with it; there is nothing to appeal against"


def _city_case(_table: StepTable, case: Case, asked: Asked, _now: int) -> str | None:
    return None if asked.known.tier == "city" else f"{case.owner} is no city; only a city hands down"


def _district_case(_table: StepTable, case: Case, asked: Asked, _now: int) -> str | None:
    return (
        None if asked.known.tier == "district" else f"{case.owner} is no district; only a district's case is taken over"
    )


def _ordered_down(_table: StepTable, case: Case, asked: Asked, _now: int) -> str | None:
    order, told = _order(asked)
    if order is None:
        return told or None
    if order.kind != "hand_down" or order.case != case.number or order.district != asked.fields.get("district"):
        return f"{told} does not hand this case down to {asked.fields.get('district')}; give the order, the step comes with it"
    return None if order.waiting else f"{told} has ended; give another one"


def _district_answered(_table: StepTable, case: Case, asked: Asked, _now: int) -> str | None:
    order, told = _order(asked)
    if order is None:
        return told or None
    if order.kind != "hand_down" or order.case != case.number:
        return f"{told} did not hand this case down"
    return (
        None if order.answered else f"{order.district} has not answered {told} yet; wait, press, or take the case back"
    )


def _ordered_up(_table: StepTable, case: Case, asked: Asked, _now: int) -> str | None:
    order, told = _order(asked)
    if order is None:
        return told or None
    if order.kind != "take_over" or order.district_case != case.number or order.district != case.owner:
        return f"{told} does not take this case over"
    return None if order.waiting else f"{told} was answered or has ended"


def _order(asked: Asked) -> tuple[OrderSeen | None, str]:
    """The order that proves the step, None where the node holds none; with words for it.

    No words where none is named: that is a missing field, and the step is refused for it.
    """
    named, order = str(asked.fields.get("order") or "")[:60], asked.known.order
    if not named:
        return None, ""
    if order is None or order.id != named:
        return None, f"no order {named} of the city is known here; GET /api/v1/orders lists those that are"
    return order, f"order {order.id} ({order.kind})"


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
        "ordered_down": _ordered_down,
        "district_answered": _district_answered,
        "ordered_up": _ordered_up,
    }
)
"""Guards by the name that a table uses."""
PROVEN = frozenset({"ordered_down", "district_answered", "ordered_up"})
"""Guards that look an order up: a step that names one needs one of them."""
