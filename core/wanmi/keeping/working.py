"""Work that tells its progress by a callback, as a generator of progress: for admin actions."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from wanmi.registry import Progress

T = TypeVar("T")
SAID_SECONDS = 0.3
"""Between two things that are passed on."""
Say = Callable[[int, int, str], None]
"""Say (done, total, message); raises when nobody wants the work any more."""


class Left(Exception):
    """Nobody waits for the work any more."""


def working(work: Callable[[Say], T]) -> Generator[Progress, None, T]:
    """Run ``work`` in a thread and yield what it says; its answer is the generator's, its error is raised here.

    Whoever closes the generator ends the work at the next thing it says, and waits for that.
    """
    said: queue.SimpleQueue[Progress | None] = queue.SimpleQueue()
    left = threading.Event()
    due = 0.0

    def say(done: int, total: int, message: str) -> None:
        nonlocal due
        if left.is_set():
            raise Left
        if time.monotonic() >= due:
            due = time.monotonic() + SAID_SECONDS
            said.put(Progress(done, total, message))

    with ThreadPoolExecutor(1, "wanmi-work") as pool:
        future = pool.submit(work, say)
        future.add_done_callback(lambda _: said.put(None))
        try:
            while (progress := said.get()) is not None:
                yield progress
        finally:
            left.set()
    return future.result()
