"""One-time codes with which a terminal may ask: made at the edge, good for one key, local to it."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from sqlalchemy import BigInteger, Connection, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.clock import SECOND
from wanmi.errors import Conflict
from wanmi.models import Row, mark, table
from wanmi.registry import NodeContext
from wanmi.reports.asks import AskWire, proves_code

CODES = 500
"""Codes that may lie unused."""


class AskCodeRow(Row):
    """A code that was given out; ``used_by`` the key id that asked with it."""

    __tablename__ = "edge_ask_code"
    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    used_by: Mapped[str | None] = mapped_column(String(16))
    __table_args__ = mark("local")


def make_code(node: NodeContext, hours: int) -> tuple[str, int]:
    """A new code of 50 random bits and until when it is good (µs UTC); Conflict when too many lie unused."""
    code = base64.b32encode(node.ids.token(7)).decode()[:10]
    now = node.clock.now()
    expires = now + hours * 3600 * SECOND

    def write(tx: Connection) -> None:
        row = table(AskCodeRow)
        tx.execute(delete(row).where(row.c.expires_at < now))
        if len(tx.execute(select(row.c.code)).all()) >= CODES:
            raise Conflict(f"{CODES} codes are out already; wait until some have been used or expired")
        tx.execute(row.insert().values(code=code, expires_at=expires, used_by=None))

    node.store.write(write).result()
    return code, expires


def find_code(tx: Connection, wire: AskWire, now: int) -> str | None:
    """The unused code that the message proves, None if it proves none."""
    row = table(AskCodeRow).c
    codes: Sequence[str] = (
        tx.execute(select(row.code).where(row.used_by.is_(None), row.expires_at >= now)).scalars().all()
        if wire.proof
        else ()
    )
    return next((code for code in codes if proves_code(wire, code)), None)


def use_code(tx: Connection, code: str, key: str) -> None:
    """The code is used up; Conflict when it was in between."""
    row = table(AskCodeRow)
    done = tx.execute(update(row).where(row.c.code == code, row.c.used_by.is_(None)).values(used_by=key))
    if done.rowcount != 1:
        raise Conflict(f"code {code} was used in between")
