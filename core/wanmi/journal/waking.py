"""Waking an event loop from the writer's thread: once a group instead of once a future."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any


class LoopWaker:
    """Gathers results for futures of event loops; each loop is woken once for all that wait then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._results: dict[asyncio.AbstractEventLoop, deque[tuple[asyncio.Future[Any], Any, bool]]] = {}

    def of(self, future: asyncio.Future[Any]) -> _Wake:
        """Callbacks for the writer that resolve ``future`` in its own loop."""
        return _Wake(self, future)

    def put(self, future: asyncio.Future[Any], value: Any, failed: bool) -> None:
        """Called in the writer's thread."""
        loop = future.get_loop()
        with self._lock:
            waiting = self._results.get(loop)
            if waiting is not None:
                waiting.append((future, value, failed))
                return
            self._results[loop] = deque([(future, value, failed)])
        loop.call_soon_threadsafe(self._resolve, loop)

    def _resolve(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            waiting = self._results.pop(loop)
        for future, value, failed in waiting:
            if future.done():
                continue
            if failed:
                future.set_exception(value)
            else:
                future.set_result(value)


@dataclass(frozen=True)
class _Wake:
    waker: LoopWaker
    future: asyncio.Future[Any]

    def done(self, value: Any) -> None:
        """The part succeeded."""
        self.waker.put(self.future, value, False)

    def failed(self, error: BaseException) -> None:
        """The part failed."""
        self.waker.put(self.future, error, True)
