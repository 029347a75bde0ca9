"""Reading the journal: cursors, entries, keys, heads, countersignatures. Thread safe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from wanmi.entries import Cosign, Head, addressed
from wanmi.journal.keys import KEY_KINDS, KeyHistory, key_history
from wanmi.journal.rows import ENTRY, HEAD, audience_of, select_stored, stored_of
from wanmi.journal.state import ChainState
from wanmi.journal.types import Cursor, Item
from wanmi.models import CosignRow, NodeRow, table
from wanmi.registry import Stored
from wanmi.store import Store

COSIGN = table(CosignRow)
NODE = table(NodeRow)


MOST_ASKED = 500
"""Numbers in one question."""


class Reading:
    """The reading half of a journal."""

    def __init__(self, node: str, store: Store, pinned: dict[str, bytes], state: ChainState) -> None:
        self.node = node
        self._store = store
        self._state = state
        self._pinned = pinned
        self._keys: dict[str, tuple[KeyHistory, bool]] = {}

    # -- cursors ----------------------------------------------------------------------------------------

    def cursor(self, origin: str) -> Cursor:
        """How far a chain is durably held."""
        return self._state.cursor(origin)

    def cursors(self) -> dict[str, Cursor]:
        """Cursors of all chains of which anything is held."""
        return dict(self._state.cursors)

    @property
    def pos(self) -> int:
        """The position of the entry that was applied last."""
        return self._state.pos

    def hash_at(self, origin: str, seq: int) -> bytes | None:
        """The chain's hash after an entry; None if the entry is not held."""
        if seq == 0:
            return Cursor().hash
        query = select(ENTRY.c.hash).where(ENTRY.c.origin == origin, ENTRY.c.seq == seq)
        with self._store.reader() as connection:
            found = connection.execute(query).scalar_one_or_none()
        return None if found is None else bytes(found)

    def hashes_at(self, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], bytes]:
        """The chain's hash after each (origin, seq); those that are not held are left out."""
        found = {(origin, 0): Cursor().hash for origin, seq in places if seq == 0}
        with self._store.reader() as connection:
            for origin in {origin for origin, _ in places}:
                seqs = sorted({seq for of, seq in places if of == origin})
                for start in range(0, len(seqs), MOST_ASKED):
                    wanted = ENTRY.c.seq.in_(seqs[start : start + MOST_ASKED])
                    rows = connection.execute(select(ENTRY.c.seq, ENTRY.c.hash).where(ENTRY.c.origin == origin, wanted))
                    found.update({(origin, seq): bytes(hash_) for seq, hash_ in rows})
        return found

    # -- entries ------------------------------------------------------------------------------------------

    def read(self, origin: str, after: int, limit: int = 1000, max_bytes: int = 1_000_000) -> list[Stored]:
        """Entries of a chain after ``after``, in order, up to a number and a size of bytes (at least one)."""
        query = select_stored().where(ENTRY.c.origin == origin, ENTRY.c.seq > after).order_by(ENTRY.c.seq).limit(limit)
        entries = [stored_of(row) for row in self._rows(query)]
        return entries[: _within([len(s.raw or s.digest) for s in entries], max_bytes)]

    def items(self, peer: str, origin: str, after: int, limit: int, max_bytes: int) -> list[Item]:
        """As ``read``, in the form that goes to ``peer``: bytes, or digests where it is not addressed."""
        query = (
            select(ENTRY.c.seq, ENTRY.c.audience, ENTRY.c.digest, ENTRY.c.raw)
            .where(ENTRY.c.origin == origin, ENTRY.c.seq > after)
            .order_by(ENTRY.c.seq)
            .limit(limit)
        )
        items = [_item(row, peer, origin) for row in self._rows(query)]
        return items[: _within([len(i.raw or i.digest) for i in items], max_bytes)]

    def since(self, pos: int, kinds: Sequence[str], limit: int) -> list[Stored]:
        """Entries of some kinds applied after ``pos``, in order of application."""
        query = select_stored().where(ENTRY.c.pos > pos, ENTRY.c.kind.in_(kinds)).order_by(ENTRY.c.pos).limit(limit)
        return [stored_of(row) for row in self._rows(query)]

    def in_order(self, pos: int, limit: int = 1000) -> list[Stored]:
        """All entries applied after ``pos``, in order of application: what replay reads."""
        query = select_stored().where(ENTRY.c.pos > pos).order_by(ENTRY.c.pos).limit(limit)
        return [stored_of(row) for row in self._rows(query)]

    def subject(self, subject: str) -> list[Stored]:
        """Every entry about a subject, whoever wrote it, in order of application."""
        query = select_stored().where(ENTRY.c.subject == subject).order_by(ENTRY.c.pos)
        return [stored_of(row) for row in self._rows(query)]

    def entry(self, origin: str, seq: int) -> Stored | None:
        """One entry, None if it is not held."""
        rows = self._rows(select_stored().where(ENTRY.c.origin == origin, ENTRY.c.seq == seq))
        return stored_of(rows[0]) if rows else None

    # -- keys -------------------------------------------------------------------------------------------

    def key_of(self, node: str) -> bytes | None:
        """The Ed25519 public key (32 bytes) of a node that is admitted and not revoked; None otherwise."""
        keys, admitted = self._key(node)
        return keys.present if keys is not None and admitted else None

    def chain_keys(self, node: str) -> KeyHistory | None:
        """The keys that a node's chain is verified with, also after its revocation: what it wrote before stands.

        A revoked node is refused at its link; what its parent took in until then still travels on. One that is
        admitted again with another key has both: the earlier one up to where the parent held its chain.
        """
        return self._key(node)[0]

    def _key(self, node: str) -> tuple[KeyHistory | None, bool]:
        known = self._keys.get(node)
        if known is None:
            kept = self._keys
            known = self._find_key(node)
            if known is not None:
                kept[node] = known  # into the dict from before the look: a newer one knows newer entries
        return known if known is not None else (None, False)

    def _find_key(self, node: str) -> tuple[KeyHistory, bool] | None:
        keys, pinned = self._find_history(node), self._pinned.get(node)
        if pinned is not None:
            return keys.trusting(pinned) if keys is not None else KeyHistory.single(pinned), True
        states = self._rows(select(NODE.c.state).where(NODE.c.code == node))
        return (keys, bool(states) and states[0].state == "admitted") if keys is not None else None

    def _find_history(self, node: str) -> KeyHistory | None:
        about = (ENTRY.c.subject == f"node:{node}") & ENTRY.c.kind.in_(KEY_KINDS)
        rows = self._rows(select_stored().where(about).order_by(ENTRY.c.origin, ENTRY.c.seq))
        return key_history(node, [entry for row in rows if (entry := stored_of(row).entry) is not None])

    def _learn_keys(self, new: Sequence[Stored]) -> None:
        if any(s.entry is not None and s.entry.kind.startswith(("node.", "key.")) for s in new):
            self._keys = {}

    # -- heads and countersignatures ----------------------------------------------------------------------

    def heads(self) -> list[Head]:
        """The newest signed head of every chain."""
        newest: dict[str, Head] = {}
        for row in self._rows(select(HEAD).order_by(HEAD.c.origin, HEAD.c.seq)):
            newest[row.origin] = _head(row)
        return list(newest.values())

    def best_cosign(self, origin: str, by: str | None = None) -> Cosign | None:
        """The countersignature that covers most of a chain, of anybody or of one node."""
        query = select(COSIGN).where(COSIGN.c.origin == origin).order_by(COSIGN.c.seq.desc()).limit(1)
        if by is not None:
            query = query.where(COSIGN.c.by == by)
        rows = self._rows(query)
        return _cosign(rows[0]) if rows else None

    def cosigns(self, origin: str, limit: int = 100) -> list[Cosign]:
        """The newest countersignatures of a chain."""
        query = select(COSIGN).where(COSIGN.c.origin == origin).order_by(COSIGN.c.seq.desc()).limit(limit)
        return [_cosign(row) for row in self._rows(query)]

    def _relay_head(self, origin: str, after: int, upto: int) -> Head | None:
        query = (
            select(HEAD)
            .where(HEAD.c.origin == origin, HEAD.c.seq > after, HEAD.c.seq <= upto)
            .order_by(HEAD.c.seq.desc())
            .limit(1)
        )
        rows = self._rows(query)
        return _head(rows[0]) if rows else None

    def _next_head(self, origin: str, after: int) -> Head | None:
        query = select(HEAD).where(HEAD.c.origin == origin, HEAD.c.seq > after).order_by(HEAD.c.seq).limit(1)
        rows = self._rows(query)
        return _head(rows[0]) if rows else None

    def _rows(self, query: Any) -> Sequence[Any]:
        with self._store.asker() as connection:
            return connection.execute(query).all()


def _item(row: Any, peer: str, origin: str) -> Item:
    audience = audience_of(row.audience)
    seen = row.raw is not None and (addressed(audience, peer) or peer == origin)
    return Item(audience, bytes(row.digest), bytes(row.raw) if seen else None)


def _within(sizes: Sequence[int], most: int) -> int:
    total = 0
    for count, size in enumerate(sizes):
        total += size
        if total > most and count:
            return count
    return len(sizes)


def _head(row: Any) -> Head:
    return Head(row.origin, row.seq, bytes(row.hash), row.at, bytes(row.sig))


def _cosign(row: Any) -> Cosign:
    return Cosign(row.origin, row.seq, bytes(row.hash), row.by, row.at, bytes(row.sig))
