"""What moves a clock, and the intervals that it comes to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from wanmi.errors import BadInput

__all__ = ["Extension", "Interval", "Mark", "MarkKind", "Phase", "Tape", "play"]

MarkKind = Literal["start", "stop", "pause", "resume", "extend", "restart"]
Phase = Literal["idle", "running", "paused", "stopped"]


@dataclass(frozen=True)
class Mark:
    """One thing that happened to a clock at `at` (µs UTC, the effective time), by the entry `source` (`ORIGIN:SEQ`).

    `until`: the end that a pause was given, if it was. `seconds`: what an extension adds; None is one original limit.
    `round`: the earlier round that a resume goes on with; None is the present one.
    """

    kind: MarkKind
    at: int
    source: str
    until: int | None = None
    seconds: int | None = None
    round: int | None = None


@dataclass(frozen=True)
class Interval:
    """A stretch in which the clock ran or was paused; `end` None while it lasts. `round` counts restarts from 1.

    `source` and `end_source` are the entries that began and ended it; `until` the end that a pause was given.
    """

    kind: Literal["running", "paused"]
    round: int
    start: int
    end: int | None
    source: str
    end_source: str | None = None
    until: int | None = None


@dataclass(frozen=True)
class Extension:
    """An extension of a round; `seconds` None is one original limit."""

    at: int
    seconds: int | None
    source: str
    round: int = 1


@dataclass
class Tape:
    """Where the marks have led; only `play` changes it."""

    phase: Phase = "idle"
    round: int = 1
    rounds: int = 1
    intervals: list[Interval] = field(default_factory=list)
    extensions: list[Extension] = field(default_factory=list)

    def _end(self, mark: Mark) -> None:
        if self.phase in ("running", "paused"):
            one = self.intervals[-1]
            self.intervals[-1] = Interval(one.kind, one.round, one.start, mark.at, one.source, mark.source, one.until)

    def _begin(self, kind: Literal["running", "paused"], mark: Mark) -> None:
        self._end(mark)
        self.intervals.append(Interval(kind, self.round, mark.at, None, mark.source, until=mark.until))
        self.phase = kind

    def _turn_back(self, mark: Mark) -> None:
        if mark.round is not None and not 0 < mark.round <= self.rounds:
            raise BadInput(
                f"clock mark {mark.kind} of entry {mark.source}: round {mark.round} of {self.rounds} that began"
            )
        self.round = mark.round or self.round

    def take(self, mark: Mark) -> None:
        """The tape after `mark`; BadInput if the clock does not stand so that this can happen."""
        if self.phase not in _FROM[mark.kind]:
            raise BadInput(
                f"clock mark {mark.kind} at {mark.at} of entry {mark.source}: the clock is {self.phase};"
                f" it must be {' or '.join(_FROM[mark.kind])}"
            )
        if mark.kind == "extend":
            self.extensions.append(Extension(mark.at, mark.seconds, mark.source, self.round))
        elif mark.kind == "stop":
            self._end(mark)
            self.phase = "stopped"
        elif mark.kind == "restart":
            self._end(mark)
            self.rounds += 1
            self.phase, self.round = "stopped", self.rounds
            self._begin("running", mark)
        else:
            self._turn_back(mark)
            self._begin("paused" if mark.kind == "pause" else "running", mark)


_FROM: dict[MarkKind, tuple[Phase, ...]] = {
    "start": ("idle",),
    "pause": ("running",),
    "resume": ("paused", "stopped"),
    "extend": ("running", "paused"),
    "stop": ("running", "paused"),
    "restart": ("running", "paused", "stopped"),
}


def play(marks: Iterable[Mark], as_of: int) -> Tape:
    """The tape of the marks up to `as_of`, by effective time; marks of one instant stay in the order given."""
    tape = Tape()
    for mark in sorted((one for one in marks if one.at <= as_of), key=lambda one: one.at):
        _check(mark)
        tape.take(mark)
    return tape


def _check(mark: Mark) -> None:
    if mark.seconds is not None and (mark.kind != "extend" or mark.seconds <= 0):
        raise BadInput(f"clock mark {mark.kind} of entry {mark.source}: only an extension adds seconds, and some")
    if mark.until is not None and (mark.kind != "pause" or mark.until < mark.at):
        raise BadInput(f"clock mark {mark.kind} of entry {mark.source}: only a pause has an end, and not before itself")
    if mark.round is not None and mark.kind != "resume":
        raise BadInput(f"clock mark {mark.kind} of entry {mark.source}: only a resume goes on with an earlier round")
