"""The journal of a node: append to the own chain, apply others', read, sign."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from wanmi.clock import Clock
from wanmi.entries import Cosign, Head, sign_cosign, sign_head
from wanmi.errors import ChainBroken, Conflict, NotFound, WanmiError
from wanmi.ids import Ids
from wanmi.journal.appending import Also, Appender, Request
from wanmi.journal.applying import Applier, Checked, head_tuple
from wanmi.journal.keys import KeyHistory
from wanmi.journal.projecting import Projector
from wanmi.journal.reading import Reading
from wanmi.journal.rows import newest, newest_pos
from wanmi.journal.state import ChainState, Versions
from wanmi.journal.types import Batch, Cursor
from wanmi.journal.waking import LoopWaker
from wanmi.models import CosignRow, HeadRow
from wanmi.registry import Draft, Registry, Stored
from wanmi.store import Store, upsert_rows


class Journal(Reading):
    """One node's journal. Thread safe: writes go through the store's one writer, reads through readers.

    ``pinned`` are public signing keys known before any entry says so (the parent's, from enrolment).
    """

    def __init__(
        self,
        node: str,
        store: Store,
        registry: Registry,
        *,
        clock: Clock,
        ids: Ids,
        sign_key: Ed25519PrivateKey,
        pinned: Mapping[str, bytes] | None = None,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._sign_key = sign_key
        self._registry = registry
        self._versions = Versions()
        self._projector = Projector(registry)
        self._appender = Appender(node, registry, self._projector, self._versions)
        self._applier = Applier(self._projector)
        self._listeners: list[Callable[[list[Stored]], None]] = []
        self._cosign_listeners: list[Callable[[Cosign], None]] = []
        self._waker = LoopWaker()
        self._held: str | None = None
        self._staged: ChainState | None = None
        self._new: list[Stored] = []
        self._news: Counter[str] = Counter()
        super().__init__(node, store, dict(pinned or {}), self._load(store, node))
        store.writer.join(self)

    # -- writing ------------------------------------------------------------------------------------------

    def append(self, *drafts: Draft, also: Also | None = None) -> Future[list[Stored]]:
        """Append all drafts or none, with the local writes of ``also(tx, entries)`` in the same transaction.

        The future resolves after the durable commit. A draft of a reactor (cause with ``#``) whose entry is
        already in the chain is not made again: the earlier one is answered.
        Raises in the future: Conflict (``expect``, hold), NotFound (kind), BadEntry, what ``also`` raises.
        """
        return self._store.writer.submit(self._append_group, Request(drafts, also))

    async def append_async(self, *drafts: Draft, also: Also | None = None) -> list[Stored]:
        """``append`` for coroutines: one wake-up of the loop for a whole group."""
        future: asyncio.Future[list[Stored]] = asyncio.get_running_loop().create_future()
        wake = self._waker.of(future)
        self._store.writer.submit_callback(self._append_group, Request(drafts, also), wake.done, wake.failed)
        return await future

    def apply(self, batch: Batch, peer: str, *, own: bool = False) -> Future[Cursor]:
        """Verify a batch of another node's chain and apply it, with projections, head and cursor, in one
        transaction; what is already held is compared and skipped.

        ``own`` lets a peer give this node's own lost tail back. Raises in the future: Gap, ForkSeen (with
        evidence kept), ChainBroken, NotFound (no key of the origin is known).
        """
        try:
            checked = Checked(batch, peer, self._keys_for(batch, own=own))
        except WanmiError as error:
            failed: Future[Cursor] = Future()
            failed.set_exception(error)
            return failed
        return self._store.writer.submit(self._apply_group, checked)

    def write(self, work: Callable[[Connection], Any]) -> Future[Any]:
        """Writes to local tables, in the one writer."""
        return self._store.write(work)

    def hold(self, reason: str) -> None:
        """Refuse appends until ``release``: a node that lost its tail gets it back first."""
        self._held = reason

    def release(self) -> None:
        """Accept appends again."""
        self._held = None

    @property
    def held(self) -> str | None:
        """Why appends are refused now, None when they are not."""
        return self._held

    # -- heads and countersignatures ----------------------------------------------------------------------

    def sign_head(self, seq: int | None = None) -> Head:
        """The own chain's signed head, at ``seq`` or its end; NotFound beyond the end."""
        cursor = self.cursor(self.node)
        hash_ = cursor.hash if seq is None or seq == cursor.seq else self.hash_at(self.node, seq)
        if hash_ is None:
            raise NotFound(f"chain {self.node} has no entry {seq}")
        return sign_head(self._sign_key, self.node, cursor.seq if seq is None else seq, hash_, self._clock.now())

    def cosign(self, origin: str) -> Cosign | None:
        """A countersignature, made now, of what this node durably holds of another chain; None if nothing."""
        cursor = self.cursor(origin)
        if cursor.seq == 0 or origin == self.node:
            return None
        return sign_cosign(self._sign_key, self.node, origin, cursor.seq, cursor.hash, self._clock.now())

    def note_cosign(self, cosign: Cosign) -> Future[None]:
        """Keep a countersignature that was given or received (its signature is verified by the caller)."""
        future = self._store.write(lambda tx: upsert_rows(tx, CosignRow, [_cosign_tuple(cosign)]))
        future.add_done_callback(lambda done: None if done.exception() else self._tell_cosign(cosign))
        return future

    def batch_for(
        self, peer: str, origin: str, after: int, *, limit: int = 1000, max_bytes: int = 1_000_000
    ) -> Batch | None:
        """The next entries of a chain for a peer, redacted where it is not addressed; None if there are none.

        A batch of the own chain ends with a head signed now; one of another chain ends at a head that its
        origin signed and that was received here.
        """
        items = self.items(peer, origin, after, limit, max_bytes)
        if not items:
            return None
        if origin == self.node:
            return Batch(origin, after, tuple(items), self.sign_head(after + len(items)))
        head = self._relay_head(origin, after, after + len(items))
        if head is None:
            return self._beyond(peer, origin, after)
        return Batch(origin, after, tuple(items[: head.seq - after]), head)

    def _beyond(self, peer: str, origin: str, after: int) -> Batch | None:
        """A relayed batch that is longer than asked, because its origin signed no head in between."""
        head = self._next_head(origin, after)
        if head is None:
            return None
        items = self.items(peer, origin, after, head.seq - after, 1 << 62)
        return Batch(origin, after, tuple(items), head)

    # -- hints ------------------------------------------------------------------------------------------

    def listen(self, told: Callable[[list[Stored]], None]) -> None:
        """Call ``told(new entries)`` after each commit, in the writer's thread: a hint; return at once."""
        self._listeners.append(told)

    def listen_cosign(self, told: Callable[[Cosign], None]) -> None:
        """Call ``told`` after a countersignature was kept, in the writer's thread; return at once."""
        self._cosign_listeners.append(told)

    def news(self, *kinds: str) -> int:
        """How many entries of these kinds came since the start: while it stays, what was read of them still holds."""
        return sum(self._news[kind] for kind in kinds)

    # -- the writer's side ----------------------------------------------------------------------------------

    def begin(self) -> None:
        """A transaction begins (called by the writer)."""
        self._staged = None
        self._new = []
        self._versions.rollback()

    @property
    def last_at(self) -> int:
        """The time (µs UTC) of the newest entry of this node's own chain; 0 when it has none."""
        return self._state.last_at

    def before_commit(self, tx: Connection) -> None:
        """Sign the own chain's new head within the transaction (called by the writer)."""
        staged = self._staged
        if staged is None:
            return
        cursor = staged.cursor(self.node)
        if cursor.seq == self._state.cursor(self.node).seq:
            return
        head = sign_head(self._sign_key, self.node, cursor.seq, cursor.hash, staged.last_at)
        tx.exec_driver_sql(_FORGET_HEADS[tx.dialect.name], (self.node, cursor.seq))
        upsert_rows(tx, HeadRow, [head_tuple(head)])

    def committed(self) -> None:
        """The commit is durable (called by the writer)."""
        if self._staged is None:
            return
        self._state = self._staged
        self._staged = None
        self._versions.commit()
        self._learn_keys(self._new)
        self._news.update([stored.entry.kind for stored in self._new if stored.entry is not None])
        for told in self._listeners:
            told(self._new)

    def _append_group(self, tx: Connection, requests: Sequence[Request]) -> list[list[Stored]]:
        if self._held is not None:
            raise Conflict(f"node {self.node} writes nothing now: {self._held}")
        answers, new = self._appender.append(tx, requests, self._stage(), self._clock.now(), self._ids.token)
        self._new.extend(new)
        return answers

    def _apply_group(self, tx: Connection, batches: Sequence[Checked]) -> list[Any]:
        results: list[Any] = []
        for checked in batches:
            result, new = self._applier.apply(tx, checked, self._stage(), self._clock.now())
            self._new.extend(new)
            if new and checked.batch.origin == self.node:
                self._versions.clear()
                self._stage().last_at = max(self._stage().last_at, _last_at(new))
            results.append(result)
        return results

    def _stage(self) -> ChainState:
        if self._staged is None:
            self._staged = self._state.copy()
        return self._staged

    def signed_here(self, head: Head) -> bool:
        """Whether this node signed the head: with its key of now, or with an earlier one that was replaced."""
        return self.own_keys(head).signed(head)

    def _keys_for(self, batch: Batch, *, own: bool) -> KeyHistory:
        if (batch.origin == self.node) != own:
            raise ChainBroken(batch.origin, batch.after + 1, "forged-origin", "a node writes only its own chain")
        keys = self.own_keys(batch.head) if own else self.chain_keys(batch.origin)
        if keys is None:
            raise NotFound(f"node {batch.origin}: no admitted signing key is known here; admit it at its parent first")
        return keys

    def own_keys(self, head: Head) -> KeyHistory:
        """What verifies a head of the own chain: the key of now, or for what that did not sign, the history of keys."""
        now = KeyHistory.single(self._sign_key.public_key().public_bytes_raw())
        return now if now.signed(head) else self.chain_keys(self.node) or now

    def _tell_cosign(self, cosign: Cosign) -> None:
        for told in self._cosign_listeners:
            told(cosign)

    @staticmethod
    def _load(store: Store, node: str) -> ChainState:
        with store.reader() as connection:
            state = ChainState(pos=newest_pos(connection))
            for origin, seq, hash_, at in newest(connection):
                state.cursors[origin] = Cursor(seq, bytes(hash_))
                if origin == node:
                    state.last_at = at or 0
        return state


_FORGET_HEADS = {
    "sqlite": "DELETE FROM head WHERE origin = ? AND seq <= ?",
    "postgresql": "DELETE FROM head WHERE origin = %s AND seq <= %s",
}


def _last_at(new: Sequence[Stored]) -> int:
    return max((stored.entry.at for stored in new if stored.entry is not None), default=0)


def _cosign_tuple(cosign: Cosign) -> tuple[Any, ...]:
    return (cosign.origin, cosign.by, cosign.seq, cosign.hash, cosign.at, cosign.sig)
