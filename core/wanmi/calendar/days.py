"""Lists of days that differ from Monday to Friday: read from CSV, bad rows named."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final

import msgspec

from wanmi.calendar.hours import WorkHours
from wanmi.codes import BadRow
from wanmi.errors import BadInput

__all__ = ["FIRST_YEAR", "LAST_YEAR", "Day", "ParsedDays", "YearList", "parse_days", "year_lists"]

FIRST_YEAR: Final = 1992
"""China has kept UTC+8 without summer time since September 1991: before, local hours would need another offset."""
LAST_YEAR: Final = 9998
COLUMNS = ("date", "is_workday", "name")
_WORDS = re.compile(r"[^\x00-\x1f\x7f]*")
_WORKDAY = {"0": False, "1": True, "false": False, "true": True, "否": False, "是": True}
_DECEMBER = 12


class Day(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One day of a list: a holiday, a make-up workday or just a day; `source` names the notice or file it is from."""

    date: date
    workday: bool
    name: Annotated[str, msgspec.Meta(max_length=60)]
    source: Annotated[str, msgspec.Meta(max_length=200)]


@dataclass(frozen=True)
class YearList:
    """The days that one year's notice names; some may lie in the December before. `hours` None: the calendar's own."""

    year: int
    days: tuple[Day, ...]
    hours: WorkHours | None = None

    def __post_init__(self) -> None:
        if not FIRST_YEAR <= self.year <= LAST_YEAR:
            raise BadInput(f"day list of {self.year}: years {FIRST_YEAR} to {LAST_YEAR} can have one")
        for day in self.days:
            if not belongs(day.date, self.year):
                raise BadInput(
                    f"day list of {self.year}: {day.date} is neither in it nor in the December before; give its own year"
                )


@dataclass(frozen=True)
class ParsedDays:
    """What a file comes to: days in order of their dates, and the rows that were refused."""

    days: tuple[Day, ...]
    bad: tuple[BadRow, ...]


def belongs(day: date, year: int) -> bool:
    """Whether a year's list may name this day: its own days, and the December before (New Year's notices do)."""
    return day.year == year or (day.year == year - 1 and day.month == _DECEMBER)


def parse_days(text: str, source: str = "") -> ParsedDays:
    """Days of a CSV text with the columns date (2025-10-01), is_workday (0, 1), name and, if it has one, source.

    `source` stands for rows without one. BadInput if columns are missing; a bad row is named and left out.
    """
    reader = csv.DictReader(text.removeprefix("\ufeff").splitlines())
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise BadInput(
            f"day list: column {', '.join(missing)} is missing; the header must be {','.join(COLUMNS)},source"
        )
    days: dict[date, Day] = {}
    bad: list[BadRow] = []
    for number, row in enumerate(reader, start=2):
        try:
            day = _day(row, source)
            if day.date in days:
                raise BadInput(f"{day.date}: stands twice; keep one")
            days[day.date] = day
        except BadInput as error:
            bad.append(BadRow(number, str(error)))
    return ParsedDays(tuple(days[key] for key in sorted(days)), tuple(bad))


def year_lists(days: Iterable[Day], year: int | None = None, hours: WorkHours | None = None) -> tuple[YearList, ...]:
    """Days by the year whose notice names them: all of `year`, else each by its date.

    BadInput where only some days of a December are given for one of several years: they would replace that year's list.
    """
    if year is not None:
        return (YearList(year, tuple(days), hours),)
    by_year: dict[int, list[Day]] = {}
    for day in days:
        by_year.setdefault(day.date.year, []).append(day)
    for of, some in by_year.items():
        if of + 1 in by_year and all(day.date.month == _DECEMBER for day in some):
            raise BadInput(f"day list: of {of} only December; if it belongs to the notice for {of + 1}, give that year")
    return tuple(YearList(of, tuple(by_year[of]), hours) for of in sorted(by_year))


def _day(row: Mapping[str | None, str | Sequence[str] | None], source: str) -> Day:
    given = _text(row, "date")
    try:
        if len(given) != len("2025-10-01"):
            raise ValueError(given)
        day = date.fromisoformat(given)
    except ValueError as error:
        raise BadInput(f"date {given!r}: must be a day such as 2025-10-01") from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise BadInput(f"date {given}: years {FIRST_YEAR} to {LAST_YEAR} can have a list")
    workday = _WORKDAY.get(_text(row, "is_workday").lower())
    if workday is None:
        raise BadInput(f"{given}: is_workday {_text(row, 'is_workday')!r} must be 0 or 1")
    name, from_ = _text(row, "name"), _text(row, "source") or source
    for what, value, most in (("name", name, 60), ("source", from_, 200)):
        if len(value) > most or not _WORDS.fullmatch(value):
            raise BadInput(f"{given}: {what} must be at most {most} printable characters")
    return Day(day, workday, name, from_)


def _text(row: Mapping[str | None, str | Sequence[str] | None], column: str) -> str:
    value = row.get(column)
    return value.strip() if isinstance(value, str) else ""
