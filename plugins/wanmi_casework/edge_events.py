"""The reactor `casework.edge_events`: a case that is pressed (督办) or overdue is told to the edges below, for their scenes.

An edge does not get its district's cases; it gets this: which case, where, how grave. It comes by the link, once, also after
days without one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import select

from wanmi.case_kinds import CaseBecameOverdue
from wanmi.device_kinds import EventTold, Severity, told_subject
from wanmi.entries import Entry
from wanmi.journal import body_of
from wanmi.journal.order_rows import OrderRow
from wanmi.models import CaseRow, NodeRow, table
from wanmi.order_kinds import Level, OrderAnswered, OrderClosed, OrderIssued
from wanmi.registry import Draft, NodeContext, Stored
from wanmi_casework.settings import CaseworkSettings, EdgeEventRule

NAME = "casework.edge_events"
KINDS = ("order.issued", "order.answered", "order.closed", "case.became_overdue")
PRESSED, OVERDUE = "case.pressed", "case.overdue"
GRAVITY: dict[Level, Severity] = {"normal": "notice", "urgent": "warning", "critical": "critical"}
"""How grave an order of that level is, in the words of alarms."""


def tell_edges(node: NodeContext, batch: Sequence[Stored]) -> Iterable[tuple[Stored, Draft]]:
    """A draft of `event.told` for each press of a case of this node, its end, and each deadline that passed."""
    if node.role != "district":
        return
    for stored in batch:
        entry = stored.entry
        if entry is None:
            continue
        if entry.kind == "case.became_overdue":
            if stored.origin == node.code:
                yield from _pairs(stored, _overdue(node, entry))
        elif entry.kind == "order.issued":
            yield from _pairs(stored, _pressed(node, body_of(entry, OrderIssued)))
        else:
            yield from _pairs(stored, _press_over(node, entry))


def _pairs(stored: Stored, draft: Draft | None) -> Iterator[tuple[Stored, Draft]]:
    if draft is not None:
        yield stored, draft


def _pressed(node: NodeContext, order: OrderIssued) -> Draft | None:
    number = order.district_case
    if order.kind != "press" or order.district != node.code or number is None:
        return None
    case = _case(node, number)
    for rule in _rules(node, "press", case):
        if _any(rule.press, order.press or "") and _any(rule.levels, order.level):
            return _told(node, rule, PRESSED, case, (number, GRAVITY[order.level], order.demand, False))
    return None


def _overdue(node: NodeContext, entry: Entry) -> Draft | None:
    number, clock = entry.subject.removeprefix("case:"), body_of(entry, CaseBecameOverdue).clock
    case = _case(node, number)
    for rule in _rules(node, "overdue", case):
        if _any(rule.clocks, clock):
            return _told(node, rule, OVERDUE, case, (number, "warning", f"{number}: {clock}", False))
    return None


def _press_over(node: NodeContext, entry: Entry) -> Draft | None:
    """An answer of this node, or the city's end of the order, where the press was told."""
    answered = entry.kind == "order.answered"
    order = body_of(entry, OrderAnswered).order_id if answered else body_of(entry, OrderClosed).order_id
    row = table(OrderRow).c
    with node.store.reader() as tx:
        query = select(row.district_case).where(row.order_id == order, row.kind == "press", row.district == node.code)
        number = tx.execute(query).scalar()
    if number is None or not node.journal.subject(told_subject(node.code, PRESSED, number)):
        return None
    case = _case(node, number)
    rule = next(_rules(node, "press", case), None)
    return None if rule is None else _told(node, rule, PRESSED, case, (number, "notice", entry.kind, True))


def _told(
    node: NodeContext, rule: EdgeEventRule, event: str, case: Any, about: tuple[str, Severity, str, bool]
) -> Draft | None:
    number, severity, why, over = about
    edges = tuple(one for one in _edges(node) if _any(rule.edges, one))
    if not edges:
        return None
    lon, lat = (case.lon_e7, case.lat_e7) if case is not None else (None, None)
    body = EventTold(event, number, severity, why[:2000], lon, lat, over)
    return Draft("event.told", told_subject(node.code, event, number), body, edges)


def _rules(node: NodeContext, on: str, case: Any) -> Iterator[EdgeEventRule]:
    """The rules of the settings about that, and about cases of this category, in their order."""
    category = "" if case is None else f"{'C' if case.kind == 'component' else 'E'}{case.category}"
    for rule in node.settings.section("casework", CaseworkSettings).edge_events:
        if rule.on == on and (not rule.categories or category.startswith(rule.categories)):
            yield rule


def _any(wanted: Sequence[str], value: str) -> bool:
    return not wanted or value in wanted


def _case(node: NodeContext, number: str) -> Any:
    row = table(CaseRow).c
    query = select(row.kind, row.category, row.lon_e7, row.lat_e7).where(row.number == number)
    with node.store.reader() as tx:
        return tx.execute(query).first()


def _edges(node: NodeContext) -> list[str]:
    """The edges that this node has admitted and not revoked."""
    row = table(NodeRow).c
    query = select(row.code).where(row.parent == node.code, row.state == "admitted").order_by(row.code)
    with node.store.reader() as tx:
        return list(tx.execute(query).scalars())
