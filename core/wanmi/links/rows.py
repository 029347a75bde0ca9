"""Local rows of the links."""

from __future__ import annotations

from sqlalchemy import BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.models import Row, mark


class HoldRow(Row):
    """A peer holds more of this node's chain than the node: nothing is written until it is back (R7).

    Durable, so that a restart in the middle does not write into the gap.
    """

    __tablename__ = "link_hold"
    peer: Mapped[str] = mapped_column(String(10), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local")
