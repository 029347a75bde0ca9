"""Deadlines counted by hand, and laws that hold for all of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanmi.calendar import Day, MissingYear, WorkCalendar, WorkHours, YearList, shipped_calendar
from wanmi.calendar.units import UNITS, limit_seconds
from wanmi.clock import SECOND
from wanmi.codes import Profile, local_date
from wanmi.errors import BadInput

CITY = ZoneInfo("Asia/Shanghai")
CALENDAR = shipped_calendar()
OWN = WorkCalendar([], WorkHours.parse("00:30-06:00,09:15-17:45,22:00-24:00"))
HOUR, DAY = 3600 * SECOND, 86_400 * SECOND


def at(text: str) -> int:
    """µs UTC of a local time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=CITY).timestamp()) * SECOND


def told(instant: int) -> str:
    """Local time, with µs where there are some."""
    return (
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant))
        .astimezone(CITY)
        .strftime("%Y-%m-%d %H:%M:%S.%f")
        .removesuffix(".000000")
        .removesuffix(":00")
    )


# Counted by hand. 2025: 09-28 (Sun) and 10-11 (Sat) are worked, 10-01 to 10-08 are off; 01-26 (Sun) and 02-08 (Sat) are
# worked, 01-28 to 02-04 are off.
BY_HAND = [
    # within a day, the break at noon, the end of a day is that day's 18:00
    ("2025-09-29 09:00", 2, "work_hour", "2025-09-29 11:00"),
    ("2025-09-29 11:00", 2, "work_hour", "2025-09-29 15:00"),
    ("2025-09-29 08:00", 1, "work_day", "2025-09-29 18:00"),
    ("2025-09-29 12:30", 4, "work_hour", "2025-09-29 18:00"),
    ("2025-09-29 18:00", 1, "work_hour", "2025-09-30 09:00"),
    ("2025-09-29 03:00", 1, "work_hour", "2025-09-29 09:00"),
    # the make-up Sunday before the holiday
    ("2025-09-27 10:00", 1, "work_day", "2025-09-28 18:00"),
    ("2025-09-26 16:00", 1, "work_day", "2025-09-28 16:00"),
    ("2025-09-28 16:00", 4, "work_hour", "2025-09-29 10:00"),
    # across the eight days
    ("2025-09-30 16:00", 4, "work_hour", "2025-10-09 10:00"),
    ("2025-09-30 16:00", 1, "work_day", "2025-10-09 16:00"),
    ("2025-09-30 17:59", 1, "work_hour", "2025-10-09 08:59"),
    ("2025-10-03 12:00", 1, "work_hour", "2025-10-09 09:00"),
    ("2025-09-30 08:00", 3, "work_day", "2025-10-10 18:00"),
    # the make-up Saturday after it, then a Sunday
    ("2025-09-30 10:00", 3, "work_day", "2025-10-11 10:00"),
    ("2025-10-11 16:00", 4, "work_hour", "2025-10-13 10:00"),
    ("2025-10-09 08:00", 4, "work_day", "2025-10-13 18:00"),
    ("2025-09-26 08:00", 7, "work_day", "2025-10-11 18:00"),
    # clocks that run on
    ("2025-09-30 16:00", 4, "urgent_hour", "2025-09-30 20:00"),
    ("2025-09-30 22:00", 4, "urgent_hour", "2025-10-01 02:00"),
    ("2025-10-01 16:30", 2, "natural_day", "2025-10-03 16:30"),
    ("2025-09-30 23:50", 15, "natural_minute", "2025-10-01 00:05"),
    # Spring Festival: Sunday 01-26 and Monday 01-27 worked, eight days off, Wednesday 02-05 on, Saturday 02-08 worked
    ("2025-01-24 16:00", 1, "work_day", "2025-01-26 16:00"),
    ("2025-01-27 16:00", 1, "work_day", "2025-02-05 16:00"),
    ("2025-01-26 08:00", 4, "work_day", "2025-02-06 18:00"),
    ("2025-01-27 08:00", 6, "work_day", "2025-02-10 18:00"),
    ("2025-02-07 17:00", 2, "work_hour", "2025-02-08 09:00"),
    # New Year's Eve to the next year: 2025-01-01 is off, 2026-01-04 (Sun) is worked after 01-01 to 01-03
    ("2024-12-31 17:00", 2, "work_hour", "2025-01-02 09:00"),
    ("2025-12-31 14:00", 1, "work_day", "2026-01-04 12:00"),
]


