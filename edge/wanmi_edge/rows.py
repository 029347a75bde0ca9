"""The edge's local tables: junk that nobody signed, reports that wait for parts, how far `safe` was told,
which tasks terminals hold, positions that are not sealed yet.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.models import Row, mark


class JunkRow(Row):
    """A message that is worth no entry: a ring of slots, the oldest is written over. ``n`` counts since the start."""

    __tablename__ = "edge_junk"
    slot: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[int] = mapped_column(BigInteger)
    topic: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(String(40))
    detail: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    sample: Mapped[bytes] = mapped_column(LargeBinary)
    __table_args__ = mark("local")


class WaitingRow(Row):
    """A good report whose parts have not all come; nothing was promised for it yet."""

    __tablename__ = "edge_waiting"
    terminal: Mapped[str] = mapped_column(String(20), primary_key=True)
    report_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local")


class SafeRow(Row):
    """Up to which ``seq`` of the own chain terminals were told that their reports are safe."""

    __tablename__ = "edge_safe"
    origin: Mapped[str] = mapped_column(String(10), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local")


class SeenRow(Row):
    """A task as its terminal says that it holds it (``open`` or ``withdrawn``): it need not be sent again."""

    __tablename__ = "edge_seen"
    terminal: Mapped[str] = mapped_column(String(20), primary_key=True)
    task_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    status: Mapped[str] = mapped_column(String(10))
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local")


class TrackBatchRow(Row):
    """A signed batch of positions that is in no sealed segment yet; ``start`` and ``end`` as its terminal says."""

    __tablename__ = "edge_track"
    terminal: Mapped[str] = mapped_column(String(20), primary_key=True)
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    end: Mapped[int] = mapped_column(BigInteger)
    fixes: Mapped[int] = mapped_column(Integer)
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local")


EDGE_ROWS: tuple[type[Row], ...] = (JunkRow, WaitingRow, SafeRow, SeenRow, TrackBatchRow)
