"""A clock as of an instant: from marks, a limit and a calendar, nothing else. The same question has one answer for ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from wanmi.calendar import ClockKind, MissingYear, WorkCalendar
from wanmi.clock import SECOND
from wanmi.clocks.marks import Extension, Interval, Mark, Phase, Tape, play
from wanmi.clocks.rules import ClockRule

__all__ = ["ClockState", "Light", "clock_state"]

Light = Literal["green", "yellow", "red"]


@dataclass(frozen=True)
class ClockState:
    """Where a clock stands at `as_of`. Times µs UTC; seconds are whole seconds of the clock's own time.

    `elapsed_s` counts the present round, rounded down; `limit_s` has the granted extensions in it, None without a limit.
    `deadline` is the first instant at which the limit is used up: None without a limit, before the start, or while the
    clock is paused with no end known. `late`: the clock ran past its deadline; whoever stops it in that instant is in time.
    `overdue_s` is what it ran past the limit, rounded up; late at night a work clock can be late by 0.
    """

    rule: ClockRule
    as_of: int
    phase: Phase
    elapsed_s: int
    limit_s: int | None
    deadline: int | None
    late: bool
    light: Light
    overdue_s: int
    round: int
    intervals: tuple[Interval, ...]
    extensions: tuple[Extension, ...]
    warnings: tuple[MissingYear, ...]
    calendar: WorkCalendar = field(repr=False, compare=False)

    @property
    def running(self) -> bool:
        """Whether its time is passing now."""
        return self.phase == "running"

    @property
    def kind(self) -> ClockKind:
        """Whether nights and holidays count."""
        return _kind(self.rule)

    @property
    def remaining_s(self) -> int | None:
        """Seconds left of the limit, never negative; None without a limit."""
        return None if self.limit_s is None else max(0, self.limit_s - self.elapsed_s)

    @property
    def used_percent(self) -> int | None:
        """Whole percent of the limit that is used, may pass 100; None without a limit."""
        return None if self.limit_s is None else self.elapsed_s * 100 // self.limit_s


def clock_state(rule: ClockRule, marks: Sequence[Mark], calendar: WorkCalendar, as_of: int) -> ClockState:
    """The clock as of an instant; later marks have not happened yet. BadInput for marks that contradict each other."""
    tape = play(marks, as_of)
    ran = [one for one in tape.intervals if one.kind == "running" and one.round == tape.round]
    spans = [calendar.measure_us(one.start, _end(one, as_of), _kind(rule)) for one in ran]
    elapsed, limit = sum(spans), _limit_us(rule, tape)
    deadline = None if limit is None else _deadline(rule, tape, ran, spans, limit, calendar, as_of)
    late = deadline is not None and bool(ran) and _end(ran[-1], as_of) > deadline
    return ClockState(
        rule=rule,
        as_of=as_of,
        phase=tape.phase,
        elapsed_s=elapsed // SECOND,
        limit_s=None if limit is None else limit // SECOND,
        deadline=deadline,
        late=late,
        light=_light(rule, elapsed, limit, late=late),
        overdue_s=0 if limit is None else -((limit - max(elapsed, limit)) // SECOND),
        round=tape.round,
        intervals=tuple(tape.intervals),
        extensions=_extensions(tape),
        warnings=_warnings(rule, tape, deadline, calendar, as_of),
        calendar=calendar,
    )


def _kind(rule: ClockRule) -> ClockKind:
    return "running" if rule.limit is None else rule.limit.clock


def _end(interval: Interval, as_of: int) -> int:
    return as_of if interval.end is None else interval.end


def _limit_us(rule: ClockRule, tape: Tape) -> int | None:
    if rule.limit is None:
        return None
    original = rule.limit.seconds
    return (original + sum(original if e.seconds is None else e.seconds for e in _extensions(tape))) * SECOND


def _extensions(tape: Tape) -> tuple[Extension, ...]:
    """Those of the present round."""
    return tuple(one for one in tape.extensions if one.round == tape.round)


def _deadline(
    rule: ClockRule,
    tape: Tape,
    ran: Sequence[Interval],
    spans: Sequence[int],
    limit: int,
    calendar: WorkCalendar,
    as_of: int,
) -> int | None:
    """When the limit is used up: inside a stretch that ran, else after the last one if nothing stops it."""
    left = limit
    for interval, span in zip(ran, spans, strict=True):
        if span >= left:
            return calendar.add_us(interval.start, left, _kind(rule))
        left -= span
    if not ran:
        return None
    if tape.phase == "paused":
        until = tape.intervals[-1].until
        return None if until is None else calendar.add_us(max(until, as_of), left, _kind(rule))
    return calendar.add_us(ran[-1].start, left + spans[-1], _kind(rule))


def _light(rule: ClockRule, elapsed: int, limit: int | None, *, late: bool) -> Light:
    if late:
        return "red"
    return "green" if limit is None or elapsed * 100 <= limit * rule.yellow_after else "yellow"


def _warnings(
    rule: ClockRule, tape: Tape, deadline: int | None, calendar: WorkCalendar, as_of: int
) -> tuple[MissingYear, ...]:
    if _kind(rule) == "running" or not tape.intervals:
        return ()
    last = _end(tape.intervals[-1], as_of)
    return calendar.warnings(tape.intervals[0].start, last if deadline is None else max(last, deadline))