@pytest.mark.parametrize(("start", "value", "unit", "due"), BY_HAND)
def test_deadlines_counted_by_hand(start: str, value: int, unit: str, due: str) -> None:
    deadline = CALENDAR.add_duration(at(start), value, unit)
    assert told(deadline) == due
    assert CALENDAR.measure(at(start), deadline, unit) == value * UNITS[unit].seconds


def test_a_week_with_a_holiday_measured_by_hand() -> None:
    assert CALENDAR.measure(at("2025-09-28 00:00"), at("2025-10-12 00:00"), "work_day") == 6 * 28_800
    assert CALENDAR.measure(at("2025-10-01 00:00"), at("2025-10-09 08:00"), "work_hour") == 0
    assert CALENDAR.measure(at("2025-10-01 00:00"), at("2025-10-09 08:00"), "urgent_hour") == 8 * 86_400 + 8 * 3600


def test_parts_of_a_second_are_kept_in_deadlines_and_dropped_in_durations() -> None:
    start = at("2025-09-29 17:59") + 59 * SECOND + 999_999
    deadline = CALENDAR.add_duration(start, 1, "work_hour")
    assert told(deadline) == "2025-09-30 08:59:59.999999"
    assert CALENDAR.measure(start, deadline - 1, "work_hour") == 3599


def test_a_year_without_data_warns_and_counts_monday_to_friday() -> None:
    start = at("2031-10-01 16:00")
    deadline = CALENDAR.add_duration(start, 1, "work_day")
    assert told(deadline) == "2031-10-02 16:00"
    assert told(CALENDAR.add_duration(at("2031-10-03 16:00"), 4, "work_hour")) == "2031-10-06 10:00"
    assert CALENDAR.warnings(start, deadline) == (MissingYear(2031),)
    assert CALENDAR.warnings(at("2026-12-31 12:00"), at("2028-01-01 01:00")) == (MissingYear(2027), MissingYear(2028))
    assert CALENDAR.warnings(at("2025-01-01 00:00"), at("2026-12-31 23:59")) == ()
    assert "2031" in MissingYear(2031).text("zh")
    assert "import" in MissingYear(2031).text("en")


def test_a_citys_own_list_and_hours_stand_for_their_year() -> None:
    days = (Day(date(2031, 10, 1), False, "国庆节", "notice"), Day(date(2031, 10, 4), True, "国庆节", "notice"))
    own = CALENDAR.with_lists([YearList(2031, days, WorkHours.parse("09:00-12:00,13:00-17:00"))])
    assert told(own.add_duration(at("2031-09-30 16:00"), 2, "work_hour")) == "2031-10-02 10:00"
    assert told(own.add_duration(at("2031-10-03 16:00"), 2, "work_hour")) == "2031-10-04 10:00"
    assert own.warnings(at("2031-10-01 00:00"), at("2031-12-31 00:00")) == ()
    assert own.digest != CALENDAR.digest == shipped_calendar().with_lists([]).digest


def test_a_later_years_notice_may_name_days_of_the_december_before() -> None:
    eve = Day(date(2026, 12, 31), False, "元旦", "notice for 2027")
    own = CALENDAR.with_lists([YearList(2027, (eve,))])
    assert told(own.add_duration(at("2026-12-30 17:00"), 2, "work_hour")) == "2027-01-01 09:00"
    with pytest.raises(BadInput, match="December before"):
        YearList(2027, (Day(date(2026, 11, 30), False, "", ""),))


@pytest.mark.parametrize("year", [1992, 2000, 2025, 2031, 2050])
def test_local_time_is_the_citys_all_year(year: int) -> None:
    for day in range(366):
        instant = at(f"{year}-01-01 00:00") + day * DAY
        assert local_date(instant) != local_date(instant - 1)
        assert CALENDAR.add_duration(instant, 1, "natural_day") == instant + DAY


