"""Conditions of rules: category patterns, places, hours, seasons, and how specific each is. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from wanmi.codes import CITY_ZONE
from wanmi.errors import BadInput
from wanmi_casework.routing.kinds import RuleSet

ANYWHERE = "*"
RESPONSIBILITY = "R:"
EXACT = 9
"""Rank of a category named in full; a prefix of n digits has 1 + n, all of a kind 1, everything 0."""
PLACE_RANKS = {6: 1, 9: 2, 12: 3, 14: 5, 15: 5}
"""By the code's length: district, street, community, unit grid (14 digits before 2013)."""
RESPONSIBILITY_RANK = 4
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZONE = ZoneInfo(CITY_ZONE)
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(([01]\d|2[0-3]):([0-5]\d)|24:00)")
_SEASON = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])\.\.(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a route is asked about: kind and category of the case, the finest place known, and who told of it.

    ``place`` is a unit grid (15 digits), or a community, street or district where no grid is known.
    """

    kind: str
    category: str
    place: str
    source: str


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant as rules see it: local day ``2026-11-24``, its ``11-24``, minute of the day."""

    day: str
    month_day: str
    minute: int

    @property
    def clock(self) -> str:
        """``17:30``."""
        return f"{self.minute // 60:02}:{self.minute % 60:02}"


def moment_of(at: int) -> Moment:
    """The local moment at ``at`` (µs UTC); BadInput beyond the years 1 to 9999."""
    try:
        local = (_EPOCH + timedelta(microseconds=at)).astimezone(_ZONE)
    except OverflowError as error:
        raise BadInput(f"time {at}: outside the years 1 to 9999; it must be microseconds since 1970 UTC") from error
    day = local.date().isoformat()
    return Moment(day, day[5:], local.hour * 60 + local.minute)


def place_keys(place: str) -> Iterator[str]:
    """A place and the divisions around it, finest first, then anywhere."""
    if len(place) > 12:
        yield place
    for length in (12, 9, 6):
        if len(place) >= length:
            yield place[:length]
    yield ANYWHERE


def place_rank(place: str) -> int:
    """How specific a place is: anywhere 0 … unit grid 5."""
    if place == ANYWHERE:
        return 0
    return RESPONSIBILITY_RANK if place.startswith(RESPONSIBILITY) else PLACE_RANKS[len(place)]


def pattern_rank(pattern: str, kind: str, category: str) -> int | None:
    """How specific a pattern is for a category that it takes in; None when it does not."""
    if pattern == "*":
        return 0
    wanted, _, code = pattern.partition(":")
    if wanted != kind:
        return None
    if code.endswith("*"):
        return len(code) if category.startswith(code[:-1]) else None
    return EXACT if code == category else None


def best_pattern(patterns: Sequence[str], kind: str, category: str) -> tuple[int, str] | None:
    """The most specific of the patterns that take the category in, with its rank."""
    fits = [(rank, one) for one in patterns if (rank := pattern_rank(one, kind, category)) is not None]
    return max(fits, default=None)


def rank_of(rule: RuleSet, category_rank: int, place: str) -> int:
    """One number, higher is more specific: category, then place, area class, source, hours, season."""
    rank = category_rank * 10 + place_rank(place)
    for condition in (rule.area_class is not None, bool(rule.sources), bool(rule.hours), bool(rule.seasons)):
        rank = rank * 2 + condition
    return rank


def hours_of(text: str) -> tuple[int, int]:
    """``18:00-06:00`` as minutes of the day, the second not included; BadInput for anything else."""
    found = _HOURS.fullmatch(text)
    if not found:
        raise BadInput(f"hours {text!r}: write them like 08:00-18:00 or 18:00-06:00")
    start = int(found[1]) * 60 + int(found[2])
    end = 1440 if found[3] == "24:00" else int(found[4]) * 60 + int(found[5])
    if start == end:
        raise BadInput(f"hours {text!r}: begin and end at the same minute; leave them out for the whole day")
    return start, end


def season_of(text: str) -> tuple[str, str]:
    """``11-01..03-31`` as first and last day, both included; BadInput for anything else."""
    if not _SEASON.fullmatch(text):
        raise BadInput(f"season {text!r}: write it like 11-01..03-31 (first and last day)")
    first, _, last = text.partition("..")
    return first, last


def in_hours(hours: Sequence[tuple[int, int]], minute: int) -> bool:
    """Whether a minute of the day lies in one of the spans; none at all is the whole day."""
    return not hours or any(a <= minute < b if a < b else (minute >= a or minute < b) for a, b in hours)


def in_seasons(seasons: Sequence[tuple[str, str]], month_day: str) -> bool:
    """Whether a day (``11-24``) lies in one of the seasons; none at all is the whole year."""
    return not seasons or any(a <= month_day <= b if a <= b else (month_day >= a or month_day <= b) for a, b in seasons)
