"""Working time of a city: urgent hours, work hours, work days and natural days on a day list that the city imports. Pure.

calendar = shipped_calendar()
deadline = calendar.add_duration(start, 2, "work_day")         # µs UTC
seconds = calendar.measure(start, end, "work_day")             # of working time
calendar.warnings(start, deadline)                             # years without a day list: Monday to Friday counted
"""

from wanmi.calendar.days import FIRST_YEAR, LAST_YEAR, Day, ParsedDays, YearList, parse_days, year_lists
from wanmi.calendar.hours import WorkHours
from wanmi.calendar.kinds import CalendarImported, calendar_subject, chunks_of
from wanmi.calendar.shipped import shipped_calendar
from wanmi.calendar.units import UNITS, ClockKind, TimeUnit, limit_seconds, unit_named
from wanmi.calendar.work import DAY_US, OFFSET_US, MissingYear, WorkCalendar, local_day

__all__ = [
    "DAY_US",
    "FIRST_YEAR",
    "LAST_YEAR",
    "OFFSET_US",
    "UNITS",
    "CalendarImported",
    "ClockKind",
    "Day",
    "MissingYear",
    "ParsedDays",
    "TimeUnit",
    "WorkCalendar",
    "WorkHours",
    "YearList",
    "calendar_subject",
    "chunks_of",
    "limit_seconds",
    "local_day",
    "parse_days",
    "shipped_calendar",
    "unit_named",
    "year_lists",
]
