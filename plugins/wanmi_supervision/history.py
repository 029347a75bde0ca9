"""One history: the entries of a case and of those linked with it, of every node, in the order of time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select

from wanmi.entries import Entry
from wanmi.journal.case_rows import CaseLinkRow
from wanmi.journal.order_rows import OrderAskRow, OrderRow
from wanmi.models import CaseRow, NodeRow, table
from wanmi.order_kinds import ask_subject, order_subject
from wanmi.query import find_case
from wanmi.registry import NodeContext
from wanmi_supervision.queues import about

FOLLOWED = ("handed_down", "taken_over", "escalated", "split", "merged")
"""Links that make one history; a similar case has its own."""
MOST = 30
"""Cases of one history."""


@dataclass(frozen=True)
class HistoryLine:
    """An entry: when, at which node, about which case, what, by whom. ``entry`` is ORIGIN:SEQ, times µs UTC."""

    at: int
    node: str
    node_name: str
    case: str | None
    entry: str
    kind: str
    zh: str
    en: str
    what: str
    state: str | None
    actor: str | None
    post: str | None
    opinion: str


@dataclass(frozen=True)
class History:
    """The history of a case; ``cases`` are the numbers that it is about, the asked one first."""

    number: str
    cases: list[str]
    lines: list[HistoryLine]


def history_of(node: NodeContext, number: str, seen: ColumnElement[bool] | None = None) -> History:
    """The history of a case with those linked to it that the caller may see (``seen``; None: all). NotFound."""
    with node.store.reader() as tx:
        find_case(tx, number)
        numbers = linked_cases(tx, number, seen)
        subjects = _subjects(tx, numbers)
        names = {code: name for code, name in tx.execute(select(table(NodeRow).c.code, table(NodeRow).c.name))}  # noqa: C416
    entries: dict[tuple[str, int], Entry] = {}
    for subject in subjects:
        owner = subject.removeprefix("case:").partition("-")[0] if subject.startswith("case:") else None
        for stored in node.journal.subject(subject):
            if stored.entry is not None and owner in (None, stored.origin):
                entries[stored.origin, stored.seq] = stored.entry
    lines = [_line(node, entry, names) for entry in in_time(entries.values())]
    return History(number, numbers, lines)


def in_time(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Entries of several chains by their times; those of one chain keep their order, also when its clock went back."""
    chains: dict[str, list[Entry]] = {}
    for entry in entries:
        chains.setdefault(entry.origin, []).append(entry)
    ordered = [sorted(chain, key=lambda one: one.seq) for _, chain in sorted(chains.items())]
    return heapq.merge(*ordered, key=_time)


def _time(entry: Entry) -> int:
    return entry.at


def linked_cases(tx: Connection, number: str, seen: ColumnElement[bool] | None = None) -> list[str]:
    """The case and those that links lead to, nearest first; one that may not be seen leads nowhere."""
    found, wave = [number], [number]
    while wave and len(found) < MOST:
        near = _neighbours(tx, wave) | _ordered_about(tx, wave)
        known = near - set(found)
        wave = sorted(known if seen is None else _visible(tx, known, seen))[: MOST - len(found)]
        found += wave
    return found


def _neighbours(tx: Connection, numbers: list[str]) -> set[str]:
    row = table(CaseLinkRow).c
    query = select(row.number, row.other).where(
        row.live == 1, row.kind.in_(FOLLOWED), or_(row.number.in_(numbers), row.other.in_(numbers))
    )
    return {number for pair in tx.execute(query) for number in pair}


def _ordered_about(tx: Connection, numbers: list[str]) -> set[str]:
    """The cases that orders about these ones name, also before the links are here."""
    row = table(OrderRow).c
    query = select(row.case, row.district_case, row.accepted_case).where(or_(*(about(number) for number in numbers)))
    return {number for found in tx.execute(query) for number in found if number is not None}


def _visible(tx: Connection, numbers: set[str], seen: ColumnElement[bool]) -> list[str]:
    row = table(CaseRow).c
    return list(tx.execute(select(row.number).where(row.number.in_(sorted(numbers)), seen)).scalars())


def _subjects(tx: Connection, numbers: list[str]) -> list[str]:
    """The subjects of the cases, of their reports, and of what was ordered and asked about them."""
    cases, orders, asks = table(CaseRow).c, table(OrderRow).c, table(OrderAskRow).c
    reports = tx.execute(select(cases.report_subject).where(cases.number.in_(numbers))).scalars()
    ordered = tx.execute(
        select(orders.city, orders.order_id).where(
            or_(*(about(number) for number in numbers)), orders.city.is_not(None)
        )
    )
    asked = tx.execute(select(asks.district, asks.ask_id).where(asks.case.in_(numbers)))
    found = [f"case:{number}" for number in numbers]
    found += [report for report in reports if report is not None]
    found += [order_subject(city, order_id) for city, order_id in ordered]
    found += [ask_subject(district, ask_id) for district, ask_id in asked]
    return list(dict.fromkeys(found))


_WHAT: tuple[tuple[str, Callable[[dict[str, Any]], str]], ...] = (
    ("case.stepped", lambda body: body["step"]),
    ("case.request_made", lambda body: body["what"]),
    ("case.request_decided", lambda body: f"{body['what']} {'granted' if body['granted'] else 'refused'}"),
    ("case.linked", lambda body: f"{body['kind']} {body['other']}"),
    ("case.unlinked", lambda body: f"{body['kind']} {body['other']}"),
    ("case.merged", lambda body: body["into"]),
    ("order.issued", lambda body: f"{body['kind']} {body['district']}"),
    ("order.answered", lambda body: body["answer"]),
    ("order.closed", lambda body: body["result"]),
)


def _line(node: NodeContext, entry: Entry, names: dict[str, str]) -> HistoryLine:
    known = node.registry.kinds.get((entry.kind, entry.kind_v))
    body = entry.body
    effect = body.get("effect") or {}
    number = entry.subject.removeprefix("case:") if entry.subject.startswith("case:") else None
    number = number or body.get("district_case") or body.get("case")
    return HistoryLine(
        at=entry.at,
        node=entry.origin,
        node_name=names.get(entry.origin) or entry.origin,
        case=number,
        entry=f"{entry.origin}:{entry.seq}",
        kind=entry.kind,
        zh=known.zh if known else entry.kind,
        en=known.en if known else entry.kind,
        what=next((what(body) for kind, what in _WHAT if kind == entry.kind), ""),
        state=body.get("state") or effect.get("state"),
        actor=entry.actor,
        post=body.get("post"),
        opinion=body.get("opinion") or body.get("demand") or "",
    )
