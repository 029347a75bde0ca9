"""Tables of calls. Projections: calls, events taken, sealed parts. Local: who sits where, which numbers called."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.models import Row, mark


class CallRow(Row):
    """A call as its entries add up to it; times are the telephone system's, µs UTC.

    ``state``: ringing, talking, held, ended (not wrapped up yet), wrapped. ``rang`` is a JSON list of the people at
    whose seats it rang, ``operator`` who answered (or wrapped it up). ``missed``: it ended before anybody answered.
    """

    __tablename__ = "hotline_call"
    subject: Mapped[str] = mapped_column(String(60), primary_key=True)
    origin: Mapped[str] = mapped_column(String(10))
    system: Mapped[str] = mapped_column(String(30))
    direction: Mapped[str] = mapped_column(String(3))
    called: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10))
    missed: Mapped[int] = mapped_column(Integer)
    rang: Mapped[str] = mapped_column(Text)
    seat: Mapped[str] = mapped_column(Text)
    operator: Mapped[str | None] = mapped_column(Text)
    begun_at: Mapped[int] = mapped_column(BigInteger)
    answered_at: Mapped[int | None] = mapped_column(BigInteger)
    held_at: Mapped[int | None] = mapped_column(BigInteger)
    held_us: Mapped[int] = mapped_column(BigInteger)
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str | None] = mapped_column(String(20))
    report: Mapped[str | None] = mapped_column(Text)
    about: Mapped[str | None] = mapped_column(Text)
    call_back: Mapped[int] = mapped_column(Integer)
    called_back: Mapped[str | None] = mapped_column(String(20))
    rating: Mapped[str | None] = mapped_column(String(24))
    version: Mapped[int] = mapped_column(Integer)
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark(
        "projection",
        Index("hotline_call_open", "origin", "state", "begun_at"),
        Index("hotline_call_report", "report"),
        Index("hotline_call_begun", "origin", "begun_at"),
    )


class CallEventRow(Row):
    """An event of a telephone system that was taken: it is not taken twice."""

    __tablename__ = "hotline_event"
    origin: Mapped[str] = mapped_column(String(10), primary_key=True)
    event: Mapped[str] = mapped_column(String(20), primary_key=True)
    subject: Mapped[str] = mapped_column(String(60))
    seq: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection")


class CallSealedRow(Row):
    """A sealed part of a call: ``role`` caller, text, recording or note. Its blob stays at the node that took the call.

    (What a report of the call names goes to the parent with that report.)
    """

    __tablename__ = "hotline_sealed"
    subject: Mapped[str] = mapped_column(String(60), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    role: Mapped[str] = mapped_column(String(12), primary_key=True)
    blob: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    media: Mapped[str] = mapped_column(Text)
    __table_args__ = mark("projection", Index("hotline_sealed_blob", "blob"))


class NumberRow(Row):
    """Which call was of which number: a keyed hash that only this node can make. Local; gone when the caller is erased."""

    __tablename__ = "hotline_number"
    subject: Mapped[str] = mapped_column(String(60), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local", Index("hotline_number_digest", "digest", "at"))


class SeatRow(Row):
    """Who sits at a telephone now: one person a seat, one seat a person."""

    __tablename__ = "hotline_seat"
    seat: Mapped[str] = mapped_column(String(60), primary_key=True)
    person: Mapped[str] = mapped_column(String(40), unique=True)
    since: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local")


PROJECTED: tuple[type[Row], ...] = (CallRow, CallEventRow, CallSealedRow)
LOCAL: tuple[type[Row], ...] = (NumberRow, SeatRow)
