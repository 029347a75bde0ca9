"""Projections of orders between city and district. What comes first, the order or its answer, makes no difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Index, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from wanmi import order_kinds as kinds
from wanmi.entries import Entry
from wanmi.errors import BadInput
from wanmi.journal.projecting import body_of
from wanmi.kinds import Attachment
from wanmi.models import AttachmentRow, Row, mark, table
from wanmi.registry import Registry
from wanmi.store import upsert_rows

Values = dict[str, Any]


class OrderRow(Row):
    """An order to a district with what became of it. ``city`` is null while only its answer is here.

    ``answered_at`` is when the district answered first (accepting is no answer), ``answer`` what it said last.
    """

    __tablename__ = "order_"
    order_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    district: Mapped[str] = mapped_column(String(10), primary_key=True)
    city: Mapped[str | None] = mapped_column(String(10))
    kind: Mapped[str | None] = mapped_column(String(12))
    case: Mapped[str | None] = mapped_column(String(60))
    district_case: Mapped[str | None] = mapped_column(String(60))
    press: Mapped[str | None] = mapped_column(String(12))
    level: Mapped[str | None] = mapped_column(String(12))
    demand: Mapped[str | None] = mapped_column(Text)
    reply_by: Mapped[int | None] = mapped_column(BigInteger)
    by_place: Mapped[str | None] = mapped_column(String(15))
    by_matter: Mapped[str | None] = mapped_column(String(10))
    issued_at: Mapped[int | None] = mapped_column(BigInteger)
    issued_by: Mapped[str | None] = mapped_column(Text)
    accepted_at: Mapped[int | None] = mapped_column(BigInteger)
    accepted_case: Mapped[str | None] = mapped_column(String(60))
    answer: Mapped[str | None] = mapped_column(String(12))
    answer_opinion: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[int | None] = mapped_column(BigInteger)
    answered_by: Mapped[str | None] = mapped_column(Text)
    result: Mapped[str | None] = mapped_column(String(12))
    closed_at: Mapped[int | None] = mapped_column(BigInteger)
    closed_by: Mapped[str | None] = mapped_column(Text)
    __table_args__ = mark(
        "projection",
        Index("order_waits", "district", "closed_at", "answered_at", "reply_by"),
        Index("order_case", "case"),
        Index("order_district_case", "district_case"),
    )


class OrderAskRow(Row):
    """What a district asked of the city about a case of its own."""

    __tablename__ = "order_ask"
    district: Mapped[str] = mapped_column(String(10), primary_key=True)
    ask_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    case: Mapped[str] = mapped_column(String(60))
    demand: Mapped[str] = mapped_column(Text)
    at: Mapped[int] = mapped_column(BigInteger)
    actor: Mapped[str | None] = mapped_column(Text)
    __table_args__ = mark("projection", Index("order_ask_case", "case"))


ORDERS = ("order.issued", "order.answered", "order.closed")


def register_orders(to: Registry) -> None:
    """Kinds and projections of orders."""
    to.entry_kind("order.issued", kinds.OrderIssued, zh="下达指令", en="Order issued")
    to.entry_kind("order.answered", kinds.OrderAnswered, zh="指令答复", en="Order answered")
    to.entry_kind("order.closed", kinds.OrderClosed, zh="指令办结", en="Order closed")
    to.entry_kind("order.asked", kinds.OrderAsked, zh="提请市级", en="City asked")
    to.projection("order", kinds=ORDERS, rows=(OrderRow,), apply=project_orders)
    to.projection("order_asks", kinds=("order.asked",), rows=(OrderAskRow,), apply=project_asks)
    photos = ("order.issued", "order.asked")
    to.projection("order_attachments", kinds=photos, rows=(AttachmentRow,), apply=project_order_attachments)


def project_orders(tx: Connection, entries: Sequence[Entry]) -> None:
    """Orders by (order id, district): issued and closed by the city, answered by the district."""
    for entry in entries:
        if entry.kind == "order.issued":
            _issue(tx, entry)
        elif entry.kind == "order.answered":
            _answer(tx, entry)
        else:
            _close(tx, entry)


def _issue(tx: Connection, entry: Entry) -> None:
    body = body_of(entry, kinds.OrderIssued)
    if entry.version != 1 or entry.subject != kinds.order_subject(entry.origin, body.order_id):
        raise BadInput(
            f"{entry.subject}: order {body.order_id} of {entry.origin} is issued once, under its own subject"
        )
    said = {name: getattr(body, name) for name in _ISSUED}
    _put(tx, body.order_id, body.district, {
        **said, "city": entry.origin, "issued_at": entry.at, "issued_by": entry.actor,
    })  # fmt: skip


def _answer(tx: Connection, entry: Entry) -> None:
    body = body_of(entry, kinds.OrderAnswered)
    if body.answer == "accepted":
        _put(tx, body.order_id, entry.origin, {"accepted_at": entry.at, "accepted_case": body.case})
        return
    before = _read(tx, body.order_id, entry.origin)
    first = before["answered_at"] if before is not None else None
    _put(tx, body.order_id, entry.origin, {
        "answer": body.answer, "answer_opinion": body.opinion, "answered_by": entry.actor,
        "answered_at": entry.at if first is None else first,
    })  # fmt: skip


def _close(tx: Connection, entry: Entry) -> None:
    body = body_of(entry, kinds.OrderClosed)
    before = _read(tx, body.order_id, body.district)
    if before is None or before["city"] != entry.origin or before["closed_at"] is not None:
        raise BadInput(f"{entry.subject}: {entry.origin} has no such open order to {body.district}")
    _put(tx, body.order_id, body.district, {
        "result": body.result, "closed_at": entry.at, "closed_by": entry.actor,
    })  # fmt: skip


_ISSUED = ("kind", "case", "district_case", "press", "level", "demand", "reply_by", "by_place", "by_matter")


def _read(tx: Connection, order_id: str, district: str) -> Values | None:
    row = table(OrderRow)
    query = select(row).where(row.c.order_id == order_id, row.c.district == district)
    found = tx.execute(query).mappings().one_or_none()
    return None if found is None else dict(found)


def _put(tx: Connection, order_id: str, district: str, values: Values) -> None:
    """Change those columns of the row, which need not be there yet."""
    names = [column.name for column in table(OrderRow).columns]
    before = _read(tx, order_id, district) or dict.fromkeys(names)
    row = {**before, "order_id": order_id, "district": district, **values}
    upsert_rows(tx, OrderRow, [tuple(row[name] for name in names)])


def project_asks(tx: Connection, entries: Sequence[Entry]) -> None:
    """What districts asked."""
    rows = []
    for entry in entries:
        body = body_of(entry, kinds.OrderAsked)
        rows.append((entry.origin, body.ask_id, body.case, body.demand, entry.at, entry.actor))
    upsert_rows(tx, OrderAskRow, rows)


def project_order_attachments(tx: Connection, entries: Sequence[Entry]) -> None:
    """Which sealed blobs a case that was handed on brings with it."""
    rows: list[tuple[Any, ...]] = []
    for entry in entries:
        rows += [
            (entry.origin, entry.seq, n, entry.subject, one.role, one.media, one.size, one.digest, one.blob)
            for n, one in enumerate(_attachments(entry))
        ]
    upsert_rows(tx, AttachmentRow, rows)


def _attachments(entry: Entry) -> list[Attachment]:
    if entry.kind == "order.asked":
        return body_of(entry, kinds.OrderAsked).case_state.attachments
    state = body_of(entry, kinds.OrderIssued).case_state
    return state.attachments if state is not None else []
