"""The clocks of a case at a desk: deadlines by the node's calendar, and explanations of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wanmi.calendar import WorkCalendar
from wanmi.case_kinds import Limit
from wanmi.cases import Due, Mark, StepTable
from wanmi.clocks import ClockRule, clock_state
from wanmi.query.case_clocks import clock_marks, lines_of, rule_of, states_of

__all__ = ["DeskTiming", "clock_marks", "lines_of", "rule_of", "states_of"]


@dataclass(frozen=True)
class DeskTiming:
    """``wanmi.cases.Timing`` on a calendar."""

    table: StepTable
    calendar: WorkCalendar

    def __call__(self, marks: Sequence[Mark], limit: Limit) -> Due | None:
        """When the clock with these marks runs out, and when its light turns yellow; None while it is paused or stopped."""
        if not marks:
            return None
        rule = rule_of(self.table, marks[0].name, limit)
        at, told = marks[-1].at, clock_marks(marks)
        deadline = clock_state(rule, told, self.calendar, at).deadline
        early = clock_state(_shorter(rule), told, self.calendar, at).deadline
        return None if deadline is None or early is None else Due(deadline, early)


def _shorter(rule: ClockRule) -> ClockRule:
    if rule.limit is None:
        return rule
    return rule.with_limit(replace(rule.limit, seconds=rule.limit.seconds * rule.yellow_after // 100))
