"""Clocks of a case (时限): marks, a limit and a calendar in, a frozen state out. Pure: as of any instant, in any order.

rule = ClockRule("department", "处置", "handling", "从派遣到反馈", "from dispatch to the answer", Limit.of(2, "work_day"), "the city")
marks = [Mark("start", dispatched_at, "210102:17"), Mark("pause", suspended_at, "210102:19", until=end)]
state = clock_state(rule, marks, calendar, as_of)
state.deadline, state.light, state.late
explain(state, "zh")                     # 开始计时 …, 暂停 …, 不计时 …, 到期 …
"""

from wanmi.clocks.explain import duration_text, explain, local_text
from wanmi.clocks.marks import Extension, Interval, Mark, MarkKind, Phase
from wanmi.clocks.rules import ClockRule, Limit
from wanmi.clocks.state import ClockState, Light, clock_state

__all__ = [
    "ClockRule",
    "ClockState",
    "Extension",
    "Interval",
    "Light",
    "Limit",
    "Mark",
    "MarkKind",
    "Phase",
    "clock_state",
    "duration_text",
    "explain",
    "local_text",
]
