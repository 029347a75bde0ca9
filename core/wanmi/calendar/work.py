"""Working time in integer µs: deadlines and durations on a city's calendar, at a few µs of machine time each.

For every year the number of work days before each day is kept, so that a duration is a difference and a deadline one
look-up, however long it is; a year is built when it is first asked for.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Final

from wanmi.calendar.days import FIRST_YEAR, LAST_YEAR, Day, YearList
from wanmi.calendar.hours import WorkHours
from wanmi.calendar.units import ClockKind, unit_named
from wanmi.clock import SECOND
from wanmi.codes import Lang
from wanmi.errors import BadInput

__all__ = ["DAY_US", "OFFSET_US", "MissingYear", "WorkCalendar", "local_day"]

DAY_US: Final = 86_400 * SECOND
OFFSET_US: Final = 8 * 3600 * SECOND
"""Asia/Shanghai: UTC+8, without summer time since FIRST_YEAR."""
_EPOCH: Final = date(1970, 1, 1).toordinal()
_SATURDAY: Final = 5


@dataclass(frozen=True)
class MissingYear:
    """A warning to show: this year has no day list, so Monday to Friday were counted."""

    year: int

    def text(self, lang: Lang = "zh") -> str:
        """What it means, and what to do."""
        if lang == "zh":
            return f"{self.year} 年没有导入工作日历：按周一至周五计算，节假日和调休未计入；请导入该年日历"
        return (
            f"no day list for {self.year}: Monday to Friday were counted, holidays and make-up workdays are not known;"
            " import that year's list"
        )


@dataclass(frozen=True)
class _Year:
    number: int
    first: int
    hours: WorkHours
    before: array[int]
    workdays: array[int]
    total: int

    def done(self, day: int, tod: int) -> int:
        """Working µs from the year's start to a local time of day."""
        n = day - self.first
        before = self.before[n]
        done = before * self.hours.total
        return done + self.hours.done(tod) if self.before[n + 1] > before else done