def test_units_are_those_of_the_profile() -> None:
    assert {name: (unit.seconds, unit.clock) for name, unit in UNITS.items()} == {
        name: (unit.seconds, unit.clock) for name, unit in Profile.load().units.items()
    }
    assert limit_seconds("0.5", "work_hour") == 1800


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ("0", "work_day"),
        ("-1", "work_day"),
        ("x", "work_day"),
        ("0.0001", "work_hour"),
        ("NaN", "work_day"),
        ("1", "weeks"),
    ],
)
def test_limits_that_are_none_are_refused(value: str, unit: str) -> None:
    with pytest.raises(BadInput):
        limit_seconds(value, unit)


def test_what_cannot_be_counted_is_said() -> None:
    with pytest.raises(BadInput, match="before the start"):
        CALENDAR.measure(2, 1, "work_day")
    with pytest.raises(BadInput, match="negative"):
        CALENDAR.add_duration(0, -1, "work_day")
    with pytest.raises(BadInput, match="1992"):
        CALENDAR.add_duration(0, 1, "work_day")
    with pytest.raises(BadInput, match="outside the years"):
        CALENDAR.add_duration(2**62, 1, "work_day")
    with pytest.raises(BadInput, match="9998"):
        CALENDAR.add_duration(at("9998-12-31 12:00"), 3, "work_day")
    for hours in ("", "08:00", "12:00-08:00", "08:00-12:00,11:00-18:00", "08:00-25:00"):
        with pytest.raises(BadInput, match="working hours"):
            WorkHours.parse(hours)


CALENDARS = st.sampled_from([CALENDAR, OWN])
INSTANTS = st.integers(at("1992-01-01 00:00"), at("2060-01-01 00:00"))
NEAR = st.integers(at("2025-09-20 00:00"), at("2025-10-20 00:00"))
STARTS = st.one_of(NEAR, INSTANTS)
AMOUNTS = st.one_of(st.integers(0, 40 * DAY), st.integers(0, 400).map(lambda n: n * HOUR))
CLOCKS = st.sampled_from(["running", "working"])


@given(CALENDARS, STARTS, AMOUNTS, CLOCKS)
def test_measure_is_the_inverse_of_add(calendar: WorkCalendar, start: int, us: int, clock: str) -> None:
    deadline = calendar.add_us(start, us, clock)
    assert deadline >= start
    assert calendar.measure_us(start, deadline, clock) == us
    assert us == 0 or calendar.measure_us(start, deadline - 1, clock) == us - 1


@given(CALENDARS, STARTS, AMOUNTS, CLOCKS)
def test_adding_what_was_measured_ends_no_later(calendar: WorkCalendar, start: int, us: int, clock: str) -> None:
    end = start + us
    assert calendar.add_us(start, calendar.measure_us(start, end, clock), clock) <= end


@given(CALENDARS, STARTS, AMOUNTS, AMOUNTS, CLOCKS)
def test_a_later_start_is_never_due_earlier(
    calendar: WorkCalendar, start: int, later: int, us: int, clock: str
) -> None:
    assert calendar.add_us(start, us, clock) <= calendar.add_us(start + later, us, clock)


@given(CALENDARS, STARTS, AMOUNTS, AMOUNTS, CLOCKS)
def test_time_adds_up(calendar: WorkCalendar, start: int, first: int, second: int, clock: str) -> None:
    middle, end = start + first, start + first + second
    parts = calendar.measure_us(start, middle, clock), calendar.measure_us(middle, end, clock)
    assert min(parts) >= 0
    assert calendar.measure_us(start, end, clock) == sum(parts)
    twice = calendar.add_us(calendar.add_us(start, first + 1, clock), second + 1, clock)
    assert twice == calendar.add_us(start, first + second + 2, clock)


@given(CALENDARS, NEAR, st.integers(0, 60 * 24 * 20))
def test_working_time_is_what_a_minute_by_minute_count_finds(calendar: WorkCalendar, start: int, minutes: int) -> None:
    start -= start % (60 * SECOND)
    worked = 0
    midnight = datetime(2025, 9, 20, tzinfo=CITY)
    first = (start - at("2025-09-20 00:00")) // (60 * SECOND)
    spans = [(s // (60 * SECOND), e // (60 * SECOND)) for s, e in calendar.hours.spans]
    for minute in range(first, first + minutes):
        day = (midnight + timedelta(days=minute // 1440)).date()
        worked += calendar.is_workday(day) and any(s <= minute % 1440 < e for s, e in spans)
    assert calendar.measure_us(start, start + minutes * 60 * SECOND, "working") == worked * 60 * SECOND
