"""The clocks of a case as of an instant, from its marks, its step table and a calendar; with their explanations. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wanmi.calendar import WorkCalendar
from wanmi.case_kinds import Limit
from wanmi.cases import Case, Mark, StepTable, round_numbers
from wanmi.clocks import ClockRule, ClockState, clock_state, explain
from wanmi.clocks import Limit as ClockLimit
from wanmi.clocks import Mark as ClockMark


def rule_of(table: StepTable, clock: str, limit: Limit | None) -> ClockRule:
    """The rule of a clock as the step table tells it, with a limit."""
    of, (zh, en) = table.clocks[clock], table.clock_told(clock)
    own = None if limit is None else ClockLimit.of(limit.value, limit.unit)
    return ClockRule(clock, of.zh, of.en, zh, en, own, of.source or table.name, of.yellow_after)


def clock_marks(marks: Sequence[Mark], word: Callable[[str], str] = str) -> list[ClockMark]:
    """Marks of one clock as ``wanmi.clocks`` takes them: one that starts once more is restarted, one that goes on for a
    department that had the case before does so in its round. ``word`` names sources.
    """
    told: list[ClockMark] = []
    numbers = round_numbers(marks)
    for mark, number, before in zip(marks, numbers, (0, *numbers), strict=False):
        again = mark.what == "start" and bool(told)
        back = number if mark.what == "resume" and number != before else None
        told.append(ClockMark("restart" if again else mark.what, mark.at, word(mark.source), round=back))
    return told


def states_of(
    table: StepTable, case: Case, calendar: WorkCalendar, as_of: int, word: Callable[[str], str] = str
) -> list[ClockState]:
    """Every clock of the case that ever ran, as of an instant, in the order of the step table."""
    states = []
    for clock in table.clocks:
        marks = case.clock_marks(clock)
        if marks:
            limit = case.limits.get(clock) or table.clocks[clock].limit
            states.append(clock_state(rule_of(table, clock, limit), clock_marks(marks, word), calendar, as_of))
    return states


def lines_of(state: ClockState) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The explanation of a clock in Chinese and in English."""
    return explain(state, "zh"), explain(state, "en")
