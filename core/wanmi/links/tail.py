"""A node's own lost tail, put together from what its peers give back.

A peer holds whole only what it was sent whole; of the rest it has the digests. So entries that come back are kept
apart (``link_tail``): each is proved by the chain and by this node's own signature, and is applied, in order, once its
bytes are there from whichever peer had them. What nobody has stays open until a person gives it up.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, delete, select

from wanmi.clock import Clock
from wanmi.entries import extend, sign_head
from wanmi.errors import BadEntry, ForkSeen
from wanmi.journal import Journal
from wanmi.journal.applying import Checked
from wanmi.journal.projecting import body_of
from wanmi.journal.rows import audience_of, audience_text
from wanmi.journal.types import Batch, Cursor, Gap, Item
from wanmi.kinds import NodeAdmitted
from wanmi.links.rows import TailRow
from wanmi.models import table
from wanmi.store import Store, upsert_rows

ROW = table(TailRow)
PART = 500
"""Entries that are applied at once."""


class Kept(msgspec.Struct, frozen=True):
    """What is known in memory of an entry that is kept apart."""

    hash: bytes
    whole: bool


@dataclass(frozen=True)
class Signer:
    """Who signs the heads of what is put together: the node itself."""

    key: Ed25519PrivateKey
    clock: Clock


class Tail:
    """The entries that came back and are not applied yet.

    Used by the links' one loop only; what a call did is durable when it returns.
    """

    def __init__(self, journal: Journal, store: Store, signer: Signer) -> None:
        self._journal = journal
        self._store = store
        self._signer = signer
        with store.reader() as connection:
            rows = connection.execute(select(ROW.c.seq, ROW.c.hash, ROW.c.raw.is_not(None)).order_by(ROW.c.seq)).all()
        held = journal.cursor(journal.node).seq
        self._kept = {seq: Kept(bytes(hash_), bool(whole)) for seq, hash_, whole in rows if seq > held}

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def lacking(self) -> list[int]:
        """The numbers of entries that are proved to have been and whose bytes nobody has given yet."""
        return [seq for seq, kept in self._kept.items() if not kept.whole]

    def checked(self, batch: Batch, peer: str) -> Checked:
        """A batch that this node itself signed; ChainBroken for any other."""
        return Checked(batch, peer, self._journal.own_keys(batch.head))

    def take(self, batch: Batch, peer: str) -> Cursor:
        """Keep what a peer gives back (``checked`` before), and apply what is whole by now; how far its gift goes.

        Raises Gap, ForkSeen, StoreError.
        """
        hashes = self._walked(batch)
        if not self._kept and all(item.raw is not None for item in batch.items):
            self._journal.apply(batch, peer, own=True).result()
        else:
            self._keep(batch, hashes)
            self._apply_whole(peer)
        return Cursor(batch.head.seq, batch.head.hash)

    @staticmethod
    def forget(tx: Connection) -> None:
        """All that was kept is in the chain again."""
        tx.execute(delete(ROW))

    def give_up(self) -> None:
        """Apply everything that is kept; entries that nobody has stay in the chain as their digests."""
        while self._kept:
            self._apply(list(self._kept)[:PART], self._journal.node)

    def _walked(self, batch: Batch) -> list[bytes]:
        """The chain's hashes over the batch, compared with all that is known of them."""
        me = self._journal.node
        start = self._hash_at(batch.after)
        if start is None:
            raise Gap(me, batch.after, self._end())
        hashes = extend(start, [(item.audience, item.digest) for item in batch.items])
        if hashes[-1] != batch.head.hash:
            raise ForkSeen(me, batch.after, "fork", "this node signed a head that its own copy does not lead to")
        for seq, hash_ in enumerate(hashes, start=batch.after + 1):
            known = self._hash_at(seq)
            if known is None:
                break
            if known != hash_:
                raise ForkSeen(me, seq, "fork", "two peers hold two entries of this node with one number")
        return hashes

    def _hash_at(self, seq: int) -> bytes | None:
        kept = self._kept.get(seq)
        if kept is not None:
            return kept.hash
        held = self._journal.cursor(self._journal.node)
        return held.hash if seq == held.seq else self._journal.hash_at(self._journal.node, seq)

    def _end(self) -> Cursor:
        held = self._journal.cursor(self._journal.node)
        seq = held.seq + len(self._kept)
        return held if not self._kept else Cursor(seq, self._kept[seq].hash)

    def _keep(self, batch: Batch, hashes: Sequence[bytes]) -> None:
        rows = []
        held = self._journal.cursor(self._journal.node).seq
        for seq, (item, hash_) in enumerate(zip(batch.items, hashes, strict=True), start=batch.after + 1):
            known = self._kept.get(seq)
            if seq <= held or (known is not None and (known.whole or item.raw is None)):
                continue
            rows.append((seq, audience_text(item.audience), item.digest, hash_, item.raw))
        self._store.write(lambda tx: upsert_rows(tx, TailRow, rows)).result()
        self._kept.update({seq: Kept(hash_, raw is not None) for seq, _, _, hash_, raw in rows})

    def _apply_whole(self, peer: str) -> None:
        while self._kept:
            part: list[int] = []
            for seq, kept in self._kept.items():
                if not kept.whole or len(part) == PART:
                    break
                part.append(seq)
            if not part:
                return
            self._apply(part, peer)

    def _apply(self, seqs: Sequence[int], peer: str) -> None:
        """The next entries go into the chain, signed anew: the signatures that came ended elsewhere."""
        me, last = self._journal.node, seqs[-1]
        head = sign_head(self._signer.key, me, last, self._kept[last].hash, self._signer.clock.now())
        batch = Batch(me, seqs[0] - 1, tuple(self._read(seqs[0], last)), head)
        self._journal.apply(batch, peer, own=True).result()
        for seq in seqs:
            del self._kept[seq]

    def _read(self, first: int, last: int) -> list[Item]:
        query = select(ROW).where(ROW.c.seq >= first, ROW.c.seq <= last).order_by(ROW.c.seq)
        with self._store.reader() as connection:
            rows = connection.execute(query).all()
        return [Item(audience_of(r.audience), bytes(r.digest), None if r.raw is None else bytes(r.raw)) for r in rows]


def admitted_in(checked: Checked) -> list[str]:
    """The children that entries of the own chain admit: they may hold more of it than anybody who was known."""
    found = []
    for entry in checked.entries:
        if entry is not None and entry.kind == "node.admitted":
            with contextlib.suppress(BadEntry):
                body = body_of(entry, NodeAdmitted)
                found += [body.code] if body.parent == entry.origin else []
    return found
