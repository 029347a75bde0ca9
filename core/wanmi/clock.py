"""Time as an argument: whoever needs the time is given a clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

SECOND = 1_000_000
"""Microseconds in a second: all times in Wanmi are integer microseconds UTC."""


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> int:
        """Microseconds since 1970-01-01 UTC; may step."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Microseconds UTC from the machine's clock."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds of the machine's monotonic clock."""
        return time.monotonic()


class ManualClock:
    """A clock that stands still until it is moved: for tests and the simulator."""

    def __init__(self, start: int = 1_790_000_000 * SECOND) -> None:
        self._now = start
        self._monotonic = 0.0

    def now(self) -> int:
        """The microseconds UTC that were set."""
        return self._now

    def monotonic(self) -> float:
        """Seconds moved forward so far."""
        return self._monotonic

    def advance(self, us: int) -> None:
        """Let ``us`` microseconds pass."""
        self._now += us
        self._monotonic += us / SECOND

    def step(self, us: int) -> None:
        """Set the wall clock forward or back without time passing (a clock step)."""
        self._now += us


def iso(at: int) -> str:
    """``at`` (µs UTC) as ISO 8601 with microseconds and Z."""
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{at % SECOND:06d}Z"
