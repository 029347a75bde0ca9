"""Broken versions of the shipped parts: each must be caught, or the invariants look at nothing.

They live in the tests only: the product has no switch that turns a safeguard off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import Connection, delete

from faults.machine import LIMITS, Hooks
from faults.plan import Fault, Plan
from faults.towns import DISTRICTS
from wanmi.entries import Entry, sign_cosign
from wanmi.journal import Batch, Cursor, Journal, ReactorRunner
from wanmi.journal.applying import Checked
from wanmi.journal.projecting import Projector
from wanmi.journal.reactors import ReactorLoop, _with_causes
from wanmi.journal.types import Item
from wanmi.links import HoldRow, Hub, Limits, Link
from wanmi.links.effects import Apply, Effect, Send
from wanmi.links.frames import Ack as AckHeader
from wanmi.links.frames import Frame, encode
from wanmi.links.terms import Instant
from wanmi.models import table
from wanmi.registry import NodeContext, Stored


class _Nothing(Projector):
    """Projects nothing: the effects come later, in a transaction of their own."""

    def project_replica(self, tx: Connection, entries: Sequence[Entry]) -> int:
        """Keep quiet."""
        return 0


class CursorApart(Journal):
    """Mutant: entries and cursor in one transaction, their effects in the next (against R1)."""

    def apply(self, batch: Batch, peer: str, *, own: bool = False) -> Future[Cursor]:
        """Apply in two transactions."""
        effects = self._projector
        before = self.cursor(batch.origin).seq
        self._applier._projector = _Nothing(self._registry)
        done = super().apply(batch, peer, own=own)
        self._applier._projector = effects
        if done.exception() is None:
            new = [s.entry for s in self.read(batch.origin, before) if s.entry is not None]
            if new:
                self.write(lambda tx: effects.project_replica(tx, new)).result()
        return done


class _Again(Projector):
    """Projects the whole batch that came, also what was held already."""

    def __init__(self, inner: Projector, entries: list[Entry]) -> None:
        self._inner = inner
        self._entries = entries

    def project_replica(self, tx: Connection, entries: Sequence[Entry]) -> int:
        """The whole batch."""
        return self._inner.project_replica(tx, self._entries)


class NoDedupe(Journal):
    """Mutant: a batch that overlaps what is held takes effect as a whole, again (against I2)."""

    def _apply_group(self, tx: Connection, batches: Sequence[Checked]) -> list[Any]:
        results: list[Any] = []
        inner = self._projector
        for checked in batches:
            self._applier._projector = _Again(inner, [entry for entry in checked.entries if entry is not None])
            results.extend(super()._apply_group(tx, [checked]))
        self._applier._projector = inner
        return results


class _AckFirst(Link):
    """Acknowledges as soon as a batch comes."""

    def on(self, data: bytes, now: Instant) -> list[Effect]:
        """Put the acknowledgement before the apply."""
        effects = super().on(data, now)
        early: list[Effect] = []
        for effect in effects:
            if isinstance(effect, Apply) and not effect.own:
                head, me = effect.batch.head, self._handshake._me
                cosign = sign_cosign(me.sign, me.code, head.origin, head.seq, head.hash, now.wall)
                early.append(Send(encode(self.session, AckHeader(head.origin, head.seq, head.hash, cosign))))
        return [*early, *effects]


class AckFirst(Hub):
    """Mutant: acknowledge before durable (against R2)."""

    link_class = _AckFirst


class _NoFence(Link):
    """Takes frames of any session."""

    def _foreign(self, frame: Frame, now: Instant) -> None:
        if self.up:
            self._in_session(frame, now)


class NoFence(Hub):
    """Mutant: frames of former sessions are taken (against R4)."""

    link_class = _NoFence


class FlagInMemory(Hub):
    """Mutant: that a node lost its tail is known in memory alone (against R7)."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        with self._node.store.writing.begin() as tx:
            tx.execute(delete(table(HoldRow)))


