"""Cases: pages, counts, one case, and all of them as a stream; newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from wanmi.errors import BadInput, NotFound
from wanmi.models import CaseRow, table
from wanmi.query.case_lines import CaseLine, read_json, read_lines
from wanmi.query.filters import CaseFilter, write_cursor
from wanmi.query.looking import Look, Seen
from wanmi.store import Store

__all__ = [
    "MAX_PAGE",
    "MOST_COUNTED",
    "CaseLine",
    "CasePage",
    "Count",
    "JsonPage",
    "Tally",
    "case_json",
    "count_cases",
    "existing_cases",
    "find_case",
    "iter_cases",
    "list_cases",
    "newest_cases",
    "tally_cases",
]
MAX_PAGE = 500
"""Cases on one page at most."""
MOST_COUNTED = 10_000
"""Cases that are counted exactly."""


@dataclass(frozen=True)
class CasePage:
    """A page of cases; ``next`` is the cursor of the following page, None on the last one.

    A page may be short, or empty, and yet have a next one: what it looked through is bounded (``wanmi.query.looking``).
    """

    cases: tuple[CaseLine, ...]
    next: str | None


@dataclass(frozen=True)
class JsonPage:
    """A ``CasePage`` whose cases are a JSON array."""

    cases: bytes
    next: str | None


@dataclass(frozen=True)
class Count:
    """How many cases fit; when not ``exact``, there are at least that many."""

    cases: int
    exact: bool


@dataclass(frozen=True)
class Tally:
    """How many cases of a district stand at a stage."""

    district: str
    stage: str
    cases: int


def list_cases(tx: Connection, wanted: CaseFilter, *, cursor: str = "", limit: int = 50, seen: Seen = None) -> CasePage:
    """A page of the cases that fit, newest first; BadInput for a bad cursor or limit.

    ``seen``: what the caller may see (``wanmi.web.seen``), None for all.
    """
    page = case_json(tx, wanted, cursor=cursor, limit=limit, seen=seen)
    return CasePage(read_json(page.cases), page.next)


def case_json(tx: Connection, wanted: CaseFilter, *, cursor: str = "", limit: int = 50, seen: Seen = None) -> JsonPage:
    """As ``list_cases``, the cases as the JSON that the database wrote."""
    if not 1 <= limit <= MAX_PAGE:
        raise BadInput(f"limit {limit}: must be 1 to {MAX_PAGE}")
    look = Look.of(wanted, seen)
    edge = look.edge(tx, cursor) if look.needs_edge else None
    lines = read_lines(tx, look.keys(cursor, limit + 1, edge), limit)
    if lines.more and lines.last is not None:
        return JsonPage(lines.json, write_cursor(*lines.last))
    edge = edge if look.needs_edge else look.edge(tx, cursor)
    return JsonPage(lines.json, None if edge is None else write_cursor(*edge))


def newest_cases(tx: Connection, limit: int, district: str = "", seen: Seen = None) -> tuple[CaseLine, ...]:
    """The newest cases, of a district when named."""
    return list_cases(tx, CaseFilter(district=district), limit=limit, seen=seen).cases


def count_cases(tx: Connection, wanted: CaseFilter, seen: Seen = None) -> Count:
    """How many cases fit, of those that are ``seen``: exactly up to ``MOST_COUNTED``, beyond it "at least"."""
    look = Look.of(wanted, seen)
    counted = tx.execute(select(func.count()).select_from(look.keys("", MOST_COUNTED + 1).subquery())).scalar_one()
    if counted > MOST_COUNTED:
        return Count(MOST_COUNTED, exact=False)
    return Count(counted, exact=look.edge(tx, "") is None)


def find_case(tx: Connection, number: str) -> CaseLine:
    """The case with that number; NotFound otherwise."""
    cases = table(CaseRow)
    found = read_json(read_lines(tx, select(cases.c.number, cases.c.opened_at).where(cases.c.number == number), 1).json)
    if not found:
        raise NotFound(f"case {number}: not known at this node")
    return found[0]


def existing_cases(tx: Connection, numbers: Sequence[str]) -> frozenset[str]:
    """Those of the numbers that this node knows."""
    cases = table(CaseRow)
    return frozenset(tx.execute(select(cases.c.number).where(cases.c.number.in_(numbers))).scalars())


def iter_cases(store: Store, wanted: CaseFilter, chunk: int = MAX_PAGE, seen: Seen = None) -> Iterator[CaseLine]:
    """Every case that fits, newest first, in constant memory. No read is held open while the caller is slow.

    Cases that come in meanwhile may be left out; none is told twice.
    """
    cursor: str | None = ""
    while cursor is not None:
        with store.reader() as tx:
            page = list_cases(tx, wanted, cursor=cursor, limit=chunk, seen=seen)
        yield from page.cases
        cursor = page.next


def tally_cases(tx: Connection, since: int = 0, seen: Seen = None) -> list[Tally]:
    """Cases by district and stage, of those opened at or after ``since`` (µs UTC) that are ``seen``."""
    c = table(CaseRow).c
    query = select(c.district, c.stage, func.count().label("cases")).group_by(c.district, c.stage)
    if since:
        query = query.where(c.opened_at >= since)
    if seen is not None:
        query = query.where(seen)
    return [Tally(row.district, row.stage, row.cases) for row in tx.execute(query.order_by(c.district, c.stage))]
