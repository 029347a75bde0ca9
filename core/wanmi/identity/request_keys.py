"""Idempotency keys of the HTTP API: what was asked under which key, and the answer that it got. A local table.

A key is reserved durably before its request does anything. The answer is written in the transaction of the effect
where the effect offers one (``keep_answer`` in an append's ``also``), else right after it. So a reservation without an
answer whose request runs no longer says: it may have been done or not, and only whoever looks can tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Integer, LargeBinary, String, Text, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.clock import iso
from wanmi.errors import BadInput, Conflict
from wanmi.models import Row, mark, table
from wanmi.store import Store, insert_rows

MAX_KEY = 100
KEPT = 7 * 24 * 3_600_000_000
"""How long answers are kept, µs."""
MAX_ANSWER = 256 * 1024
"""Bytes of an answer that is kept."""
RESERVED = 0
"""The status of a key whose request has no answer (yet)."""


class OutcomeUnknown(Conflict):
    """A request with this key began and left no answer: whether it was done has to be looked at."""


class RequestKeyRow(Row):
    """A key that somebody sent with a request. ``asked`` is the SHA-256 of the request, the rest its answer (``status``
    0: none yet, or none ever); ``at`` is when it began, µs UTC.
    """

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


_ROW = table(RequestKeyRow)


def reserve_key(store: Store, request: RequestKey, at: int) -> KeptAnswer | None:
    """Reserve the key, durably before this returns: None. Or what this very request was answered before.

    OutcomeUnknown when it began before and left no answer (whoever calls knows that it runs no longer), BadInput when
    the key was another request's.
    """
    found = store.write(lambda tx: _find_or_reserve(tx, request, at)).result()
    if found is None:
        return None
    if found.asked != request.asked:
        raise BadInput(f"idempotency key {request.key!r} was used for another request; take a new key")
    if found.status == RESERVED:
        raise OutcomeUnknown(
            f"a request with idempotency key {request.key!r} began at {iso(found.at)} and its outcome was not kept: it "
            "may have been done or not. It is not done again under this key; look, then ask with a new key if need be"
        )
    return KeptAnswer(found.status, found.media, bytes(found.answer))


def keep_answer(tx: Connection, request: RequestKey, answer: KeptAnswer) -> None:
    """Write the answer to a reserved key."""
    said = {"status": answer.status, "media": answer.media, "answer": answer.body}
    tx.execute(update(_ROW).where(_is(request)).values(said))


def release_key(tx: Connection, request: RequestKey) -> None:
    """Forget a reservation: the request was refused and has changed nothing. A key with an answer stays."""
    tx.execute(delete(_ROW).where(_is(request), _ROW.c.status == RESERVED))


def _find_or_reserve(tx: Connection, request: RequestKey, at: int) -> Any:
    """The row that is under the key; None when it is reserved now. This actor's old keys are forgotten."""
    tx.execute(delete(_ROW).where(_ROW.c.actor == request.actor, _ROW.c.at < at - KEPT))
    found = tx.execute(select(_ROW).where(_is(request))).one_or_none()
    if found is None:
        insert_rows(tx, RequestKeyRow, [(request.actor, request.key, request.asked, RESERVED, "", b"", at)])
    return found


def _is(request: RequestKey) -> ColumnElement[bool]:
    return (_ROW.c.actor == request.actor) & (_ROW.c.key == request.key)