class _NoCause(ReactorLoop):
    """Appends without the cause that makes a second decision on one entry the first one's."""

    def _react(self, batch: Sequence[Stored], upto: int) -> int:
        failed: list[tuple[Stored, str]] = []
        caused = _with_causes(self._reactor, self._decide(batch, failed))
        drafts = [msgspec.structs.replace(draft, cause=None) for draft in caused]
        self._node.journal.append(*drafts, also=lambda tx, _: self._record(tx, upto, failed)).result()
        self.pos = self._saved = upto
        return len(drafts)


class NoCause(ReactorRunner):
    """Mutant: reactors without the (cause, reactor) key: a restored cursor does all again."""

    def __init__(self, node: NodeContext) -> None:
        super().__init__(node)
        self.loops = {r.name: _NoCause(node, r, self._recent) for r in node.registry.reactors.values()}


class _NoWindow(Link):
    """Sends all that it has."""

    def advanced(self, origin: str, now: Instant) -> list[Effect]:
        """See Link."""
        self._open_wide()
        return super().advanced(origin, now)

    def on(self, data: bytes, now: Instant) -> list[Effect]:
        """See Link."""
        self._open_wide()
        return super().on(data, now)

    def tick(self, now: Instant) -> list[Effect]:
        """See Link."""
        self._open_wide()
        return super().tick(now)

    def _open_wide(self) -> None:
        for stream in self._streams._out.values():
            stream._has_room = lambda: True  # type: ignore[method-assign]


class NoWindow(Hub):
    """Mutant: the credit that the receiver grants is not looked at."""

    link_class = _NoWindow


class ToEverybody(Journal):
    """Mutant: the bytes of an entry go to every peer, addressed or not."""

    def items(self, peer: str, origin: str, after: int, limit: int, max_bytes: int) -> list[Item]:
        """As for the origin itself."""
        return super().items(origin, origin, after, limit, max_bytes)


class OthersTime(Journal):
    """Mutant: the own chain's time follows what other nodes' entries say."""

    def _apply_group(self, tx: Connection, batches: Sequence[Checked]) -> list[Any]:
        results = super()._apply_group(tx, batches)
        times = [entry.at for checked in batches for entry in checked.entries if entry is not None]
        self._stage().last_at = max([self._stage().last_at, *times])
        return results


@dataclass(frozen=True)
class Mutant:
    """Broken parts, the rules of which one must catch them, and what a run needs to show it."""

    hooks: Hooks
    rules: tuple[str, ...]
    plan: Callable[[int], Plan] = Plan.of
    limits: Limits = LIMITS


def _restored(seed: int) -> Plan:
    """A district is put back to an old copy, and falls again while it asks its peers."""
    node = DISTRICTS[seed % 2].code
    faults = [Fault(8.0, "restore", node, length=12.0)]
    faults += [Fault(20.0 + n / 4, "crash", node, "after") for n in range(1, 12, 2)]
    return replace(Plan.of(seed), instead=tuple(faults))


MUTANTS: dict[str, Mutant] = {
    "cursor in its own transaction": Mutant(Hooks(journal=CursorApart), ("I2",)),
    "no dedupe": Mutant(Hooks(journal=NoDedupe), ("I2",)),
    "NORMAL without tail recovery": Mutant(Hooks(lazy_disk=True), ("I3", "I14", "I17")),
    "acknowledge before durable": Mutant(Hooks(hub=AckFirst), ("I3",)),
    "reactor without its cause": Mutant(Hooks(reactors=NoCause), ("I2",), _restored),
    "no session fence": Mutant(Hooks(hub=NoFence), ("I11",)),
    "restored node writes at once": Mutant(Hooks(asks_after_restore=False), ("I17",), _restored),
    "recovery flag not durable": Mutant(Hooks(hub=FlagInMemory), ("I17",), _restored),
    "no window": Mutant(Hooks(hub=NoWindow), ("I13",), limits=replace(LIMITS, batch_bytes=400, batch_bytes_low=200)),
    "sent to everybody": Mutant(Hooks(journal=ToEverybody), ("audience",)),
    "time of others": Mutant(Hooks(journal=OthersTime), ("I6",)),
}
"""By name: the eight of the design, and three more. Each is switched on in tests/faults/test_mutants.py."""
