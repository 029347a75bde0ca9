"""Idempotency keys of the HTTP API: what was asked under which key, and the answer that it got. A local table."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Connection, Integer, LargeBinary, String, Text, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.errors import BadInput, Conflict
from wanmi.models import Row, mark, table
from wanmi.store import Store, upsert_rows

MAX_KEY = 100
KEPT = 7 * 24 * 3_600_000_000
"""How long answers are kept, µs."""
MAX_ANSWER = 256 * 1024
"""Bytes of an answer that is kept."""


class RequestKeyRow(Row):
    """A key that somebody sent with a request. ``asked`` is the SHA-256 of the request, the rest its answer; ``at`` µs UTC."""

    __tablename__ = "request_key"
    actor: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(String(MAX_KEY), primary_key=True)
    asked: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(Integer)
    media: Mapped[str] = mapped_column(Text)
    answer: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local")


@dataclass(frozen=True)
class RequestKey:
    """A request that comes with a key."""

    actor: str
    key: str
    asked: str

    def check(self) -> None:
        """BadInput for a key that is too long or not printable."""
        if not 1 <= len(self.key) <= MAX_KEY or not self.key.isascii() or not self.key.isprintable():
            raise BadInput(f"idempotency key {self.key[:40]!r}: 1 to {MAX_KEY} printable ASCII characters")


@dataclass(frozen=True)
class KeptAnswer:
    """An answer as it was given."""

    status: int
    media: str
    body: bytes


def earlier_answer(store: Store, request: RequestKey) -> KeptAnswer | None:
    """What this request was answered before; None if it is new. Conflict when the key was another request's."""
    row = table(RequestKeyRow).c
    query = select(row.asked, row.status, row.media, row.answer).where(
        row.actor == request.actor, row.key == request.key
    )
    with store.reader() as connection:
        found = connection.execute(query).one_or_none()
    if found is None:
        return None
    if found.asked != request.asked:
        raise Conflict(f"idempotency key {request.key!r} was used for another request; take a new key")
    return KeptAnswer(found.status, found.media, bytes(found.answer))


def keep_answer(tx: Connection, request: RequestKey, answer: KeptAnswer, at: int) -> None:
    """Keep an answer; forget this actor's old ones."""
    upsert_rows(
        tx,
        RequestKeyRow,
        [(request.actor, request.key, request.asked, answer.status, answer.media, answer.body, at)],
    )
    row = table(RequestKeyRow)
    tx.execute(delete(row).where(row.c.actor == request.actor, row.c.at < at - KEPT))
