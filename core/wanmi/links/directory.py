"""Who is who and what is where, read from the node's projections: the sides of a link that are not the journal."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select

from wanmi.entries import EVERYONE, Head, addressed
from wanmi.identity import z85_encode
from wanmi.journal.rows import audience_of
from wanmi.links.terms import Peer
from wanmi.models import ArrivalRow, HeadRow, LinkRow, NodeRow, table
from wanmi.registry import Stored
from wanmi.store import Blobs, Missing, Naming, Store, namings_of, of_one_district

NODE, ARRIVAL, LINK = table(NodeRow), table(ArrivalRow), table(LinkRow)
HEAD = table(HeadRow)


class StoreDirectory:
    """The admissions, kept in memory and read again after an entry about a node."""

    def __init__(self, store: Store, me: str) -> None:
        self._store = store
        self._me = me
        self._peers: dict[str, Peer] | None = None
        self._version = 0

    def told(self, new: Sequence[Stored]) -> bool:
        """After a commit: forget what an entry about a node may have changed; True if one was there."""
        changed = any(stored.entry is not None and stored.entry.kind.startswith("node.") for stored in new)
        if changed:
            self._version += 1
            self._peers = None
        return changed

    def peer(self, code: str) -> Peer | None:
        """A node by its code."""
        return self._all().get(code)

    def children(self) -> list[Peer]:
        """The nodes that this node admitted and did not revoke."""
        return [peer for peer in self._all().values() if peer.parent == self._me and peer.active]

    def by_curve(self, curve: bytes) -> Peer | None:
        """The child that speaks with a CURVE key (z85)."""
        return next((peer for peer in self.children() if peer.curve == curve), None)

    def through(self, peer: str, origin: str) -> bool:
        """Whether ``origin`` is ``peer`` or was admitted by it or by one below it."""
        known, seen = self._all(), set()
        at: str | None = origin
        while at is not None and at not in seen:
            if at == peer:
                return True
            seen.add(at)
            at = known[at].parent if at in known else None
        return False

    def head(self, origin: str, seq: int) -> Head | None:
        """The signed head that was received for a chain at ``seq``."""
        query = select(HEAD).where(HEAD.c.origin == origin, HEAD.c.seq == seq)
        with self._store.reader() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Head(row.origin, row.seq, bytes(row.hash), row.at, bytes(row.sig))

    def noted(self) -> dict[str, int]:
        """Up to where this node journaled the arrivals of each origin."""
        query = select(ARRIVAL.c.origin, ARRIVAL.c.seq).where(ARRIVAL.c.by == self._me)
        with self._store.reader() as connection:
            return {row.origin: row.seq for row in connection.execute(query)}

    def links_up(self) -> set[str]:
        """The children whose links this node journaled as up."""
        query = select(LINK.c.peer).where(LINK.c.by == self._me, LINK.c.up == 1)
        with self._store.reader() as connection:
            return set(connection.execute(query).scalars())

    def _all(self) -> dict[str, Peer]:
        peers = self._peers
        if peers is None:
            version = self._version
            query = select(NODE.c.code, NODE.c.parent, NODE.c.sign_key, NODE.c.curve_key, NODE.c.state)
            with self._store.reader() as connection:
                rows = connection.execute(query).all()
            peers = {row.code: _peer(row.code, row.parent, row.sign_key, row.curve_key, row.state) for row in rows}
            if version == self._version:  # else a commit came in between: what was read may be old
                self._peers = peers
        return peers


def _peer(code: str, parent: str | None, sign: str, curve: str, state: str) -> Peer:
    return Peer(code, parent, bytes.fromhex(sign), z85_encode(bytes.fromhex(curve)), state == "admitted")


class StoreDepot:
    """A node's sealed blobs, and who may have them."""

    def __init__(self, store: Store, blobs: Blobs, vouchers: Collection[str]) -> None:
        self._store = store
        self._blobs = blobs
        self._vouchers = vouchers

    def missing(self, limit: int, skip: int) -> list[Missing]:
        """Blobs that entries name and that are not here."""
        return self._blobs.missing(limit, skip)

    def size(self, blob: str) -> int:
        """Sealed bytes; NotFound."""
        return self._blobs.size(blob)

    def read(self, blob: str, offset: int, n: int) -> bytes:
        """Sealed bytes from an offset."""
        return self._blobs.read(blob, offset, n)

    def wrap_key(self, blob: str, seal_public: bytes) -> bytes:
        """The key for one receiver; NotAllowed once destroyed."""
        return self._blobs.wrap_key(blob, seal_public)

    def may_see(self, peer: str, blob: str) -> bool:
        """Whether an entry that names the blob, and counts, is addressed to the peer or its own (``wanmi.store.named``).

        A peer that names what it was never sent gets nothing by it, nor does anybody whom it addresses; an entry for
        everyone is for those whom the chain goes to: not for a parent's other children.
        """
        with self._store.reader() as connection:
            namings = namings_of(connection, [blob], self._vouchers).get(blob, ())
        return any(one.origin == peer or self._is_for(peer, one) for one in namings)

    def _is_for(self, peer: str, naming: Naming) -> bool:
        audience = audience_of(naming.audience)
        if audience != EVERYONE:
            return addressed(audience, peer)
        return peer in self._vouchers or naming.origin in self._vouchers or of_one_district(naming.origin, peer)
