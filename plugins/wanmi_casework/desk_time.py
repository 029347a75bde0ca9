"""The clocks of a case at a desk: deadlines by the node's calendar, and explanations of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wanmi.calendar import WorkCalendar
from wanmi.case_kinds import Limit
from wanmi.cases import Case, Due, Mark, StepTable
from wanmi.clocks import ClockRule, ClockState, clock_state, explain, shipped_rules
from wanmi.clocks import Limit as ClockLimit
from wanmi.clocks import Mark as ClockMark


@dataclass(frozen=True)
class DeskTiming:
    """``wanmi.cases.Timing`` on a calendar."""

    table: StepTable
    calendar: WorkCalendar

    def __call__(self, marks: Sequence[Mark], limit: Limit) -> Due | None:
        """When the clock with these marks runs out, and when 80 % are used; None while it is paused or stopped."""
        if not marks:
            return None
        rule = rule_of(self.table, marks[0].name, limit)
        at, told = marks[-1].at, clock_marks(marks)
        deadline = clock_state(rule, told, self.calendar, at).deadline
        early = clock_state(_shorter(rule), told, self.calendar, at).deadline
        return None if deadline is None or early is None else Due(deadline, early)


def rule_of(table: StepTable, clock: str, limit: Limit | None) -> ClockRule:
    """The rule of a clock by the step table's name of it, with a limit."""
    known = shipped_rules().get(clock)
    words = table.clocks[clock]
    rule = known or ClockRule(clock, words.zh, words.en, words.zh, words.en, None, table.name)
    return rule.with_limit(None if limit is None else ClockLimit.of(limit.value, limit.unit))


def clock_marks(marks: Sequence[Mark]) -> list[ClockMark]:
    """Marks as ``wanmi.clocks`` takes them: a clock that starts once more is restarted."""
    told: list[ClockMark] = []
    for mark in marks:
        again = mark.what == "start" and bool(told)
        told.append(ClockMark("restart" if again else mark.what, mark.at, mark.source))
    return told


def states_of(table: StepTable, case: Case, calendar: WorkCalendar, as_of: int) -> list[ClockState]:
    """Every clock of the case that ever ran, as of an instant, in the order of the step table."""
    states = []
    for clock in table.clocks:
        marks = case.clock_marks(clock)
        if marks:
            limit = case.limits.get(clock) or table.clocks[clock].limit
            states.append(clock_state(rule_of(table, clock, limit), clock_marks(marks), calendar, as_of))
    return states


def lines_of(state: ClockState) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The explanation of a clock in Chinese and in English."""
    return explain(state, "zh"), explain(state, "en")


def _shorter(rule: ClockRule) -> ClockRule:
    if rule.limit is None:
        return rule
    return rule.with_limit(replace(rule.limit, seconds=rule.limit.seconds * rule.yellow_after // 100))
