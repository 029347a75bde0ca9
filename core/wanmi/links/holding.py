"""While a peer holds more of this node's chain than the node does, the node writes nothing (rules R6, R7)."""

from __future__ import annotations

from sqlalchemy import select

from wanmi.journal import Journal
from wanmi.links.rows import HoldRow
from wanmi.models import table
from wanmi.store import Store, delete_keys, upsert_rows


class Holding:
    """The peers that have something to give back; durable over restarts."""

    def __init__(self, journal: Journal, store: Store) -> None:
        self._journal = journal
        self._store = store
        row = table(HoldRow)
        with store.reader() as connection:
            self._peers: dict[str, str] = {r.peer: r.reason for r in connection.execute(select(row))}
        for reason in self._peers.values():
            journal.hold(reason)

    @property
    def peers(self) -> dict[str, str]:
        """Who has something to give back, and the reason as told."""
        return dict(self._peers)

    def hold(self, peer: str, reason: str, at: int) -> None:
        """Write nothing from now on."""
        self._journal.hold(reason)
        self._peers[peer] = reason
        self._store.write(lambda tx: upsert_rows(tx, HoldRow, [(peer, reason, at)]))

    def release(self, peer: str) -> None:
        """The peer has nothing more to give back."""
        if self._peers.pop(peer, None) is None:
            return
        self._store.write(lambda tx: delete_keys(tx, HoldRow, [(peer,)]))
        if not self._peers:
            self._journal.release()
