"""Clock steps are entries: the wall clock against the monotonic one, looked at every second."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from wanmi.clock import SECOND, Clock
from wanmi.device_kinds import clock_subject
from wanmi.errors import WanmiError
from wanmi.journal.vehicle_rows import ClockOffsetRow
from wanmi.kinds import ClockStepped
from wanmi.models import table
from wanmi.registry import Draft

if TYPE_CHECKING:
    from wanmi.registry import NodeContext

_log = structlog.get_logger("wanmi.clock")
BOUND = SECOND
"""A move of the wall clock against the monotonic one beyond this (µs) is a step; slewing stays below."""
INTERVAL = 1.0
SYNCHRONISED = (Path("/run/systemd/timesync/synchronized"), Path("/run/chrony/chronyd.pid"))
"""What systemd-timesyncd leaves once it has set the clock, and a chronyd that runs."""


class ClockWatch:
    """Remembers how wall and monotonic clock stood to each other."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = self._now()

    def look(self) -> int:
        """The step in µs since what was followed last, 0 when there was none; slow drift is followed silently.

        A step is told again at each look until ``follow``: one that could not be journaled is not forgotten.
        """
        moved = self._now() - self._offset
        if abs(moved) > BOUND:
            return moved
        self._offset += moved
        return 0

    def follow(self, step: int) -> None:
        """A step is journaled: count from there."""
        self._offset += step

    def _now(self) -> int:
        return self._clock.now() - round(self._clock.monotonic() * SECOND)


async def watch_clock(node: NodeContext) -> None:
    """The supervised task: journals ``clock.stepped`` for each step, with what is known of its source."""
    watch = ClockWatch(node.clock)
    while True:
        await asyncio.sleep(INTERVAL)
        try:
            await note_step(node, watch)
        except (WanmiError, SQLAlchemyError) as error:  # held, or the disk is full: the step waits for better times
            _log.warning("a clock step could not be journaled yet; it is tried again", error=str(error))


async def note_step(node: NodeContext, watch: ClockWatch) -> int:
    """Look once; journal a step if there was one. Returns it (µs)."""
    step = watch.look()
    if step:
        source = await asyncio.to_thread(step_source, node, step)
        body = ClockStepped(step=step, source=source)
        await node.journal.append_async(Draft("clock.stepped", clock_subject(node.code), body))
        watch.follow(step)
    return step


def step_source(node: NodeContext, step: int, marks: Sequence[Path] = SYNCHRONISED) -> Literal["gnss", "ntp", "none"]:
    """What most likely moved the clock by ``step`` µs.

    ``gnss``: a receiver had told of just this offset before (``clock.offset``), so the step sets it right. ``ntp``: a
    time service of this machine says that it is synchronised. ``none``: nobody knows; a person, or a service that
    leaves no mark. The kernel is not asked: Python has no adjtimex, and it would not tell who set the clock either.
    """
    row = table(ClockOffsetRow)
    with node.store.reader() as tx:
        told = tx.execute(select(row).where(row.c.node == node.code, row.c.source == "gnss")).first()
    if told is not None and not told.within and abs(told.offset - step) <= BOUND + told.uncertainty:
        return "gnss"
    return "ntp" if any(mark.exists() for mark in marks) else "none"
