"""A node's calendar: the day lists that its city imported, kept as entries, over the list in the package.

The lists belong to the top of the tree (the city, or a district without one); districts read them from their replica of that
chain. An edge holds no chain of the city: it counts on the package's list, and is given deadlines, never asked for them. Every import stays in the table, so the calendar as of an earlier entry can be had again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.calendar import (
    FIRST_YEAR,
    LAST_YEAR,
    CalendarImported,
    Day,
    WorkCalendar,
    WorkHours,
    YearList,
    calendar_subject,
    chunks_of,
    parse_days,
    shipped_calendar,
    year_lists,
)
from wanmi.entries import Entry
from wanmi.errors import BadInput, NotAllowed
from wanmi.journal import body_of
from wanmi.models import NodeRow, Row, mark, table
from wanmi.registry import AdminResult, Draft, NodeContext, Progress, Registry
from wanmi.store import upsert_rows

KIND = "calendar.imported"
NODE_KINDS = ("node.admitted", "node.revoked")
"""They say who is whose parent, and so whose lists count."""
MAX_FILE = 1024 * 1024
"""Bytes of a day list's file: a year has 366 rows."""
Args = Mapping[str, Any]


class CalendarDayRow(Row):
    """A day of an imported list. ``first`` is the seq of the import's first chunk: a greater one replaces its year.

    An import counts once all its ``chunks`` are here. ``day`` is local, ``2025-10-01``.
    """

    __tablename__ = "calendar_day"
    origin: Mapped[str] = mapped_column(String(10), primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    first: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    workday: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    hours: Mapped[str | None] = mapped_column(Text)
    chunk: Mapped[int] = mapped_column(Integer)
    chunks: Mapped[int] = mapped_column(Integer)
    __table_args__ = mark("projection")


DAYS = table(CalendarDayRow)


def register_calendar(to: Registry) -> None:
    """Register the kind ``calendar.imported``, its table and the actions ``calendar.import`` and ``calendar.show``."""
    to.entry_kind(KIND, CalendarImported, zh="工作日历导入", en="Work calendar imported")
    to.projection("calendar", kinds=(KIND,), rows=(CalendarDayRow,), apply=project_calendar)
    to.action("calendar.import", import_calendar, help="journal a CSV of holidays and make-up workdays, by year")
    to.action("calendar.show", show_calendar, help="the calendar that this node counts with")


def project_calendar(tx: Connection, entries: Sequence[Entry]) -> None:
    """The days of every import; refused (BadInput) if they are no list of their year."""
    for entry in entries:
        body = body_of(entry, CalendarImported)
        _check_body(entry, body)
        first = entry.seq - body.chunk + 1
        rows = [
            (entry.origin, body.year, first, day.date.isoformat(), int(day.workday), day.name, day.source, body.hours,
             body.chunk, body.chunks)
            for day in body.rows
        ]  # fmt: skip
        upsert_rows(tx, CalendarDayRow, rows)


def node_calendar(node: NodeContext, upto: int | None = None) -> WorkCalendar:
    """The calendar that counts at a node: its top node's newest lists (up to that chain's seq ``upto``), else the package's."""
    top = calendar_owner(node)
    with node.store.reader() as connection:
        return shipped_calendar().with_lists(read_lists(connection, top, upto))


class CalendarKeeper:
    """A node's calendar at hand: read again only when a day list or a node came. Thread safe: it swaps one finished pair."""

    def __init__(self, node: NodeContext) -> None:
        self._node = node
        self._held: tuple[int, WorkCalendar] | None = None

    def calendar(self) -> WorkCalendar:
        """The calendar as of the newest entry that is held."""
        news = self._node.journal.news(KIND, *NODE_KINDS)
        held = self._held
        if held is None or held[0] != news:
            self._held = held = (news, node_calendar(self._node))
        return held[1]


def calendar_owner(node: NodeContext) -> str:
    """The code of the node whose lists count: the top of the tree that is known here."""
    code, parent = node.code, node.parent
    seen = {code}
    while parent is not None and parent not in seen:
        code = parent
        seen.add(code)
        with node.store.reader() as connection:
            parent = connection.execute(
                select(table(NodeRow).c.parent).where(table(NodeRow).c.code == code)
            ).scalar_one_or_none()
    return code


def read_lists(connection: Connection, origin: str, upto: int | None = None) -> tuple[YearList, ...]:
    """The newest whole list of each year that an origin imported."""
    query = select(DAYS).where(DAYS.c.origin == origin).order_by(DAYS.c.year, DAYS.c.first, DAYS.c.day)
    imports: dict[tuple[int, int], list[Any]] = {}
    for row in connection.execute(query):
        imports.setdefault((row.year, row.first), []).append(row)
    newest: dict[int, YearList] = {}
    for (year, first), rows in imports.items():
        chunks = rows[0].chunks
        whole = {row.chunk for row in rows} == set(range(1, chunks + 1))
        if whole and (upto is None or first + chunks - 1 <= upto):
            newest[year] = _list_of(year, rows)
    return tuple(newest.values())


def import_calendar(node: NodeContext, args: Args) -> Iterator[Progress | AdminResult]:
    """The action: {file, year?, source?, hours?, strict?}; ``file`` is a path on the node's machine.

    Answers {file, sha256, taken, years: [{year, days, entries}], unchanged: [year], refused: [{row, reason}]}.
    """
    if node.parent is not None:
        raise NotAllowed(
            f"node {node.code}: the calendar belongs to the city's own node, the one without a parent; import it there"
        )
    path = Path(_text(args, "file") or "")
    content = _read(path)
    source = _text(args, "source") or path.name
    parsed = parse_days(_decoded(path, content), source)
    hours = _text(args, "hours")
    lists = year_lists(parsed.days, _year(args), WorkHours.parse(hours) if hours else None) if parsed.days else ()
    refused = [{"row": bad.row, "reason": bad.reason} for bad in parsed.bad]
    taken = bool(lists) and not (refused and args.get("strict"))
    with node.store.reader() as connection:
        here = {one.year: one for one in read_lists(connection, node.code)}
    changed = [one for one in lists if here.get(one.year) != one] if taken else []
    digest = sha256(content).hexdigest()
    years = [_journal(node, one, source, digest) for one in changed]
    unchanged = [one.year for one in lists if one not in changed] if taken else []
    yield {
        "file": path.name, "sha256": digest, "taken": taken, "years": years, "unchanged": unchanged, "refused": refused,
    }  # fmt: skip


def show_calendar(node: NodeContext, args: Args) -> Iterator[Progress | AdminResult]:
    """The action: {year?}. Answers {digest, owner, hours, years: [{year, days, hours, imported}], days: [of the year]}."""
    owner = calendar_owner(node)
    with node.store.reader() as connection:
        imported = {one.year for one in read_lists(connection, owner)}
    calendar = node_calendar(node)
    year = _year(args)
    yield {
        "digest": calendar.digest,
        "owner": owner,
        "hours": calendar.hours.text,
        "years": [
            {
                "year": one.year,
                "days": len(one.days),
                "hours": calendar.hours_of(one.year).text,
                "imported": one.year in imported,
            }
            for one in calendar.lists
        ],
        "days": [_shown(day) for one in calendar.lists if one.year == year for day in one.days],
        "known": year is None or calendar.known(year),
    }


def _journal(node: NodeContext, one: YearList, source: str, digest: str) -> dict[str, Any]:
    drafts = [Draft(KIND, calendar_subject(one.year), body) for body in chunks_of(one, source, digest)]
    stored = node.journal.append(*drafts).result()
    return {"year": one.year, "days": len(one.days), "entries": [f"{s.origin}:{s.seq}" for s in stored]}


def _check_body(entry: Entry, body: CalendarImported) -> None:
    days = [day.date for day in body.rows]
    if entry.subject != calendar_subject(body.year) or not body.chunk <= body.chunks or entry.seq < body.chunk:
        raise BadInput(f"{entry.subject}: chunk {body.chunk} of {body.chunks} of year {body.year} does not fit it")
    if days != sorted(set(days)):
        raise BadInput(f"{entry.subject}: its days must be in order, each once")
    YearList(body.year, tuple(body.rows), None if body.hours is None else WorkHours.parse(body.hours))


def _list_of(year: int, rows: Sequence[Any]) -> YearList:
    days = tuple(Day(date.fromisoformat(row.day), bool(row.workday), row.name, row.source) for row in rows)
    return YearList(year, days, None if rows[0].hours is None else WorkHours.parse(rows[0].hours))


def _shown(day: Day) -> dict[str, Any]:
    return {"date": day.date.isoformat(), "workday": day.workday, "name": day.name, "source": day.source}


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > MAX_FILE:
        raise BadInput(f"{path}: more than {MAX_FILE} bytes; a day list has some dozen rows a year")
    return content


def _decoded(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error


def _text(args: Args, name: str) -> str | None:
    value = args.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise BadInput(f"argument {name} is no text")
    return value


def _year(args: Args) -> int | None:
    year = args.get("year")
    if year is None:
        return None
    if not isinstance(year, int) or not FIRST_YEAR <= year <= LAST_YEAR:
        raise BadInput(f"year {year!r}: must be {FIRST_YEAR} to {LAST_YEAR}")
    return year
