"""Supervised tasks: started, watched, restarted with back-off when they raise; one that fails stops no other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import structlog

from wanmi.registry import Task

if TYPE_CHECKING:
    from wanmi.registry import NodeContext

FIRST_DELAY = 1.0
LONGEST_DELAY = 60.0
"""Seconds before a failed task is started again: doubled from first to longest."""
STEADY = 120.0
"""Seconds after which a task that then fails begins with the first delay again."""


@dataclass(frozen=True)
class TaskState:
    """How a task stands; ``trouble`` is what it raised last, ``failures`` how often in a row."""

    name: str
    plugin: str
    state: Literal["running", "waiting", "ended"]
    failures: int = 0
    trouble: str = ""


class Supervisor:
    """Runs tasks until it is cancelled."""

    def __init__(self, node: NodeContext, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._node = node
        self._sleep = sleep
        self._states: dict[str, TaskState] = {}
        self._running: list[asyncio.Task[None]] = []
        self._log = structlog.get_logger("wanmi.tasks").bind(node=node.code)

    def start(self, tasks: Iterable[Task]) -> None:
        """Start each task in the running loop."""
        for task in tasks:
            name = f"{task.plugin}:{task.name}"
            self._running.append(asyncio.create_task(self._supervise(task), name=name))

    def states(self) -> list[TaskState]:
        """Every task's state."""
        return list(self._states.values())

    async def stop(self, seconds: float) -> None:
        """Cancel every task and wait at most ``seconds``; what does not end is named in the log and left."""
        for running in self._running:
            running.cancel()
        if not self._running:
            return
        _, stuck = await asyncio.wait(self._running, timeout=seconds)
        for running in stuck:
            self._log.error("task_does_not_end", task=running.get_name(), waited_seconds=seconds)

    async def _supervise(self, task: Task) -> None:
        state = TaskState(task.name, task.plugin, "running")
        while True:
            self._states[task.name] = state = replace(state, state="running")
            started = self._node.clock.monotonic()
            try:
                await task.run(self._node)
            except Exception as error:  # noqa: BLE001 - the border to a supervised task
                steady = self._node.clock.monotonic() - started > STEADY
                state = self._failed(task, replace(state, failures=0) if steady else state, error)
            else:
                self._states[task.name] = replace(state, state="ended", failures=0, trouble="")
                return
            await self._sleep(min(FIRST_DELAY * 2 ** (state.failures - 1), LONGEST_DELAY))

    def _failed(self, task: Task, state: TaskState, error: Exception) -> TaskState:
        trouble = f"{type(error).__name__}: {error}"
        waiting = replace(state, state="waiting", failures=state.failures + 1, trouble=trouble)
        self._states[task.name] = waiting
        self._log.error(
            "task_failed", task=task.name, plugin=task.plugin, failures=waiting.failures, error=trouble, exc_info=error
        )
        return waiting
