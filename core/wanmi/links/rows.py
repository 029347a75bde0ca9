"""Local rows of the links."""

from __future__ import annotations

from sqlalchemy import BigInteger, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.models import Row, mark


class HoldRow(Row):
    """A peer that may hold more of this node's chain than the node: nothing is written until it was heard (R7).

    Durable, so that a restart in the middle does not write into the gap. The node's own code as ``peer`` says that
    all were heard and that entries are still lacking: a person decides then.
    """

    __tablename__ = "link_hold"
    peer: Mapped[str] = mapped_column(String(10), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local")


class TailRow(Row):
    """An entry of this node's own lost tail, as far as peers have given it back: proved, but not applied yet.

    ``raw`` is null while no peer that was addressed has given it. Rows go when the node writes again.
    """

    __tablename__ = "link_tail"
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    audience: Mapped[str] = mapped_column(Text)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)
    __table_args__ = mark("local")


LINK_ROWS = (HoldRow, TailRow)
"""Every local table of the links."""
