"""While a peer holds more of this node's chain than the node does, the node writes nothing (rules R6, R7)."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future

from sqlalchemy import Connection, delete, select

from wanmi.errors import BadInput, WanmiError
from wanmi.journal import Journal
from wanmi.journal.types import Batch, Cursor
from wanmi.link_kinds import TailGivenUp
from wanmi.links.rows import HoldRow
from wanmi.links.tail import Signer, Tail, admitted_in
from wanmi.models import EntryRow, table
from wanmi.registry import Draft, Stored
from wanmi.store import Store, delete_keys, upsert_rows

HOLD, ENTRY = table(HoldRow), table(EntryRow)
SHOWN = 20
"""Numbers of lacking entries that a reason names."""
MOST_RUNS = 1000
"""Runs of lost entries that one ``tail.given_up`` names; more are joined into the last one."""


class Holding:
    """The peers that may have something to give back, and what came of it; durable over restarts."""

    def __init__(self, journal: Journal, store: Store, signer: Signer) -> None:
        self._journal = journal
        self._store = store
        self._clock = signer.clock
        with store.reader() as connection:
            self._peers: dict[str, str] = {r.peer: r.reason for r in connection.execute(select(HOLD))}
        self._tail = Tail(journal, store, signer)
        for reason in self._peers.values():
            journal.hold(reason)

    @property
    def peers(self) -> dict[str, str]:
        """Who is to be heard before this node writes, and the reason as told; the node itself when all were."""
        return dict(self._peers)

    @property
    def lacking(self) -> list[int]:
        """The numbers of own entries whose bytes nobody has given back yet."""
        return self._tail.lacking

    def hold(self, peer: str, reason: str, others: Iterable[str] = ()) -> None:
        """Write nothing until ``peer`` has given back what it holds, and ``others`` have said what they hold."""
        self._journal.hold(reason)
        new = {peer: reason} | {other: f"not heard since {peer} showed a loss" for other in others if other != peer}
        new = {code: why for code, why in new.items() if code not in self._peers}
        self._peers |= new
        rows = [(code, why, self._clock.now()) for code, why in new.items()]
        self._store.write(lambda tx: upsert_rows(tx, HoldRow, rows)).result()

    def take(self, batch: Batch, peer: str) -> Future[Cursor]:
        """A part of the lost tail came: how far the peer's gift goes, or (in the future) why it is none.

        Children whose admission comes back are heard as well before this node writes. It waits for the disk: a node
        that is held has nothing else to do.
        """
        future: Future[Cursor] = Future()
        try:
            checked = self._tail.checked(batch, peer)
            for child in admitted_in(checked):
                self.hold(child, f"its admission came back from {peer}; it may hold more")
            future.set_result(self._tail.take(batch, peer))
            self._release_if_whole()
        except WanmiError as error:
            future.set_exception(error)
        return future

    def release(self, peer: str) -> None:
        """The peer has nothing more to give back."""
        if peer not in self._peers:
            return
        left = {code: why for code, why in self._peers.items() if code != peer}
        if not left and self._tail.lacking:
            left = {self._journal.node: self._lost_for_good()}
        self._keep(left)
        self._release_if_whole()

    def give_up(self, reason: str, actor: str | None) -> Future[list[Stored]]:
        """A person decides: nobody else is waited for, and entries that nobody gave back are lost.

        They stay in the chain as their digests; what was lost, who was not heard and why is journaled, in one
        transaction with the end of the hold. Raises BadInput when nothing is held, StoreError.
        """
        if not self._peers:
            raise BadInput("this node is not held: no peer is waited for and no entry of its own is lacking")
        me = self._journal.node
        self._tail.give_up()
        body = TailGivenUp(self._lost_runs(), sorted(peer for peer in self._peers if peer != me), reason)
        before, self._peers = self._peers, {}
        self._journal.release()
        draft = Draft("tail.given_up", f"node:{me}", body, actor=actor)
        future = self._journal.append(draft, also=lambda tx, _: self._forget(tx))
        future.add_done_callback(lambda done: self._hold_again(before) if done.exception() else None)
        return future

    def _forget(self, tx: Connection) -> None:
        tx.execute(delete(HOLD))
        self._tail.forget(tx)

    def _hold_again(self, peers: dict[str, str]) -> None:
        self._peers = peers
        self._journal.hold(next(iter(peers.values())))

    def _keep(self, peers: dict[str, str]) -> None:
        """These are held from now on: on disk first, for it is the disk that a restart asks."""
        gone = [(peer,) for peer in self._peers if peer not in peers]
        new = [(peer, why, self._clock.now()) for peer, why in peers.items() if peer not in self._peers]

        def work(tx: Connection) -> None:
            delete_keys(tx, HoldRow, gone)
            upsert_rows(tx, HoldRow, new)
            if not peers:
                self._tail.forget(tx)

        self._store.write(work).result()
        self._peers = peers

    def _release_if_whole(self) -> None:
        """Only what nobody has was waited for, and it came after all; or nobody is waited for any more."""
        if not self._tail.lacking and set(self._peers) <= {self._journal.node}:
            if self._peers:
                self._keep({})
            self._journal.release()

    def _lost_for_good(self) -> str:
        lacking = self._tail.lacking
        shown = ", ".join(str(seq) for seq in lacking[:SHOWN]) + (" …" if len(lacking) > SHOWN else "")
        return (
            f"every peer was heard and none holds the bytes of own entries {shown} ({len(lacking)} in all): "
            f"`wanmi link recover --accept-loss` gives them up"
        )

    def _lost_runs(self) -> list[tuple[int, int]]:
        """Runs (first, last) of own entries without bytes."""
        query = select(ENTRY.c.seq).where(ENTRY.c.origin == self._journal.node, ENTRY.c.raw.is_(None))
        with self._store.reader() as connection:
            seqs = connection.execute(query.order_by(ENTRY.c.seq)).scalars().all()
        runs: list[tuple[int, int]] = []
        for seq in seqs:
            if runs and (seq == runs[-1][1] + 1 or len(runs) == MOST_RUNS):
                runs[-1] = (runs[-1][0], seq)
            else:
                runs.append((seq, seq))
        return runs
