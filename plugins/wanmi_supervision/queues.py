"""Queues and counters of 督察督办: orders by state, and what every district has open, overdue, pressed, returned, reopened."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, true

from wanmi.errors import BadInput, NotFound
from wanmi.journal.case_rows import CaseRequestRow
from wanmi.journal.order_rows import OrderRow
from wanmi.models import CaseRow, NodeRow, table
from wanmi.order_kinds import OrderState, is_late, order_state
from wanmi.registry import NodeContext

MOST = 500
"""Orders on one page."""


@dataclass(frozen=True)
class Order:
    """An order as it stands; times µs UTC. ``late``: not answered before ``reply_by``."""

    order_id: str
    city: str
    district: str
    kind: str
    state: OrderState
    late: bool
    case: str | None
    district_case: str | None
    press: str | None
    level: str
    demand: str
    reply_by: int
    by_place: str | None
    by_matter: str | None
    issued_at: int
    issued_by: str | None
    accepted_at: int | None
    accepted_case: str | None
    answer: str | None
    answer_opinion: str | None
    answered_at: int | None
    answered_by: str | None
    result: str | None
    closed_at: int | None
    closed_by: str | None


@dataclass(frozen=True)
class OrderPage:
    """A page of orders, newest first; ``next`` is the cursor of the following page, None on the last one."""

    orders: list[Order]
    next: str | None


@dataclass(frozen=True)
class Counter:
    """A node's cases that are open, overdue, pressed, and how often cases came back or were opened again."""

    node: str
    name: str
    open: int
    overdue: int
    pressed: int
    returned: int
    reopened: int
    orders_open: int
    orders_late: int


def list_orders(
    node: NodeContext,
    *,
    state: OrderState | None = None,
    kind: str = "",
    district: str = "",
    case: str = "",
    cursor: str = "",
    limit: int = 50,
) -> OrderPage:
    """Orders that fit, newest first."""
    if not 1 <= limit <= MOST:
        raise BadInput(f"limit {limit}: must be 1 to {MOST}")
    row, now = table(OrderRow).c, node.clock.now()
    wanted = [row.city.is_not(None), is_state(state, now) if state is not None else true()]
    wanted += [column == value for column, value in ((row.kind, kind), (row.district, district)) if value]
    if case:
        wanted.append(about(case))
    if cursor:
        wanted.append(_after(cursor))
    query = select(table(OrderRow)).where(*wanted).order_by(row.issued_at.desc(), row.order_id.desc()).limit(limit + 1)
    with node.store.reader() as tx:
        rows = tx.execute(query).all()
    orders = [_order(one, now) for one in rows[:limit]]
    more = len(rows) > limit
    return OrderPage(orders, f"{orders[-1].issued_at}.{orders[-1].order_id}" if more else None)


def find_order(node: NodeContext, order_id: str, district: str = "") -> Order:
    """An order by its id; NotFound."""
    row = table(OrderRow).c
    query = select(table(OrderRow)).where(row.order_id == order_id, row.city.is_not(None))
    if district:
        query = query.where(row.district == district)
    with node.store.reader() as tx:
        found = tx.execute(query).first()
    if found is None:
        whom = f" to {district}" if district else ""
        raise NotFound(f"order {order_id}{whom}: not known at this node")
    return _order(found, node.clock.now())


def open_orders_of(node: NodeContext, number: str) -> list[Order]:
    """Orders about a case that the city has not ended."""
    row = table(OrderRow).c
    query = select(table(OrderRow)).where(about(number), row.closed_at.is_(None), row.city.is_not(None))
    with node.store.reader() as tx:
        return [_order(one, node.clock.now()) for one in tx.execute(query.order_by(row.issued_at, row.order_id))]


def about(number: str) -> ColumnElement[bool]:
    """Orders that name a case, on either side."""
    row = table(OrderRow).c
    return or_(row.case == number, row.district_case == number, row.accepted_case == number)


def is_state(state: OrderState, now: int) -> ColumnElement[bool]:
    """``wanmi.order_kinds.order_state`` as a condition."""
    row = table(OrderRow).c
    waits = and_(row.closed_at.is_(None), row.answered_at.is_(None))
    return {
        "closed": row.closed_at.is_not(None),
        "answered": and_(row.closed_at.is_(None), row.answered_at.is_not(None)),
        "late": and_(waits, row.reply_by < now),
        "open": and_(waits, row.reply_by >= now),
    }[state]


def counters(node: NodeContext) -> list[Counter]:
    """One line for this city (or district) and each of its districts."""
    now = node.clock.now()
    with node.store.reader() as tx:
        nodes = _nodes(tx, node)
        counted = {name: count(tx, now) for name, count in _COUNTS.items()}
    return [
        Counter(code, name, *(counted[what].get(code, 0) for what in _COUNTS)) for code, name in sorted(nodes.items())
    ]


def _nodes(tx: Connection, node: NodeContext) -> dict[str, str]:
    row = table(NodeRow).c
    query = select(row.code, row.name).where(
        or_(row.code == node.code, (row.parent == node.code) & (row.role == "district"))
    )
    return {code: name for code, name in tx.execute(query)}  # noqa: C416 - Row is not a plain pair


Count = Callable[[Connection, int], dict[str, int]]


def _cases(*more: Callable[[Any, int], ColumnElement[bool]]) -> Count:
    def count(tx: Connection, now: int) -> dict[str, int]:
        row = table(CaseRow).c
        query = (
            select(row.owner, func.count()).where(row.final == 0, *(one(row, now) for one in more)).group_by(row.owner)
        )
        return _pairs(tx.execute(query))

    return count


def _granted(what: str) -> Count:
    def count(tx: Connection, _now: int) -> dict[str, int]:
        row = table(CaseRequestRow).c
        query = select(row.owner, func.count()).where(row.what == what, row.state == "granted").group_by(row.owner)
        return _pairs(tx.execute(query))

    return count


def _orders(state: OrderState) -> Count:
    def count(tx: Connection, now: int) -> dict[str, int]:
        row = table(OrderRow).c
        query = select(row.district, func.count()).where(row.city.is_not(None), is_state(state, now))
        return _pairs(tx.execute(query.group_by(row.district)))

    return count


def _pressed(tx: Connection, _now: int) -> dict[str, int]:
    row = table(OrderRow).c
    query = select(row.district, func.count(func.distinct(row.district_case))).where(
        row.kind == "press", row.closed_at.is_(None)
    )
    return _pairs(tx.execute(query.group_by(row.district)))


def _pairs(rows: Iterable[Any]) -> dict[str, int]:
    return {code: int(count) for code, count in rows}


_COUNTS: dict[str, Count] = {
    "open": _cases(),
    "overdue": _cases(lambda row, now: and_(row.deadline < now, row.until.is_(None))),
    "pressed": _pressed,
    "returned": _granted("return"),
    "reopened": _granted("reopen"),
    "orders_open": _orders("open"),
    "orders_late": _orders("late"),
}


def _after(cursor: str) -> ColumnElement[bool]:
    at, dot, order_id = cursor.partition(".")
    if not dot or not (at.isascii() and at.isdigit() and len(at) < 18) or not order_id:
        raise BadInput(f"cursor {cursor[:60]!r}: take it from the page before")
    row = table(OrderRow).c
    return or_(row.issued_at < int(at), and_(row.issued_at == int(at), row.order_id < order_id))


def _order(row: Any, now: int) -> Order:
    values = dict(row._mapping)
    times = (row.reply_by, row.answered_at, row.closed_at, now)
    return Order(state=order_state(*times), late=is_late(*times), **values)
