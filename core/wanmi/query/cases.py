"""Cases: pages, counts, one case, and all of them as a stream; newest first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, func, select

from wanmi.errors import BadInput, NotFound
from wanmi.models import CaseRow, table
from wanmi.query.filters import CaseFilter, after_cursor, write_cursor
from wanmi.store import Store

MAX_PAGE = 500
"""Cases on one page at most."""
_CHUNK = 1000
Light = Literal["green", "yellow", "red"]


@dataclass(frozen=True)
class CaseLine:
    """A case as it stands: times µs UTC, coordinates 1e-7 degree WGS-84, ``report`` the subject of its report.

    ``overdue`` counts deadlines that passed, ``requests`` those that wait for a decision; ``profile`` is the version
    that the case was opened under (``name@digest16``).
    """

    number: str
    owner: str
    district: str
    kind: str
    category: str
    component: str | None
    grid: str | None
    community: str | None
    lon_e7: int
    lat_e7: int
    source: str
    terminal: str | None
    report_id: str | None
    report: str | None
    reported_at: int
    opened_at: int
    stage: str
    state: str
    similar: tuple[str, ...]
    version: int
    changed_at: int
    department: str | None = None
    collector: str | None = None
    clock: str | None = None
    deadline: int | None = None
    warn_at: int | None = None
    until: int | None = None
    filed_at: int | None = None
    closed_at: int | None = None
    final: bool = False
    merged_into: str | None = None
    overdue: int = 0
    requests: int = 0
    profile: str = ""

    def light(self, now: int) -> Light | None:
        """The light of the clock that runs at ``now`` (µs UTC); None when none runs with a limit, or it is paused."""
        if self.deadline is None or self.warn_at is None or self.until is not None:
            return None
        return "red" if now > self.deadline else "yellow" if now > self.warn_at else "green"


@dataclass(frozen=True)
class CasePage:
    """A page of cases; ``next`` is the cursor of the following page, None on the last one."""

    cases: tuple[CaseLine, ...]
    next: str | None


@dataclass(frozen=True)
class Tally:
    """How many cases of a district stand at a stage."""

    district: str
    stage: str
    cases: int


def list_cases(
    tx: Connection, wanted: CaseFilter, *, cursor: str = "", limit: int = 50, seen: ColumnElement[bool] | None = None
) -> CasePage:
    """A page of the cases that fit, newest first; BadInput for a bad cursor or limit.

    ``seen``: what the caller may see (``wanmi.web.seen``), None for all.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise BadInput(f"limit {limit}: must be 1 to {MAX_PAGE}")
    rows = tx.execute(_ordered(wanted, cursor, seen).limit(limit + 1)).all()
    cases = tuple(_line(row) for row in rows[:limit])
    more = len(rows) > limit
    return CasePage(cases, write_cursor(cases[-1].opened_at, cases[-1].number) if more else None)


def newest_cases(
    tx: Connection, limit: int, district: str = "", seen: ColumnElement[bool] | None = None
) -> tuple[CaseLine, ...]:
    """The newest cases, of a district when named."""
    return list_cases(tx, CaseFilter(district=district), limit=limit, seen=seen).cases


def count_cases(tx: Connection, wanted: CaseFilter, seen: ColumnElement[bool] | None = None) -> int:
    """How many cases fit, of those that are ``seen``."""
    query = select(func.count()).select_from(table(CaseRow)).where(wanted.condition())
    return int(tx.execute(query if seen is None else query.where(seen)).scalar_one())


def find_case(tx: Connection, number: str) -> CaseLine:
    """The case with that number; NotFound otherwise."""
    cases = table(CaseRow)
    row = tx.execute(select(cases).where(cases.c.number == number)).one_or_none()
    if row is None:
        raise NotFound(f"case {number}: not known at this node")
    return _line(row)


def existing_cases(tx: Connection, numbers: Sequence[str]) -> frozenset[str]:
    """Those of the numbers that this node knows."""
    cases = table(CaseRow)
    return frozenset(tx.execute(select(cases.c.number).where(cases.c.number.in_(numbers))).scalars())


def iter_cases(
    store: Store, wanted: CaseFilter, chunk: int = _CHUNK, seen: ColumnElement[bool] | None = None
) -> Iterator[CaseLine]:
    """Every case that fits, newest first, in constant memory. No read is held open while the caller is slow.

    Cases that come in meanwhile may be left out; none is told twice.
    """
    cursor = ""
    while True:
        with store.reader() as tx:
            rows = tx.execute(_ordered(wanted, cursor, seen).limit(chunk)).all()
        yield from (_line(row) for row in rows)
        if len(rows) < chunk:
            return
        cursor = write_cursor(rows[-1].opened_at, rows[-1].number)


def tally_cases(tx: Connection, since: int = 0, seen: ColumnElement[bool] | None = None) -> list[Tally]:
    """Cases by district and stage, of those opened at or after ``since`` (µs UTC) that are ``seen``."""
    c = table(CaseRow).c
    query = select(c.district, c.stage, func.count().label("cases")).group_by(c.district, c.stage)
    if since:
        query = query.where(c.opened_at >= since)
    if seen is not None:
        query = query.where(seen)
    return [Tally(row.district, row.stage, row.cases) for row in tx.execute(query.order_by(c.district, c.stage))]


def _ordered(wanted: CaseFilter, cursor: str, seen: ColumnElement[bool] | None) -> Select[Any]:
    cases = table(CaseRow)
    query = select(cases).where(wanted.condition())
    if seen is not None:
        query = query.where(seen)
    if cursor:
        query = query.where(after_cursor(cursor))
    return query.order_by(cases.c.opened_at.desc(), cases.c.number.desc())


def _line(row: Any) -> CaseLine:
    return CaseLine(
        row.number,
        row.owner,
        row.district,
        row.kind,
        row.category,
        row.component,
        row.grid,
        row.community,
        row.lon_e7,
        row.lat_e7,
        row.source,
        row.terminal,
        row.report_id,
        row.report_subject,
        row.reported_at,
        row.opened_at,
        row.stage,
        row.state,
        tuple(json.loads(row.similar)),
        row.version,
        row.changed_at,
        row.department,
        row.collector,
        row.clock,
        row.deadline,
        row.warn_at,
        row.until,
        row.filed_at,
        row.closed_at,
        bool(row.final),
        row.merged_into,
        row.overdue,
        row.requests,
        row.profile,
    )
