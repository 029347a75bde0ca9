"""Append: drafts become entries of this node's chain, a group of requests in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import orjson
from sqlalchemy import Connection

from wanmi.entries import ENVELOPE_V, Entry, chain_hash, encode, raw_digest
from wanmi.errors import BadEntry, Conflict
from wanmi.journal.projecting import Projector
from wanmi.journal.rows import ENTRY, EntryTuple, select_stored, stored_of
from wanmi.journal.state import ChainState, Versions
from wanmi.journal.types import Cursor
from wanmi.models import EntryRow
from wanmi.registry import Draft, EntryKind, Registry, Stored
from wanmi.store import insert_rows

Also = Callable[[Connection, list[Stored]], None]


class Request(msgspec.Struct, frozen=True):
    """One call of append: all of its drafts, or none, with local writes in the same transaction."""

    drafts: tuple[Draft, ...]
    also: Also | None


class Appender:
    """Seals drafts onto the chain; used only in the writer's thread."""

    def __init__(self, node: str, registry: Registry, projector: Projector, versions: Versions) -> None:
        self._node = node
        self._registry = registry
        self._projector = projector
        self._versions = versions

    def append(
        self, tx: Connection, requests: Sequence[Request], state: ChainState, now: int, salt: Callable[[int], bytes]
    ) -> tuple[list[list[Stored]], list[Stored]]:
        """Append a group; answers the entries of each request, and all new ones.

        Raises (and so makes the group be run one by one) on Conflict and BadEntry.
        """
        drafts = [draft for request in requests for draft in request.drafts]
        self._load_versions(tx, drafts)
        earlier = self._earlier_reactions(tx, drafts)
        new: list[EntryTuple] = []
        answers = [[self._one(draft, state, now, salt, earlier, new) for draft in r.drafts] for r in requests]
        insert_rows(tx, EntryRow, [item.columns() for item in new])
        self._projector.project_own(tx, [item.entry for item in new if item.entry is not None])
        for request, stored in zip(requests, answers, strict=True):
            if request.also is not None:
                request.also(tx, stored)
        return answers, [item.stored() for item in new]

    def _one(
        self,
        draft: Draft,
        state: ChainState,
        now: int,
        salt: Callable[[int], bytes],
        earlier: dict[str, Stored],
        new: list[EntryTuple],
    ) -> Stored:
        reaction = draft.cause if draft.cause is not None and "#" in draft.cause else None
        if reaction is not None and reaction in earlier:
            return earlier[reaction]
        item = self._seal(draft, state, now, salt)
        new.append(item)
        stored = item.stored()
        if reaction is not None:
            earlier[reaction] = stored
        return stored

    def _seal(self, draft: Draft, state: ChainState, now: int, salt: Callable[[int], bytes]) -> EntryTuple:
        kind = self._registry.kind(draft.kind)
        cursor = state.cursor(self._node)
        at = max(now, state.last_at + 1)
        entry = Entry(
            ENVELOPE_V, self._node, cursor.seq + 1, at, draft.audience, draft.kind, kind.version, draft.subject,
            self._next_version(draft), draft.actor, draft.by or kind.plugin, draft.cause, _plain(draft, kind),
            salt(16).hex(),
        )  # fmt: skip
        raw = encode(entry)
        digest = raw_digest(raw)
        hash_ = chain_hash(cursor.hash, entry.audience, digest)
        state.cursors[self._node] = Cursor(entry.seq, hash_)
        state.pos += 1
        state.last_at = at
        self._versions.put(draft.subject, entry.version)
        return EntryTuple(state.pos, at, self._node, entry.seq, entry.audience, digest, hash_, raw, entry)

    def _next_version(self, draft: Draft) -> int:
        current = self._versions.get(draft.subject) or 0
        if draft.expect is not None and draft.expect != current:
            raise Conflict(
                f"{draft.subject}: it is at version {current}, not {draft.expect}; "
                f"somebody else wrote first, look at it again"
            )
        return current + 1

    def _load_versions(self, tx: Connection, drafts: Sequence[Draft]) -> None:
        wanted = {draft.subject for draft in drafts if self._versions.get(draft.subject) is None}
        if not wanted:
            return
        rows = tx.exec_driver_sql(_VERSIONS[tx.dialect.name], (self._node, _list(tx, wanted)))
        found = {subject: version for subject, version in rows}  # noqa: C416 - Row is not a plain pair
        for subject in wanted:
            self._versions.put(subject, found.get(subject, 0))

    def _earlier_reactions(self, tx: Connection, drafts: Sequence[Draft]) -> dict[str, Stored]:
        """Entries that reactors already made for the same causes: they are answered, not made twice."""
        causes = {draft.cause for draft in drafts if draft.cause is not None and "#" in draft.cause}
        if not causes:
            return {}
        found = tx.exec_driver_sql(_REACTIONS[tx.dialect.name], (self._node, _list(tx, causes))).all()
        if not found:
            return {}
        seqs = {seq: cause for cause, seq in found}
        query = select_stored().where(ENTRY.c.origin == self._node, ENTRY.c.seq.in_(list(seqs)))
        return {seqs[row[2]]: stored_of(row) for row in tx.execute(query)}


_VERSIONS = {
    "sqlite": "SELECT subject, max(version) FROM entry WHERE origin = ? AND subject IN (SELECT value FROM json_each(?)) "
    "GROUP BY subject",
    "postgresql": "SELECT subject, max(version) FROM entry WHERE origin = %s AND subject = ANY(%s) GROUP BY subject",
}
_REACTIONS = {
    "sqlite": "SELECT cause, seq FROM entry WHERE origin = ? AND cause LIKE '%#%' AND cause IN "
    "(SELECT value FROM json_each(?))",
    "postgresql": "SELECT cause, seq FROM entry WHERE origin = %s AND cause LIKE '%%#%%' AND cause = ANY(%s)",
}


def _list(tx: Connection, values: set[str]) -> Any:
    """Many values as one parameter: SQLite takes JSON, PostgreSQL an array."""
    return orjson.dumps(list(values)).decode() if tx.dialect.name == "sqlite" else list(values)


def _plain(draft: Draft, kind: EntryKind) -> dict[str, Any]:
    """The body as plain values, checked against the kind's type."""
    body = draft.body
    if not isinstance(body, kind.body):
        try:
            body = msgspec.convert(body, kind.body, strict=True)
        except msgspec.ValidationError as error:
            raise BadEntry(f"{draft.kind} {draft.subject}: {error}") from error
    plain: dict[str, Any] = msgspec.to_builtins(body)
    return plain
