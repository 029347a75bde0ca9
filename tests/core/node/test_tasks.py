"""Supervised tasks: what raises is named and started again, later and later; it stops no other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

from wanmi.clock import SECOND, ManualClock
from wanmi.node.tasks import STEADY, Supervisor
from wanmi.registry import NodeContext, Task


class Slept:
    """Sleeps that are noted and over at once; after ``enough`` of them they never end."""

    def __init__(self, enough: int) -> None:
        self.seconds: list[float] = []
        self.enough = enough
        self.done = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if len(self.seconds) >= self.enough:
            self.done.set()
            await asyncio.Event().wait()


def node(clock: ManualClock | None = None) -> NodeContext:
    return cast(NodeContext, SimpleNamespace(code="210102", clock=clock or ManualClock()))


def task(name: str, run: Callable[[Any], Awaitable[None]]) -> Task:
    return Task(name, run, "p@1")


async def fails(_: object) -> None:
    raise ValueError("broken pipe")


def test_a_failing_task_is_tried_later_and_later_and_stops_no_other() -> None:
    async def work() -> None:
        slept, lived = Slept(9), asyncio.Event()

        async def lives(_: object) -> None:
            lived.set()
            await asyncio.Event().wait()

        supervisor = Supervisor(node(), slept)
        supervisor.start([task("bad", fails), task("good", lives)])
        await asyncio.wait_for(slept.done.wait(), 5)
        assert slept.seconds == [1, 2, 4, 8, 16, 32, 60, 60, 60]
        states = {state.name: state for state in supervisor.states()}
        assert states["bad"].trouble == "ValueError: broken pipe"
        assert (states["bad"].state, states["bad"].failures) == ("waiting", 9)
        assert (states["good"].state, states["good"].failures, lived.is_set()) == ("running", 0, True)
        await supervisor.stop(1)

    asyncio.run(work())


def test_a_task_that_ran_long_begins_with_the_first_delay_again() -> None:
    async def work() -> None:
        clock, slept = ManualClock(), Slept(4)
        runs = iter((0.0, 0.0, STEADY + 1, 0.0))

        async def run(_: object) -> None:
            clock.advance(int(next(runs) * SECOND))
            raise ValueError

        supervisor = Supervisor(node(clock), slept)
        supervisor.start([task("t", run)])
        await asyncio.wait_for(slept.done.wait(), 5)
        assert slept.seconds == [1, 2, 1, 2]
        await supervisor.stop(1)

    asyncio.run(work())


def test_a_task_that_ends_is_not_started_again() -> None:
    async def work() -> None:
        runs: list[int] = []

        async def once(_: object) -> None:
            runs.append(1)

        supervisor = Supervisor(node())
        supervisor.start([task("once", once)])
        await asyncio.sleep(0.01)
        assert (len(runs), supervisor.states()[0].state) == (1, "ended")
        await supervisor.stop(1)

    asyncio.run(work())


def test_a_task_that_does_not_end_is_left_in_time() -> None:
    async def work() -> None:
        freed = asyncio.Event()

        async def stubborn(_: object) -> None:
            while not freed.is_set():
                try:
                    await freed.wait()
                except asyncio.CancelledError:
                    continue

        supervisor = Supervisor(node())
        supervisor.start([task("stubborn", stubborn)])
        await asyncio.sleep(0)
        await asyncio.wait_for(supervisor.stop(0.05), 2)
        freed.set()

    asyncio.run(work())
