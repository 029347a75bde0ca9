"""Alarms as data and a pure machine: hysteresis, delay, latching. What came in, what was told, nothing else.

A rule watches one reading of one device. ``step`` brings a rule's state forward and says what happened; who runs it
writes that down as entries. Acknowledging and silencing are people's entries: they do not change whether it is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from wanmi.devices.readings import Reading

Severity = Literal["notice", "warning", "critical"]
Change = Literal["raised", "cleared"]
SECOND = 1_000_000


@dataclass(frozen=True)
class AlarmRule:
    """When a reading is wrong.

    One of ``above``, ``below`` (a measure) or ``is_one_of`` (a word, or any of several words with blanks between).
    ``back`` is how far beyond the bound a measure has to come before the alarm ends (hysteresis). It must be wrong for ``after`` seconds before it is raised and right for
    ``clear_after`` before it is cleared. ``latching``: stays until somebody acknowledges it, even if it is over.
    """

    name: str
    reading: str
    severity: Severity
    zh: str
    en: str
    above: float | None = None
    below: float | None = None
    is_one_of: tuple[str, ...] = ()
    back: float = 0.0
    after: float = 0.0
    clear_after: float = 0.0
    latching: bool = False

    def is_wrong(self, value: float | str, raised: bool) -> bool:
        """Whether ``value`` is wrong; while ``raised`` it has to come ``back`` far enough to be right again."""
        if isinstance(value, str):
            return any(word in self.is_one_of for word in value.split())
        back = self.back if raised else 0.0
        over = self.above is not None and value > self.above - back
        under = self.below is not None and value < self.below + back
        return over or under


@dataclass(frozen=True)
class AlarmState:
    """How one rule of one device stands; times µs. ``turning`` is since when the reading says otherwise than ``raised``.

    ``over`` is a latched alarm that is right again and waits to be acknowledged.
    """

    raised: bool = False
    turning: int | None = None
    over: bool = False
    acknowledged: bool = False


CALM = AlarmState()


def step(rule: AlarmRule, state: AlarmState, reading: Reading | None, now: int) -> tuple[AlarmState, Change | None]:
    """The state after ``reading`` (None: nothing was read) at ``now``, and what it changed.

    What is unknown or implausible changes nothing: silence is the device's health, never a clear and never an alarm.
    """
    if reading is None or reading.quality != "good" or reading.value is None:
        return replace(state, turning=None), None
    wrong = rule.is_wrong(reading.value, state.raised and not state.over)
    standing = state.raised and not state.over
    if wrong == standing:
        return replace(state, turning=None), None
    since = now if state.turning is None else min(state.turning, now)
    if now - since < (rule.after if wrong else rule.clear_after) * SECOND:
        return replace(state, turning=since), None
    return _turned(rule, state, wrong)


def _turned(rule: AlarmRule, state: AlarmState, wrong: bool) -> tuple[AlarmState, Change | None]:
    if wrong:
        return AlarmState(raised=True), "raised" if not state.raised else None
    if rule.latching and not state.acknowledged:
        return replace(state, over=True, turning=None), None
    return CALM, "cleared"


def acknowledge(state: AlarmState) -> tuple[AlarmState, Change | None]:
    """Somebody has seen it: a latched alarm that is over is cleared by this."""
    if not state.raised:
        return state, None
    if state.over:
        return CALM, "cleared"
    return replace(state, acknowledged=True), None
