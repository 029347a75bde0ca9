"""What to look for among cases, as it stands in a URL, and the cursor that says where a page ended."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, or_

from wanmi.clock import SECOND
from wanmi.codes import CITY_ZONE
from wanmi.errors import BadInput
from wanmi.models import CaseRow, table
from wanmi.query.numbers import read_number

_FORMS = {
    "district": (r"[0-9]{6}", "6 digits, such as 210102"),
    "grid": (r"[0-9]{9}|[0-9]{12}|[0-9]{15}", "a street (9 digits), community (12) or unit grid (15)"),
    "category": (r"[0-9]{4,8}", "a category's digits, such as 0102 or 06010"),
    "kind": (r"component|event", "component or event"),
    "stage": (r"[a-z][a-z0-9_-]{0,19}", "a stage's name"),
    "number": (r"[0-9A-Za-z-]{1,60}", "a case number or a part of one"),
    "since": (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "a day, such as 2026-11-24"),
    "until": (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "a day, such as 2026-11-24"),
}
_LONGEST_CURSOR = 200
_CURSOR = re.compile(r"([0-9]{1,16})\.([0-9A-Za-z-]{1,60})")


@dataclass(frozen=True)
class CaseFilter:
    """Every field that is set must fit. ``since`` and ``until`` are local days of opening, both included.

    ``grid`` takes a street (9 digits), a community (12) or a unit grid (15); ``number`` the beginning of a
    case number or whole parts of it (``wanmi.query.numbers``).
    ``alike`` holds the (kind, category) pairs that mean the category in all catalogues: any of them fits.
    """

    district: str = ""
    grid: str = ""
    category: str = ""
    kind: str = ""
    stage: str = ""
    number: str = ""
    since: str = ""
    until: str = ""
    alike: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, given: Mapping[str, str]) -> CaseFilter:
        """The filter in a URL's parameters, blanks trimmed, others ignored; BadInput says which field is wrong."""
        values = {name: given.get(name, "").strip() for name in _FORMS}
        for name, (form, said) in _FORMS.items():
            if values[name] and not re.fullmatch(form, values[name]):
                raise BadInput(f"{name} {values[name][:40]!r}: must be {said}")
        for name in ("since", "until"):
            if values[name]:
                day_start(values[name])
        values["number"] = values["number"].upper()
        if values["number"]:
            read_number(values["number"])
        return cls(**{name: values[name] for name in _FORMS}, alike=())

    def set_fields(self) -> dict[str, str]:
        """The fields that are set, in order: what belongs in a URL."""
        return {name: value for name, value in asdict(self).items() if value and name in _FORMS}


def day_start(day: str, later: int = 0) -> int:
    """µs UTC at which the local day ``2026-11-24`` begins, or one ``later`` days after it; BadInput if there is none."""
    try:
        at = datetime.combine(date.fromisoformat(day) + timedelta(days=later), datetime.min.time(), ZoneInfo(CITY_ZONE))
        return int(at.astimezone(UTC).timestamp()) * SECOND
    except (ValueError, OverflowError) as error:
        raise BadInput(f"day {day[:40]!r}: there is no such day; write year-month-day, such as 2026-11-24") from error


def write_cursor(opened_at: int, number: str) -> str:
    """Where a page ended, for the next one's ``cursor`` parameter."""
    return base64.urlsafe_b64encode(f"{opened_at}.{number}".encode()).rstrip(b"=").decode()


def read_cursor(cursor: str) -> tuple[int, str]:
    """(opened_at, number) of a cursor; BadInput for anything that ``write_cursor`` did not write."""
    try:
        if len(cursor) > _LONGEST_CURSOR:
            raise ValueError("too long")
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        found = _CURSOR.fullmatch(text)
        if found is None:
            raise ValueError("not a cursor")
    except (binascii.Error, ValueError) as error:
        raise BadInput(f"cursor {cursor[:40]!r}: {error}; take it from the page before, or leave it out") from error
    return int(found[1]), found[2]


def after_cursor(cursor: str) -> ColumnElement[bool]:
    """The cases after a cursor, in the order newest first, as SQL."""
    opened_at, number = read_cursor(cursor)
    c: Any = table(CaseRow).c
    return and_(c.opened_at <= opened_at, or_(c.opened_at < opened_at, c.number < number))
