"""Checks that rows of all base data share: dates, sizes, texts."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import msgspec

from wanmi.codes import local_date
from wanmi.entries import MAX_RAW
from wanmi.errors import BadInput
from wanmi_gis.reading import SourceRow

if TYPE_CHECKING:
    from wanmi.registry import NodeContext

LONGEST_TEXT = 1000
MOST_BYTES = MAX_RAW - 2048
"""Bytes of the largest row: an entry less its envelope."""


def today(node: NodeContext) -> str:
    """The local date at the node, `YYYY-MM-DD`."""
    return local_date(node.clock.now()).isoformat()


def date_of(row: SourceRow, *names: str) -> str | None:
    """The date in the first of these properties, as `YYYY-MM-DD`; `YYYYMMDD` is taken too. None if there is none."""
    said = row.text(*names)
    if not said:
        return None
    try:
        return date.fromisoformat(said).isoformat()
    except ValueError as error:
        raise BadInput(f"{names[0]} {said!r}: not a date; write it like 2026-11-24") from error


def check_dates(begins: str, ends: str | None) -> None:
    """BadInput if something ends before it begins."""
    if ends is not None and ends < begins:
        raise BadInput(f"ends on {ends}, before it begins on {begins}; mend one")


def text_of(row: SourceRow, *names: str) -> str:
    """A text of bounded length."""
    said = row.text(*names)
    if len(said) > LONGEST_TEXT:
        raise BadInput(f"{names[0]} has {len(said)} characters; at most {LONGEST_TEXT}")
    return said


def check_size(code: str, item: msgspec.Struct) -> None:
    """BadInput if a row does not fit an entry."""
    size = len(msgspec.json.encode(item)) + 1
    if size > MOST_BYTES:
        raise BadInput(f"{code}: takes {size} bytes of {MOST_BYTES} that an entry holds; simplify its border")
