"""Show: entries as lines for people and for other programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select

from wanmi.clock import iso
from wanmi.errors import BadEntry
from wanmi.journal.rows import ENTRY, select_stored, stored_of
from wanmi.store import Store


def shown(
    store: Store,
    *,
    origin: str | None = None,
    subject: str | None = None,
    kind: str | None = None,
    after: int = 0,
    limit: int = 50,
) -> Iterator[dict[str, Any]]:
    """Entries in order of application as plain values; of an origin, a subject, a kind, after a seq."""
    query = select_stored().order_by(ENTRY.c.pos).limit(limit)
    for column, value in ((ENTRY.c.origin, origin), (ENTRY.c.subject, subject), (ENTRY.c.kind, kind)):
        if value is not None:
            query = query.where(column == value)
    if after:
        query = query.where(ENTRY.c.seq > after)
    with store.reader() as connection:
        for row in connection.execute(query):
            yield _plain(row)


def _plain(row: Any) -> dict[str, Any]:
    try:
        stored = stored_of(row)
    except BadEntry as error:
        return {"origin": row.origin, "seq": row.seq, "hash": bytes(row.hash).hex(), "damaged": str(error)}
    head = {"origin": stored.origin, "seq": stored.seq, "hash": stored.hash.hex()}
    entry = stored.entry
    if entry is None:
        return {**head, "redacted": True, "digest": stored.digest.hex()}
    return {
        **head,
        "at": iso(entry.at),
        "kind": entry.kind,
        "subject": entry.subject,
        "version": entry.version,
        "actor": entry.actor,
        "by": entry.by,
        "cause": entry.cause,
        "body": entry.body,
    }


def count_entries(store: Store) -> int:
    """Entries held, of all chains."""
    with store.reader() as connection:
        return int(connection.execute(select(func.count()).select_from(ENTRY)).scalar_one())
