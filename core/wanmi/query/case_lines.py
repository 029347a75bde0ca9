"""A case as it is told, and its JSON as the database writes it.

Fifty rows of forty columns cost more to fetch, to turn into objects and to encode than to find; SQLite and PostgreSQL
write the same JSON in a fraction of the time, and the interpreter is free for others meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnClause, Connection, Select, Text, cast, func, literal_column, select
from sqlalchemy.sql.elements import AggregateOrderBy

from wanmi.models import CaseRow, table

CASES = table(CaseRow)
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
class Lines:
    """Cases in order as a JSON array; ``last`` is where they end, ``more`` whether another one follows."""

    json: bytes
    last: tuple[int, str] | None
    more: bool


def read_lines(tx: Connection, keys: Select[Any], limit: int) -> Lines:
    """The first ``limit`` cases of the (number, opened_at) that ``keys`` selects, in one statement."""
    key = keys.subquery("key")
    place = func.row_number().over(order_by=[key.c.opened_at.desc(), key.c.number.desc()])
    row: ColumnClause[Any] = literal_column("case_.*")  # text: objects of its columns cost more than the page
    found_rows = select(row, place.label("place")).select_from(CASES.join(key, CASES.c.number == key.c.number))
    page = found_rows.subquery("page")
    last = page.c.place == limit
    json = _array(tx.dialect.name, page.c.place).filter(page.c.place <= limit)
    query: Any = select(
        cast(json, Text),
        func.count(),
        func.max(literal_column("page.opened_at")).filter(last),
        func.max(literal_column("page.number")).filter(last),
    )
    text, found, opened_at, number = tx.execute(query.select_from(page)).one()
    place_of_last = None if number is None else (opened_at, number)
    return Lines((text or "[]").encode(), place_of_last, found > limit)


def read_json(json: bytes) -> tuple[CaseLine, ...]:
    """The cases of a JSON array."""
    return _LINES.decode(json)


_LINES = msgspec.json.Decoder(tuple[CaseLine, ...])
_MADE: Mapping[str, tuple[str, str, str, str]] = MappingProxyType(
    {
        "sqlite": ("json_group_array", "json_object", "json(iif(page.final, 'true', 'false'))", "json(page.similar)"),
        "postgresql": ("json_agg", "json_build_object", "page.final <> 0", "CAST(page.similar AS json)"),
    }
)


def _array(dialect: str, place: Any) -> AggregateOrderBy[Any]:
    """The JSON of all lines of a page, as the database makes it."""
    array, line, final, similar = _MADE[dialect]
    of = {"final": final, "similar": similar, "report": "page.report_subject"}
    parts = ", ".join(f"'{one.name}', {of.get(one.name, f'page.{one.name}')}" for one in fields(CaseLine))
    told: AggregateOrderBy[Any] = getattr(func, array)(literal_column(f"{line}({parts})")).aggregate_order_by(place)
    return told
