"""What people quote of a case number, ``210102-E0102-20261124-0007``: its beginning, or whole parts of it. Pure.

Any part at all would need an index of every three letters (trigrams): as large as the cases themselves, and slow to
write. People read a number out by its parts, and each part has an index.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from wanmi.errors import BadInput

_KINDS = {"E": "event", "C": "component"}
_BEGINNING = re.compile(r"(?!20)[0-9]{6,10}(-([CE]([0-9]{0,8}|[0-9]{1,8}-([0-9]{0,8}|[0-9]{8}-[0-9]{0,9})))?)?")
_PARTS = re.compile(
    r"(?:(?P<letter>[CE])(?P<category>[0-9]{1,8}))?(?:(?:^|-)(?P<day>20[0-9]{6}))?(?:(?:^|-)(?P<sequence>[0-9]{1,9}))?"
)


@dataclass(frozen=True)
class NumberPart:
    """A part of a case number: every field that is set must fit. ``begin`` is the beginning of the number as text."""

    begin: str = ""
    kind: str = ""
    category: str = ""
    day: str = ""
    sequence: int | None = None


def read_number(text: str) -> NumberPart:
    """The part that a text means; BadInput for one that is neither a beginning nor whole parts.

    >>> read_number("E0102-20261124")
    NumberPart(begin='', kind='event', category='0102', day='20261124', sequence=None)
    >>> read_number("7")
    NumberPart(begin='', kind='', category='', day='', sequence=7)
    """
    said = text.strip("-")
    if _BEGINNING.fullmatch(said):
        return _beginning(text.lstrip("-"))
    found = _PARTS.fullmatch(said)
    if found is None or not said:
        raise BadInput(
            f"number {text[:40]!r}: write the beginning of a case number, or whole parts of it: category E0102, day "
            "20261124, sequence 0007, or E0102-20261124-0007"
        )
    sequence = found["sequence"]
    return NumberPart(
        kind=_KINDS.get(found["letter"] or "", ""),
        category=found["category"] or "",
        day=found["day"] or "",
        sequence=None if sequence is None else int(sequence),
    )


def _beginning(begin: str) -> NumberPart:
    """A beginning, and which of its parts are whole: those an index can take."""
    _, coded, day, *_ = [*begin.split("-"), "", ""]
    kind, category = (_KINDS[coded[0]], coded[1:]) if begin.count("-") > 1 else ("", "")
    return NumberPart(begin, kind, category, day if len(day) == 8 else "")
