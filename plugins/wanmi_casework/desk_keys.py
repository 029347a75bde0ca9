"""Idempotency keys of a desk: who asked what under which key, and the versions that came of it. A local table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import BigInteger, Connection, String, Text, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.entries import Entry
from wanmi.errors import BadInput
from wanmi.models import Row, mark, table
from wanmi.registry import Stored
from wanmi.store import Store, insert_rows

MAX_KEY = 100
KEPT = 7 * 24 * 3_600_000_000
"""How long keys are kept, µs."""


class DeskKeyRow(Row):
    """A key that an actor sent with an ask. ``asked`` is the SHA-256 of the ask, ``made`` a JSON list of [subject, version]."""

    __tablename__ = "desk_key"
    actor: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(String(MAX_KEY), primary_key=True)
    asked: Mapped[str] = mapped_column(String(64))
    made: Mapped[str] = mapped_column(Text)
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local")


@dataclass(frozen=True)
class AskKey:
    """An ask that comes with a key."""

    actor: str
    key: str
    asked: str

    def check(self) -> None:
        """BadInput for a key that is too long or not printable."""
        if len(self.key) > MAX_KEY or not self.key.isprintable():
            raise BadInput(f"idempotency key {self.key[:40]!r}: at most {MAX_KEY} printable characters")


def earlier_answer(store: Store, ask: AskKey) -> list[tuple[str, int]] | None:
    """The (subject, version) pairs that this ask made before; None if it is new. BadInput for another ask."""
    keys = table(DeskKeyRow)
    query = select(keys.c.asked, keys.c.made).where(keys.c.actor == ask.actor, keys.c.key == ask.key)
    with store.reader() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.asked != ask.asked:
        raise BadInput(f"idempotency key {ask.key!r} was used for another ask; take a new key")
    return [(str(subject), int(version)) for subject, version in orjson.loads(row.made)]


def remember(tx: Connection, ask: AskKey, made: Sequence[Stored], at: int) -> None:
    """Keep the key in the transaction of the entries; forget those that are old."""
    pairs = [(entry.subject, entry.version) for entry in _entries(made)]
    insert_rows(tx, DeskKeyRow, [(ask.actor, ask.key, ask.asked, orjson.dumps(pairs).decode(), at)])
    keys = table(DeskKeyRow)
    tx.execute(delete(keys).where(keys.c.actor == ask.actor, keys.c.at < at - KEPT))


def _entries(made: Sequence[Stored]) -> list[Entry]:
    return [stored.entry for stored in made if stored.entry is not None]
