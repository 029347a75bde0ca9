"""Clock steps are entries: the wall clock against the monotonic one, looked at every second."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from wanmi.clock import SECOND, Clock
from wanmi.kinds import ClockStepped
from wanmi.registry import Draft

if TYPE_CHECKING:
    from wanmi.registry import NodeContext

BOUND = SECOND
"""A move of the wall clock against the monotonic one beyond this (µs) is a step; slewing stays below."""
INTERVAL = 1.0


class ClockWatch:
    """Remembers how wall and monotonic clock stood to each other."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = self._now()

    def look(self) -> int:
        """The step since the last look in µs, 0 when there was none; slow drift is followed silently."""
        offset = self._now()
        moved = offset - self._offset
        self._offset = offset
        return moved if abs(moved) > BOUND else 0

    def _now(self) -> int:
        return self._clock.now() - round(self._clock.monotonic() * SECOND)


async def watch_clock(node: NodeContext) -> None:
    """The supervised task: journals ``clock.stepped`` for each step. ``source`` none: what moved it is not known."""
    watch = ClockWatch(node.clock)
    while True:
        await asyncio.sleep(INTERVAL)
        await note_step(node, watch)


async def note_step(node: NodeContext, watch: ClockWatch) -> int:
    """Look once; journal a step if there was one. Returns it (µs)."""
    step = watch.look()
    if step:
        await node.journal.append_async(
            Draft("clock.stepped", f"clock:{node.code}", ClockStepped(step=step, source="none"))
        )
    return step
