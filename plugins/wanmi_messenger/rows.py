"""The messenger's tables: addresses, roster and outbox are local; the book is what its entries add up to."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.models import Row, mark


class AddressRow(Row):
    """Where a person is reached: one address a channel. ``person`` is an opaque id, ``lang`` zh or en."""

    __tablename__ = "message_address"
    person: Mapped[str] = mapped_column(String(60), primary_key=True)
    channel: Mapped[str] = mapped_column(String(10), primary_key=True)
    address: Mapped[str] = mapped_column(Text)
    lang: Mapped[str] = mapped_column(String(2))
    __table_args__ = mark("local")


class DutyRow(Row):
    """A person is on duty in a post (of a unit, or "") from ``begins_at`` to before ``ends_at``, µs UTC."""

    __tablename__ = "message_duty"
    post: Mapped[str] = mapped_column(String(40), primary_key=True)
    unit: Mapped[str] = mapped_column(String(40), primary_key=True)
    person: Mapped[str] = mapped_column(String(60), primary_key=True)
    begins_at: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    ends_at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local", Index("message_duty_time", "post", "ends_at"))


class MessageRow(Row):
    """A message to one person by one channel; the id is the peer's idempotency id and stays the same in every try.

    ``lane`` is what sends it (smtp, sms, webhook:NAME); ``planned`` until the deciding entry is durable. Times µs
    UTC; ``code`` tells the last failure in a word without personal data, ``reason`` in the peer's words.
    """

    __tablename__ = "message"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    decision: Mapped[str] = mapped_column(Text)
    rule: Mapped[str] = mapped_column(String(40))
    about: Mapped[str] = mapped_column(Text)
    event: Mapped[str] = mapped_column(String(80))
    template: Mapped[str] = mapped_column(String(40))
    book: Mapped[int] = mapped_column(Integer)
    person: Mapped[str] = mapped_column(String(60))
    channel: Mapped[str] = mapped_column(String(10))
    lane: Mapped[str] = mapped_column(String(60))
    address: Mapped[str] = mapped_column(Text)
    lang: Mapped[str] = mapped_column(String(2))
    title: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    urgent: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(10))
    made_at: Mapped[int] = mapped_column(BigInteger)
    next_at: Mapped[int] = mapped_column(BigInteger)
    tried_at: Mapped[int] = mapped_column(BigInteger)
    done_at: Mapped[int] = mapped_column(BigInteger)
    tries: Mapped[int] = mapped_column(Integer)
    budget: Mapped[int] = mapped_column(Integer)
    code: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str] = mapped_column(Text)
    __table_args__ = mark(
        "local",
        Index("message_due", "lane", "state", "next_at"),
        Index("message_made", "made_at", "id"),
        Index("message_decision", "decision"),
    )


class BookRow(Row):
    """A book that was activated at a node."""

    __tablename__ = "message_book"
    node: Mapped[str] = mapped_column(String(10), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection")
