"""Reactors at work: each follows the journal with a cursor of its own, in a thread of its own.

Decide outside the writer, then append with cause ``ORIGIN:SEQ#reactor`` and the cursor in one transaction:
exactly once by that cause, also when the cursor is lost with a restored database.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import structlog
from sqlalchemy import Connection, select

from wanmi.journal.recent import Recent
from wanmi.models import ReactorFailedRow, ReactorRow, table
from wanmi.registry import Draft, NodeContext, Reactor, Stored
from wanmi.store import upsert_rows

BATCH = 500
"""Entries that a reactor decides on at once."""
IDLE = 5.0
"""Seconds after which a reactor looks without being told."""
PACE = 0.02
"""Seconds from one round that found something to the next: what comes meanwhile is one round, not one each."""


class ReactorRunner:
    """Runs every reactor of a node's registry until it is stopped."""

    def __init__(self, node: NodeContext) -> None:
        self._node = node
        self._recent = Recent()
        self.loops = {r.name: ReactorLoop(node, r, self._recent) for r in node.registry.reactors.values()}
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        node.journal.listen(self._told)

    def start(self) -> None:
        """Start a thread a reactor."""
        for loop in self.loops.values():
            thread = threading.Thread(target=loop.run, args=(self._stopping,), name=f"reactor-{loop.name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Finish what each reactor is at, then stop."""
        self._stopping.set()
        for loop in self.loops.values():
            loop.wake.set()
        for thread in self._threads:
            thread.join(timeout=5.0)

    def run_once(self) -> int:
        """Run every reactor until none has anything left, in the caller's thread; returns entries appended.

        For tests, the simulator and ``wanmi replay`` after a restore.
        """
        total = 0
        while True:
            made = sum(loop.step()[1] for loop in self.loops.values())
            total += made
            if not made:
                return total

    def _told(self, new: Sequence[Stored]) -> None:
        """In the writer's thread: wake those whom the new entries concern."""
        self._recent.add(new)
        kinds = {stored.entry.kind for stored in new if stored.entry is not None}
        for loop in self.loops.values():
            if not kinds.isdisjoint(loop.kinds):
                loop.wake.set()


class ReactorLoop:
    """One reactor's cursor and thread."""

    def __init__(self, node: NodeContext, reactor: Reactor, recent: Recent) -> None:
        self.name = reactor.name
        self.kinds = frozenset(reactor.kinds)
        self.wake = threading.Event()
        self.busy_since: float | None = None
        self.trouble: str | None = None
        self._node = node
        self._reactor = reactor
        self._recent = recent
        self._log = structlog.get_logger("wanmi.reactor").bind(reactor=reactor.name, node=node.code)
        self.pos = self._saved = self._load()

    def run(self, stopping: threading.Event) -> None:
        """Follow the journal until ``stopping``; a failure is logged and tried again with back-off."""
        delay = 0.5
        while not stopping.is_set():
            self.wake.clear()
            try:
                scanned, _ = self.step()
            except Exception as error:  # noqa: BLE001 - the supervised border: logged by name, tried again
                self.trouble = str(error)
                self._log.exception("reactor failed; it is tried again", delay=delay)
                stopping.wait(delay)
                delay = min(delay * 2, 30.0)
                continue
            delay, self.trouble = 0.5, None
            if not scanned:
                self.wake.wait(IDLE)
            elif scanned < BATCH:
                stopping.wait(PACE)

    def step(self) -> tuple[int, int]:
        """Decide on the next batch; returns (entries looked at, entries appended)."""
        batch, upto = self._next()
        if not batch:
            if upto > self.pos:
                self._skip(upto)
            return 0, 0
        self.busy_since = self._node.clock.monotonic()
        try:
            made = self._react(batch, upto)
        finally:
            self.busy_since = None
        return len(batch), made

    def _next(self) -> tuple[list[Stored], int]:
        """The next entries of its kinds, and up to which position there are no others."""
        known = self._recent.since(self.pos, self.kinds, BATCH)
        if known is not None:
            return known
        end = self._node.journal.pos
        batch = self._node.journal.since(self.pos, self._reactor.kinds, BATCH)
        return batch, batch[-1].pos if len(batch) == BATCH else max([end, *(one.pos for one in batch)])

    def _react(self, batch: Sequence[Stored], upto: int) -> int:
        failed: list[tuple[Stored, str]] = []
        drafts = self._decide(batch, failed)
        caused = _with_causes(self._reactor, drafts)
        if not caused and not failed:
            self._skip(upto)
            return 0
        self._node.journal.append(*caused, also=lambda tx, _: self._record(tx, upto, failed)).result()
        self.pos = self._saved = upto
        return len(caused)

    def _decide(self, batch: Sequence[Stored], failed: list[tuple[Stored, str]]) -> list[tuple[Stored, Draft]]:
        """The drafts; when the batch raises, entry by entry, so that one poisoned entry stops nothing."""
        try:
            return list(self._reactor.decide(self._node, batch))
        except Exception as error:  # noqa: BLE001 - the plugin border: named, kept, shown, re-driven later
            self._log.exception("reactor could not decide", entries=len(batch), plugin=self._reactor.plugin)
            if len(batch) == 1:
                failed.append((batch[0], f"{type(error).__name__}: {error}"))
                return []
        return [pair for stored in batch for pair in self._decide([stored], failed)]

    def _record(self, tx: Connection, upto: int, failed: Sequence[tuple[Stored, str]]) -> None:
        upsert_rows(tx, ReactorRow, [(self.name, upto)])
        now = self._node.clock.now()
        upsert_rows(tx, ReactorFailedRow, [(self.name, s.origin, s.seq, reason, now) for s, reason in failed])

    def _skip(self, upto: int) -> None:
        """Nothing for this reactor up to here: move on; durable only now and then, it would be found again."""
        if upto - self._saved >= BATCH:
            self._node.journal.write(lambda tx: upsert_rows(tx, ReactorRow, [(self.name, upto)])).result()
            self._saved = upto
        self.pos = upto

    def _load(self) -> int:
        row = table(ReactorRow)
        with self._node.store.reader() as connection:
            found = connection.execute(select(row.c.pos).where(row.c.name == self.name)).scalar_one_or_none()
        return int(found or 0)


def _with_causes(reactor: Reactor, drafts: Sequence[tuple[Stored, Draft]]) -> list[Draft]:
    """Each draft with its cause; the second and later ones of one entry are numbered."""
    counts: dict[tuple[str, int], int] = {}
    caused = []
    for stored, draft in drafts:
        n = counts[stored.origin, stored.seq] = counts.get((stored.origin, stored.seq), 0) + 1
        cause = f"{stored.origin}:{stored.seq}#{reactor.name}" + ("" if n == 1 else f"/{n}")
        caused.append(
            Draft(
                draft.kind, draft.subject, draft.body, draft.audience, draft.actor, cause, draft.by or reactor.plugin,
                draft.expect,
            )
        )  # fmt: skip
    return caused
