"""Broken versions of the shipped parts: each must be caught, or the invariants look at nothing.

They live in the tests only: the product has no switch that turns a safeguard off.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from sqlalchemy import Connection

from faults.machine import Hooks
from wanmi.entries import Entry, sign_cosign
from wanmi.journal import Batch, Cursor, Journal
from wanmi.journal.applying import Checked
from wanmi.journal.projecting import Projector
from wanmi.links import Hub, Link
from wanmi.links.effects import Apply, Effect, Send
from wanmi.links.frames import Ack as AckHeader
from wanmi.links.frames import Frame, encode
from wanmi.links.terms import Instant


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


MUTANTS: dict[str, tuple[Hooks, str]] = {
    "cursor in its own transaction": (Hooks(journal=CursorApart), "I2"),
    "no dedupe": (Hooks(journal=NoDedupe), "I2"),
    "acknowledge before durable": (Hooks(hub=AckFirst), "I3"),
    "no session fence": (Hooks(hub=NoFence), "I11"),
}
"""Name -> (the broken parts, the invariant that must catch them)."""