class WorkCalendar:
    """Working time of a city: day lists by year over Monday to Friday, and the hours of a work day. Never changed.

    A later year's list wins where two name one day. Times are µs UTC; local time is Asia/Shanghai.
    """

    def __init__(self, lists: Iterable[YearList], hours: WorkHours, names_zh: Mapping[str, str] | None = None) -> None:
        self.lists = tuple(sorted(lists, key=lambda one: one.year))
        self.hours = hours
        self._names_zh = dict(names_zh or {})
        self._hours = {one.year: one.hours for one in self.lists if one.hours is not None}
        self._known = frozenset(one.year for one in self.lists)
        self._days = {day.date: day for one in self.lists for day in one.days}
        self._years: dict[int, _Year] = {}
        if len(self._known) != len(self.lists):
            raise BadInput("calendar: a year has two day lists; give one")

    def with_lists(self, lists: Iterable[YearList]) -> WorkCalendar:
        """Another calendar in which these lists stand for their years."""
        merged = {one.year: one for one in (*self.lists, *lists)}
        return WorkCalendar(merged.values(), self.hours, self._names_zh)

    @cached_property
    def digest(self) -> str:
        """Hex SHA-256 of all that decides a deadline: which days are worked, and the hours. Names are left out."""
        total = sha256(f"hours {self.hours.text}\n".encode())
        for one in self.lists:
            total.update(f"year {one.year} {one.hours.text if one.hours else ''}\n".encode())
        for day in sorted(self._days):
            total.update(f"{day} {int(self._days[day].workday)}\n".encode())
        return total.hexdigest()

    def known(self, year: int) -> bool:
        """Whether there is a day list for that year."""
        return year in self._known

    def day(self, of: date) -> Day | None:
        """What the lists say of a day; None if they do not name it."""
        return self._days.get(of)

    def is_workday(self, of: date) -> bool:
        """By the lists, else Monday to Friday."""
        named = self._days.get(of)
        return of.weekday() < _SATURDAY if named is None else named.workday

    def name_of(self, day: Day, lang: Lang = "zh") -> str:
        """A day's name for the screen; as imported where no translation is known."""
        return self._names_zh.get(day.name, day.name) if lang == "zh" else day.name

    def hours_of(self, year: int) -> WorkHours:
        """The hours of a work day in that year."""
        return self._hours.get(year, self.hours)

    def add_duration(self, start: int, value: int, unit: str) -> int:
        """The deadline `value` units after `start`: the first µs at which that time has passed."""
        if value < 0:
            raise BadInput(f"duration of {value} {unit}: must not be negative")
        named = unit_named(unit)
        return self.add_us(start, value * named.seconds * SECOND, named.clock)

    def measure(self, start: int, end: int, unit: str) -> int:
        """Whole seconds from `start` to `end` on that unit's clock; BadInput if `end` is earlier."""
        return self.measure_us(start, end, unit_named(unit).clock) // SECOND

    def add_us(self, start: int, us: int, clock: ClockKind) -> int:
        """The first instant at which `us` µs of that clock have passed since `start`; `start` itself for 0."""
        if clock == "running" or us == 0:
            return start + us
        day, tod = divmod(start + OFFSET_US, DAY_US)
        year = self._year_of(day)
        need = year.done(day, tod) + us
        while need > year.total:
            need -= year.total
            year = self._year(year.number + 1)
        full, rest = divmod(need - 1, year.hours.total)
        return (year.first + year.workdays[full]) * DAY_US + year.hours.reached(rest + 1) - OFFSET_US

    def measure_us(self, start: int, end: int, clock: ClockKind) -> int:
        """µs of that clock from `start` to `end`; BadInput if `end` is earlier."""
        if end < start:
            raise BadInput(f"time from {start} to {end}: the end is {start - end} µs before the start; swap them")
        if clock == "running":
            return end - start
        day, tod = divmod(start + OFFSET_US, DAY_US)
        end_day, end_tod = divmod(end + OFFSET_US, DAY_US)
        year, end_year = self._year_of(day), self._year_of(end_day)
        between = sum(self._year(n).total for n in range(year.number, end_year.number))
        return between + end_year.done(end_day, end_tod) - year.done(day, tod)

    def warnings(self, start: int, end: int) -> tuple[MissingYear, ...]:
        """The years without a day list that working time from `start` to `end` touches."""
        years = range(local_day(start).year, local_day(end).year + 1)
        return tuple(MissingYear(year) for year in years if year not in self._known)

    def days(self, start: int, end: int) -> Iterator[tuple[date, bool, Day | None]]:
        """Each local day from `start` to `end`: the day, whether it is worked, and what the lists say of it."""
        day, last = local_day(start), local_day(end)
        while day <= last:
            yield day, self.is_workday(day), self._days.get(day)
            day += timedelta(days=1)

    def _year_of(self, day: int) -> _Year:
        try:
            return self._year(date.fromordinal(day + _EPOCH).year)
        except (ValueError, OverflowError) as error:
            raise BadInput(f"day {day} since 1970: outside the years {FIRST_YEAR} to {LAST_YEAR}") from error

    def _year(self, number: int) -> _Year:
        year = self._years.get(number)
        if year is None:
            year = self._years[number] = self._build(number)
        return year

    def _build(self, number: int) -> _Year:
        if not FIRST_YEAR <= number <= LAST_YEAR:
            raise BadInput(f"year {number}: working time is known from {FIRST_YEAR} to {LAST_YEAR}")
        first, after = date(number, 1, 1).toordinal(), date(number + 1, 1, 1).toordinal()
        before, workdays = array("H", [0]), array("H")
        for ordinal in range(first, after):
            if self.is_workday(date.fromordinal(ordinal)):
                workdays.append(ordinal - first)
            before.append(len(workdays))
        hours = self.hours_of(number)
        return _Year(number, first - _EPOCH, hours, before, workdays, len(workdays) * hours.total)


def local_day(at: int) -> date:
    """The local day of an instant (µs UTC); BadInput beyond the years 1 to 9999."""
    try:
        return date.fromordinal((at + OFFSET_US) // DAY_US + _EPOCH)
    except (ValueError, OverflowError) as error:
        raise BadInput(f"time {at}: outside the years 1 to 9999; it must be microseconds since 1970 UTC") from error
