"""The calendar in the package: what counts until a city imports its own day lists."""

from __future__ import annotations

from functools import cache

import msgspec

from wanmi.calendar.days import parse_days, year_lists
from wanmi.calendar.hours import WorkHours
from wanmi.calendar.work import WorkCalendar
from wanmi.codes.resources import folder_named, read_toml
from wanmi.errors import BadInput

__all__ = ["shipped_calendar"]

FOLDER = "calendar"


@cache
def shipped_calendar() -> WorkCalendar:
    """Holidays and make-up workdays 2004-2026 by the State Council's notices, 08:00-12:00 and 14:00-18:00; read once."""
    folder = folder_named(FOLDER)
    parsed = parse_days((folder / "cn.csv").read_text(encoding="utf-8"))
    if parsed.bad:
        raise BadInput(f"{FOLDER}/cn.csv: row {parsed.bad[0].row}: {parsed.bad[0].reason}")
    toml = read_toml(folder, "calendar.toml")
    hours = WorkHours.parse(msgspec.convert(toml["hours"], str))
    return WorkCalendar(year_lists(parsed.days), hours, msgspec.convert(toml["names"], dict[str, str]))
