"""Apply: a batch of another node's chain, verified before anything of it is kept."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from wanmi.entries import Entry, Head, decode, extend, raw_digest
from wanmi.errors import BadEntry, ChainBroken, ForkSeen
from wanmi.journal.keys import KeyHistory
from wanmi.journal.projecting import Projector
from wanmi.journal.rows import ENTRY, EntryTuple
from wanmi.journal.state import ChainState
from wanmi.journal.types import Batch, Cursor, Gap, Item
from wanmi.models import EntryRow, ForkRow, HeadRow
from wanmi.registry import Stored
from wanmi.store import insert_rows, upsert_rows


class Checked:
    """A batch whose signature, bytes and digests are sound in themselves; the chain is checked in the writer."""

    def __init__(self, batch: Batch, peer: str, keys: KeyHistory) -> None:
        if batch.head.origin != batch.origin or batch.head.seq != batch.after + len(batch.items) or not batch.items:
            raise ChainBroken(batch.origin, batch.after + 1, "head", "the batch and its head do not belong together")
        if not keys.signed(batch.head):
            raise ChainBroken(batch.origin, batch.head.seq, "forged-head", "the head's signature does not verify")
        self.batch = batch
        self.peer = peer
        self.entries: list[Entry | None] = [
            _checked_entry(batch.origin, batch.after + n, item) for n, item in enumerate(batch.items, start=1)
        ]


def _checked_entry(origin: str, seq: int, item: Item) -> Entry | None:
    if item.raw is None:
        return None
    try:
        entry = decode(item.raw)
    except BadEntry as error:
        raise ChainBroken(origin, seq, "bytes", str(error)) from error
    if raw_digest(item.raw) != item.digest or entry.audience != item.audience:
        raise ChainBroken(origin, seq, "digest", "bytes and digest or audience do not belong together")
    if entry.origin != origin or entry.seq != seq:
        raise ChainBroken(origin, seq, "reordered", f"the bytes are entry {entry.origin}:{entry.seq}")
    return entry


class Applier:
    """Writes checked batches; used only in the writer's thread."""

    def __init__(self, projector: Projector) -> None:
        self._projector = projector

    def apply(
        self, tx: Connection, checked: Checked, state: ChainState, now: int
    ) -> tuple[Cursor | Gap | ForkSeen | ChainBroken, list[Stored]]:
        """The cursor after the batch and the new entries; an exception (nothing else written) for a bad batch."""
        batch = checked.batch
        held = state.cursor(batch.origin)
        if batch.after > held.seq:
            return Gap(batch.origin, batch.after, held), []
        new, cursor, problem = self._extend(tx, checked, held, state, now)
        if problem is not None:
            return problem, []
        state.cursors[batch.origin] = cursor
        state.pos += len(new)
        insert_rows(tx, EntryRow, [item.columns() for item in new])
        upsert_rows(tx, HeadRow, [head_tuple(batch.head)])
        self._projector.project_replica(tx, [item.entry for item in new if item.entry is not None])
        return cursor, [item.stored() for item in new]

    def _extend(
        self, tx: Connection, checked: Checked, held: Cursor, state: ChainState, now: int
    ) -> tuple[list[EntryTuple], Cursor, ForkSeen | ChainBroken | None]:
        """Walk the chain over the batch: known prefix compared, the rest made into rows, the head reached."""
        batch = checked.batch
        known = held.seq - batch.after
        start = self._hash_before(tx, batch, held)
        hashes = extend(start, [(item.audience, item.digest) for item in batch.items])
        if known > 0:
            end = min(known, len(batch.items))
            at = batch.after + end
            mine = held.hash if at == held.seq else self.hash_at(tx, batch.origin, at)
            if hashes[end - 1] != mine:
                return [], held, self._fork(tx, checked, start, mine, hashes, end, now)
        if hashes[-1] != batch.head.hash:
            return [], held, self._mismatch(tx, checked, hashes, known, now)
        if known >= len(batch.items):
            return [], held, None
        new = [
            EntryTuple(
                state.pos + n + 1, now, batch.origin, batch.after + known + n + 1, item.audience, item.digest,
                hashes[known + n], item.raw, checked.entries[known + n],
            )
            for n, item in enumerate(batch.items[known:])
        ]  # fmt: skip
        return new, Cursor(batch.head.seq, batch.head.hash), None

    def _mismatch(
        self, tx: Connection, checked: Checked, hashes: list[bytes], known: int, now: int
    ) -> ForkSeen | ChainBroken:
        """A sound signature over another chain than ours: what we hold and what it signed differ."""
        batch = checked.batch
        if known <= 0 and batch.after > 0:
            seq = batch.after
            self._evidence(tx, checked, seq, b"", None, now)
            return ForkSeen(batch.origin, seq, "fork", "the origin signed a head that our copy does not lead to")
        return ChainBroken(batch.origin, batch.head.seq, "head", "the entries do not lead to the head that was signed")

    def _fork(
        self,
        tx: Connection,
        checked: Checked,
        start: bytes,
        mine: bytes | None,
        hashes: list[bytes],
        end: int,
        now: int,
    ) -> ForkSeen | ChainBroken:
        batch = checked.batch
        if hashes[-1] != batch.head.hash:
            return ChainBroken(batch.origin, batch.head.seq, "head", "the entries do not lead to the signed head")
        seq, raw, other = batch.after + end, batch.items[end - 1].raw, hashes[end - 1]
        for n in range(end):
            if self.hash_at(tx, batch.origin, batch.after + n + 1) != hashes[n]:
                seq, raw, other = batch.after + n + 1, batch.items[n].raw, hashes[n]
                break
        self._evidence(tx, checked, seq, other, raw, now)
        return ForkSeen(batch.origin, seq, "fork", f"{checked.peer} sent another entry than the one that is held")

    def _evidence(self, tx: Connection, checked: Checked, seq: int, other: bytes, raw: bytes | None, now: int) -> None:
        head = checked.batch.head
        signed = head.sig + head.hash + head.at.to_bytes(8, "big") + head.seq.to_bytes(8, "big")
        upsert_rows(tx, ForkRow, [(checked.batch.origin, seq, other, raw, signed, checked.peer, now)])

    def _hash_before(self, tx: Connection, batch: Batch, held: Cursor) -> bytes:
        if batch.after == held.seq:
            return held.hash
        return (self.hash_at(tx, batch.origin, batch.after) if batch.after else Cursor().hash) or b""

    @staticmethod
    def hash_at(tx: Connection, origin: str, seq: int) -> bytes | None:
        """The chain's hash after an entry that is held, None if it is not."""
        query = select(ENTRY.c.hash).where(ENTRY.c.origin == origin, ENTRY.c.seq == seq)
        found = tx.execute(query).scalar_one_or_none()
        return None if found is None else bytes(found)


def head_tuple(head: Head) -> tuple[Any, ...]:
    """A head in the order of HeadRow's columns."""
    return (head.origin, head.seq, head.hash, head.at, head.sig)
