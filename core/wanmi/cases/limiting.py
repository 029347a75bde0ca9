"""Limits that people give, and clocks that go on although a case was dispatched once more. Pure.

What bounds a limit is data of the step table: ``[clocks.…]`` says ``most`` and ``most_percent``, a step says
``same_department`` and ``earlier_department``.
"""

from __future__ import annotations

from wanmi.calendar import limit_seconds, unit_named
from wanmi.case_kinds import Limit
from wanmi.cases.asking import Ask
from wanmi.cases.case import Case, Round, rounds_of
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


def going_on(table: StepTable, case: Case, step: Step, ask: Ask) -> Round | None:
    """The round of the step's clock that goes on instead of a new one, None for none.

    Where the table says so, a department that is dispatched what it has already, or what it gave up unanswered, keeps
    the time that it has used, and only that; however many had the case in between.
    """
    if step.starts is None or ask.department is None:
        return None
    earlier = ask.department != case.last_department
    if (step.earlier_department if earlier else step.same_department) != "goes_on":
        return None
    mine = _unanswered(table, case, step.starts, ask.department)
    return None if mine is None or (earlier and _limited_anew(mine, ask)) else mine


def _unanswered(table: StepTable, case: Case, clock: str, department: str) -> Round | None:
    """The department's last round, where nothing but returns and dispatches ended it and those that came after it."""
    moving = {name for name, step in table.steps.items() if step.starts == clock}
    moving |= {name for name, rule in table.requests.items() if "department" in rule.clears}
    for one in reversed(rounds_of(case.clock_marks(clock))):
        if one.marks[-1].what == "stop" and one.marks[-1].source not in moving:
            return None
        if one.department == department:
            return one
    return None


def _limited_anew(mine: Round, ask: Ask) -> bool:
    return ask.limit is not None and ask.limit != mine.limit and bool((ask.reason or "").strip())


def refuse_limit(table: StepTable, case: Case, step: Step, ask: Ask) -> None:
    """BadInput or NotAllowed for a limit that is too long, or another than the category's without a reason."""
    if ask.limit is None or step.starts is None:
        return
    mine = going_on(table, case, step, ask)
    if mine is not None:
        _refuse_changed(case, mine.limit, ask, step.starts)
        return
    _refuse_long(table, case, step.starts, ask.limit)
    _refuse_unusual(table, case, step.starts, ask, ask.limit)


def _refuse_changed(case: Case, limit: Limit | None, ask: Ask, clock: str) -> None:
    if limit is None or ask.limit == limit:
        return
    same = ask.department == case.last_department
    raise BadInput(
        f"case {case.number}: {ask.department} has had it, so its clock {clock} goes on with its limit {_text(limit)}; "
        f"leave the limit out, {'more time is asked for as an extension' if same else 'or say the reason of a new one'}"
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
