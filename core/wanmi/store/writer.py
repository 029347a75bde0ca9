"""The one writer of a node: a thread that gathers work into one transaction (group commit).

Whatever waits when the thread is free goes into one transaction; a future resolves only after its commit is
durable. When something in a group raises, the group is rolled back and its parts are run one by one, so that
only the part that raised fails. Inline mode runs the same code in the caller's thread: the simulator's disk.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine

from wanmi.errors import StoreError
from wanmi.store.kept import Changes

T = TypeVar("T")
MAX_GROUP = 1000
"""Parts of one transaction at most: bounds how long the first one waits for the last."""

Handler = Callable[[Connection, Sequence[Any]], Sequence[Any]]
"""Runs a run of parts of one kind; answers a result a part, an exception instance for one that failed
without touching the database."""

Boundary = Callable[[str], None]
"""Called with "before" and "after" each commit; the simulator raises from it to crash there."""


class Participant(Protocol):
    """State in memory that follows the transaction."""

    def begin(self) -> None:
        """A transaction begins: stage from the committed state."""

    def before_commit(self, tx: Connection) -> None:
        """Last writes of the transaction."""

    def committed(self) -> None:
        """The commit is durable: the staged state is the state."""


@dataclass(eq=False)
class _Part:
    handler: Handler
    item: Any
    done: Callable[[Any], None]
    failed: Callable[[BaseException], None]


@dataclass
class WriterStats:
    """Counts since the start: transactions, parts in them, and parts of the newest transaction."""

    commits: int = 0
    parts: int = 0
    last_group: int = 0
    waiting: Callable[[], int] = field(default=lambda: 0)


class Writer:
    """Owns the writing connection; everything that changes the database goes through it."""

    def __init__(self, engine: Engine, *, inline: bool = False, on_commit: Boundary | None = None) -> None:
        self._engine = engine
        self._on_commit = on_commit
        self._participants: list[Participant] = []
        self.changes = Changes(engine)
        self._queue: queue.SimpleQueue[_Part | None] = queue.SimpleQueue()
        self._closed = False
        self.stats = WriterStats(waiting=self._queue.qsize)
        self._thread: threading.Thread | None = None
        if not inline:
            self._thread = threading.Thread(target=self._run, name="wanmi-writer", daemon=True)
            self._thread.start()

    def join(self, participant: Participant) -> None:
        """Let ``participant`` follow every transaction from now on."""
        self._participants.append(participant)

    def write(self, work: Callable[[Connection], T]) -> Future[T]:
        """Run ``work`` in the next transaction; the future resolves after the durable commit."""
        return self.submit(_run_each, work)

    def submit(self, handler: Handler, item: Any) -> Future[Any]:
        """Queue ``item`` for ``handler``; consecutive items of one handler are handed over together."""
        future: Future[Any] = Future()
        self.submit_callback(handler, item, future.set_result, future.set_exception)
        return future

    def submit_callback(
        self, handler: Handler, item: Any, done: Callable[[Any], None], failed: Callable[[BaseException], None]
    ) -> None:
        """As ``submit``, with callbacks that run in the writer's thread after the commit."""
        if self._closed:
            raise StoreError("the store is closed; nothing more is written")
        part = _Part(handler, item, done, failed)
        if self._thread is None:
            self._commit([part])
        else:
            self._queue.put(part)

    def close(self) -> None:
        """Write what waits, then stop."""
        if self._closed:
            return
        self._closed = True
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        while True:
            group = self._gather()
            if group:
                self._commit(group)
            else:
                return

    def _gather(self) -> list[_Part]:
        """Block for one part, then take what else waits; an empty list means: stop."""
        group: list[_Part] = []
        part = self._queue.get()
        while part is not None:
            group.append(part)
            if len(group) >= MAX_GROUP:
                return group
            try:
                part = self._queue.get_nowait()
            except queue.Empty:
                return group
        if group:
            self._queue.put(None)
        return group

    def _commit(self, group: list[_Part]) -> None:
        try:
            results = self._transaction(group)
        except Exception as error:  # noqa: BLE001 - the transaction border: the error goes to whoever waits
            if len(group) == 1:
                group[0].failed(error)
                return
            for part in group:
                self._commit([part])
            return
        self.stats.commits += 1
        self.stats.parts += len(group)
        self.stats.last_group = len(group)
        for part, result in zip(group, results, strict=True):
            if isinstance(result, BaseException):
                part.failed(result)
            else:
                part.done(result)

    def _transaction(self, group: list[_Part]) -> list[Any]:
        self.changes.begin()
        with self._engine.connect() as tx:
            with tx.begin():
                for participant in self._participants:
                    participant.begin()
                results = _run_group(tx, group)
                for participant in self._participants:
                    participant.before_commit(tx)
                if self._on_commit is not None:
                    self._on_commit("before")
            if self._on_commit is not None:
                self._on_commit("after")
        self.changes.committed()
        for participant in self._participants:
            participant.committed()
        return results


def _run_group(tx: Connection, group: list[_Part]) -> list[Any]:
    results: list[Any] = []
    start = 0
    while start < len(group):
        handler = group[start].handler
        end = start + 1
        while end < len(group) and group[end].handler == handler:
            end += 1
        results.extend(handler(tx, [part.item for part in group[start:end]]))
        start = end
    return results


def _run_each(tx: Connection, works: Sequence[Callable[[Connection], Any]]) -> list[Any]:
    return [work(tx) for work in works]
