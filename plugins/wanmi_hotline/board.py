"""The bell: who waits for calls is woken when one changes. Nothing is kept here; the calls are in the store."""

from __future__ import annotations

import asyncio
import threading


class Board:
    """Counts changes; coroutines of any loop wait for the next one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._open = True
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    @property
    def count(self) -> int:
        """How many changes there were since the start."""
        return self._count

    async def ring(self, _node: object) -> None:
        """Let people wait while the node runs; when it stops, they go home at once. Supervised as a task."""
        self._open = True
        try:
            await asyncio.Event().wait()
        finally:
            self._open = False
            self._wake()

    def changed(self) -> None:
        """Something changed; from any thread."""
        with self._lock:
            self._count += 1
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, set()
        for loop, event in waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    async def wait(self, seen: int, seconds: float) -> int:
        """Wait until the count is another than ``seen``, at most so long; the count."""
        event = asyncio.Event()
        entry = (asyncio.get_running_loop(), event)
        with self._lock:
            if self._count != seen or not self._open:
                return self._count
            self._waiting.add(entry)
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return self._count
        finally:
            with self._lock:
                self._waiting.discard(entry)
        return self._count
