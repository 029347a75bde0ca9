"""The body of ``calendar.imported``: a year's day list, as a city journals it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec

from wanmi.calendar.days import FIRST_YEAR, LAST_YEAR, Day, YearList

__all__ = ["ROWS_A_CHUNK", "CalendarImported", "calendar_subject", "chunks_of"]

ROWS_A_CHUNK = 60
"""Rows of an entry: at their longest they stay below the entry's 64 KiB. A usual year has about 35."""


class CalendarImported(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``calendar.imported``, subject ``calendar:<year>``: the city's day list of a year, whole or a chunk of it.

    The chunks of a list follow each other in the chain; together they replace the year's list before.
    ``source`` names the file or notice, ``sha256`` the file's bytes; ``hours`` (``08:00-12:00,14:00-18:00``) null: the
    calendar's own. Times are local, Asia/Shanghai.
    """

    year: Annotated[int, msgspec.Meta(ge=FIRST_YEAR, le=LAST_YEAR)]
    source: Annotated[str, msgspec.Meta(max_length=200)]
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    chunk: Annotated[int, msgspec.Meta(ge=1, le=10)]
    chunks: Annotated[int, msgspec.Meta(ge=1, le=10)]
    hours: str | None
    rows: Annotated[list[Day], msgspec.Meta(min_length=1, max_length=ROWS_A_CHUNK)]


def calendar_subject(year: int) -> str:
    """The subject of a year's list."""
    return f"calendar:{year}"


def chunks_of(list_: YearList, source: str, sha256: str) -> Iterator[CalendarImported]:
    """A year's list as bodies, in the order in which they must be appended (all at once)."""
    parts = [list_.days[n : n + ROWS_A_CHUNK] for n in range(0, len(list_.days), ROWS_A_CHUNK)]
    hours = list_.hours.text if list_.hours else None
    for n, part in enumerate(parts, start=1):
        yield CalendarImported(list_.year, source, sha256, n, len(parts), hours, list(part))
