"""Entry rows: to and from the table, for both databases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import orjson
from sqlalchemy import Connection, Select, func, select

from wanmi.entries import EVERYONE, Audience, Entry, decode_trusted
from wanmi.models import EntryRow, HeadRow, table
from wanmi.registry import Stored

ENTRY = table(EntryRow)
HEAD = table(HeadRow)
STORED_COLUMNS = (
    ENTRY.c.pos, ENTRY.c.origin, ENTRY.c.seq, ENTRY.c.audience, ENTRY.c.digest, ENTRY.c.hash,
    ENTRY.c.received_at, ENTRY.c.raw,
)  # fmt: skip


class EntryTuple(msgspec.Struct, frozen=True):
    """What a new row is made from."""

    pos: int
    received_at: int
    origin: str
    seq: int
    audience: Audience
    digest: bytes
    hash: bytes
    raw: bytes | None
    entry: Entry | None

    def stored(self) -> Stored:
        """As this node will read it again."""
        return Stored(
            self.pos, self.origin, self.seq, self.audience, self.digest, self.hash, self.received_at, self.raw,
            self.entry,
        )  # fmt: skip

    def columns(self) -> tuple[Any, ...]:
        """In the order of EntryRow's columns."""
        e = self.entry
        audience = audience_text(self.audience)
        if e is None:
            return (
                self.pos, self.origin, self.seq, None, None, audience, None, None, None, None, None, None, None,
                None, None, self.raw, self.digest, self.hash, self.received_at,
            )  # fmt: skip
        return (
            self.pos, e.origin, e.seq, e.v, e.at, audience, e.kind, e.kind_v, e.subject, e.version, e.actor, e.by,
            e.cause, body_text(e.body), e.salt, self.raw, self.digest, self.hash, self.received_at,
        )  # fmt: skip


def audience_text(audience: Audience) -> str:
    """``*`` or the codes with commas: as the column shows it."""
    return audience if isinstance(audience, str) else ",".join(audience)


def audience_of(text: str) -> Audience:
    """The audience that the column shows."""
    if text == EVERYONE:
        return EVERYONE
    return tuple(text.split(",")) if text else ()


def body_text(body: dict[str, Any]) -> str:
    """The body's canonical JSON, as the column shows it."""
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()


def stored_of(row: Sequence[Any]) -> Stored:
    """A Stored of a row of STORED_COLUMNS."""
    pos, origin, seq, audience, digest, hash_, received_at, raw = row
    data = None if raw is None else bytes(raw)
    entry = None if data is None else decode_trusted(data)
    return Stored(pos, origin, seq, audience_of(audience), bytes(digest), bytes(hash_), received_at, data, entry)


def select_stored() -> Select[Any]:
    """Select what ``stored_of`` reads."""
    return select(*STORED_COLUMNS)


def newest(tx: Connection) -> Iterable[Sequence[Any]]:
    """(origin, seq, hash, at) of the newest entry of every chain."""
    last = select(ENTRY.c.origin, func.max(ENTRY.c.seq).label("seq")).group_by(ENTRY.c.origin).subquery()
    query = select(ENTRY.c.origin, ENTRY.c.seq, ENTRY.c.hash, ENTRY.c.at).join(
        last, (ENTRY.c.origin == last.c.origin) & (ENTRY.c.seq == last.c.seq)
    )
    return tx.execute(query).all()


def newest_pos(tx: Connection) -> int:
    """The position of the entry that was applied last, 0 when there is none."""
    return int(tx.execute(select(func.coalesce(func.max(ENTRY.c.pos), 0))).scalar_one())
