"""Work that tells its progress by a callback, as a generator of progress: for admin actions."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator
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
    answers: list[T] = []
    errors: list[BaseException] = []

    due = 0.0

    def say(done: int, total: int, message: str) -> None:
        nonlocal due
        if left.is_set():
            raise Left
        if time.monotonic() >= due:
            due = time.monotonic() + SAID_SECONDS
            said.put(Progress(done, total, message))

    def run() -> None:
        try:
            answers.append(work(say))
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            errors.append(error)
        finally:
            said.put(None)

    thread = threading.Thread(target=run, name="wanmi-work", daemon=True)
    thread.start()
    try:
        while (progress := said.get()) is not None:
            yield progress
    finally:
        left.set()
        thread.join()
    if errors:
        raise errors[0]
    return answers[0]
