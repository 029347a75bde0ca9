"""Limits that people give, and clocks that go on although a case was dispatched once more. Pure.

What bounds a limit is data of the step table: ``[clocks.…]`` says ``most`` and ``most_percent``, a step says
``same_department``.
"""

from __future__ import annotations

from wanmi.calendar import limit_seconds, unit_named
from wanmi.case_kinds import Limit
from wanmi.cases.asking import Ask
from wanmi.cases.case import Case
from wanmi.cases.table import Step, StepTable
from wanmi.errors import BadInput, NotAllowed

LONGEST_S = 3660 * 86_400
"""Ten years: no clock of a case runs longer, whatever a table allows."""
_WORK_DAY_SHARE = 3
"""A work day counts eight of a day's 24 hours: to compare limits of either kind of clock, roughly."""


def length_s(limit: Limit) -> int:
    """How long a limit lasts by the wall, in seconds, weekends and holidays left aside; BadInput for an unknown unit."""
    seconds = limit_seconds(str(limit.value), limit.unit)
    return seconds * _WORK_DAY_SHARE if unit_named(limit.unit).clock == "working" else seconds


def going_on(table: StepTable, case: Case, step: Step, ask: Ask) -> str | None:
    """The clock that goes on instead of starting anew, None for none.

    Where the table says so, a department that is dispatched what it has already, or what it gave back unanswered,
    keeps the time that it has used.
    """
    clock = step.starts
    if step.same_department != "goes_on" or clock is None or ask.department != case.last_department:
        return None
    marks = case.clock_marks(clock)
    if ask.department is None or not marks:
        return None
    if case.clock == clock:
        return clock
    took = {name for name, rule in table.requests.items() if "department" in rule.clears}
    return clock if marks[-1].what == "stop" and marks[-1].source in took else None


def refuse_limit(table: StepTable, case: Case, step: Step, ask: Ask) -> None:
    """BadInput or NotAllowed for a limit that is too long, or another than the category's without a reason."""
    if ask.limit is None or step.starts is None:
        return
    clock = going_on(table, case, step, ask)
    if clock is not None:
        _refuse_changed(case, case.limits.get(clock), ask, clock)
        return
    _refuse_long(table, case, step.starts, ask.limit)
    _refuse_unusual(table, case, step.starts, ask, ask.limit)


def _refuse_changed(case: Case, limit: Limit | None, ask: Ask, clock: str) -> None:
    if limit is not None and ask.limit != limit:
        raise BadInput(
            f"case {case.number}: {ask.department} has had it, so its clock {clock} goes on with its limit "
            f"{_text(limit)}; leave the limit out, more time is asked for as an extension"
        )


def _refuse_long(table: StepTable, case: Case, clock: str, limit: Limit) -> None:
    most = table.clocks[clock].most
    if limit.value < 1:
        raise BadInput(f"case {case.number}: limit {_text(limit)}: at least 1")
    if most is not None and length_s(limit) > length_s(most):
        raise BadInput(f"case {case.number}: limit {_text(limit)}: clock {clock} runs at most {_text(most)}")
    if length_s(limit) > LONGEST_S:
        raise BadInput(f"case {case.number}: limit {_text(limit)}: no clock runs longer than ten years")


def _refuse_unusual(table: StepTable, case: Case, clock: str, ask: Ask, limit: Limit) -> None:
    usual, percent = ask.known.usual, table.clocks[clock].most_percent
    if usual is None or limit == usual or length_s(limit) == length_s(usual):
        return
    if not (ask.reason or "").strip():
        raise BadInput(
            f"case {case.number}: its category's limit is {_text(usual)}; {_text(limit)} instead needs a reason"
        )
    if percent and length_s(limit) * 100 > length_s(usual) * percent:
        raise NotAllowed(
            f"case {case.number}: limit {_text(limit)} is more than {percent} % of its category's {_text(usual)}; "
            "give less, the department can ask for an extension"
        )


def _text(limit: Limit) -> str:
    return f"{limit.value} {limit.unit}"
