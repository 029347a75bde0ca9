"""Changes as they come: hints about new entries for whoever listens, without ever waiting for a slow one.

A hint says that an entry is here, not what is in it. Every listener has a bounded queue; one whose queue is full loses
it and is told to load again what it shows.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from wanmi.errors import StoreError
from wanmi.registry import NodeContext, Stored

MAX_QUEUE = 1000
"""Hints that wait for one listener."""
MAX_LISTENERS = 500


@dataclass(frozen=True)
class Hint:
    """An entry that is here now: its position in this node's order, its envelope's outside. ``at`` µs UTC."""

    pos: int
    origin: str
    seq: int
    kind: str
    subject: str
    version: int
    at: int


def hint_of(stored: Stored) -> Hint | None:
    """The hint of an entry; None where this node is not addressed."""
    e = stored.entry
    return None if e is None else Hint(stored.pos, stored.origin, stored.seq, e.kind, e.subject, e.version, e.at)


def hints_of(entries: Iterable[Stored]) -> list[Hint]:
    """The hints of those entries that may be read here."""
    return [hint for stored in entries if (hint := hint_of(stored)) is not None]


class Listener:
    """One client's queue; used in its event loop only."""

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int) -> None:
        self.loop = loop
        self.lost = False
        self.closed = False
        self._most = most
        self._queue: deque[Hint] = deque()
        self._woken = asyncio.Event()

    def put(self, hints: Sequence[Hint]) -> None:
        """Queue hints, or lose them all when there are too many."""
        if self.lost or len(self._queue) + len(hints) > self._most:
            self._queue.clear()
            self.lost = True
        else:
            self._queue.extend(hints)
        self._woken.set()

    def close(self) -> None:
        """No more will come."""
        self.closed = True
        self._woken.set()

    def take(self) -> list[Hint]:
        """What waits."""
        hints = list(self._queue)
        self._queue.clear()
        self._woken.clear()
        return hints

    async def wait(self, seconds: float) -> bool:
        """Whether something came within so many seconds."""
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            return False
        return True


class EventHub:
    """Tells every listener about new entries; each event loop is woken once for a group."""

    def __init__(self, node: NodeContext, *, most: int = MAX_QUEUE) -> None:
        self.beat = 15.0
        self.most = most
        self._lock = threading.Lock()
        self._listeners: set[Listener] = set()
        node.journal.listen(self._told)

    @contextmanager
    def join(self) -> Iterator[Listener]:
        """Listen for as long as the ``with`` lasts; StoreError when too many do."""
        listener = Listener(asyncio.get_running_loop(), self.most)
        with self._lock:
            if len(self._listeners) >= MAX_LISTENERS:
                raise StoreError(f"{MAX_LISTENERS} clients listen already; come back later")
            self._listeners.add(listener)
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def close(self) -> None:
        """End every stream: the server stops."""
        for listener in self._all():
            _call(listener.loop, listener.close)

    def _told(self, new: list[Stored]) -> None:
        """In the writer's thread: hand over and return."""
        if not self._listeners:
            return
        hints = hints_of(new)
        loops = {listener.loop for listener in self._all()} if hints else set()
        for loop in loops:
            _call(loop, partial(self._put, loop, hints))

    def _put(self, loop: asyncio.AbstractEventLoop, hints: Sequence[Hint]) -> None:
        for listener in self._all():
            if listener.loop is loop:
                listener.put(hints)

    def _all(self) -> list[Listener]:
        with self._lock:
            return list(self._listeners)


def _call(loop: asyncio.AbstractEventLoop, work: Callable[[], None]) -> None:
    """Call it in the loop; one that ended meanwhile has nobody to tell."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(work)
