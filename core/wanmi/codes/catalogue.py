"""The catalogue of a profile: categories of components and events, and the time limits given for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, get_args

import msgspec

from wanmi.codes.resources import Lang, Row
from wanmi.errors import BadCode, BadInput

__all__ = [
    "CASE_KINDS",
    "CaseKind",
    "Catalogue",
    "Category",
    "Confidence",
    "ExtensionRange",
    "Geometry",
    "Group",
    "LimitKind",
    "TimeLimit",
    "Unit",
    "limit_from_row",
    "read_categories",
]

CaseKind = Literal["component", "event"]
CASE_KINDS: Final[tuple[CaseKind, ...]] = get_args(CaseKind)
LimitKind = Literal["component", "event", "stage"]
Geometry = Literal["point", "line", "polygon", "any"]
Confidence = Literal["verified", "inferred", "recalled"]


class Category(msgspec.Struct, frozen=True):
    """One category (小类): `code` is major and minor together, `0102`; unique within its kind."""

    kind: CaseKind
    code: str
    major: str
    minor: str
    major_zh: str
    name_zh: str
    name_en: str
    geometry: Geometry
    source: str
    confidence: Confidence


@dataclass(frozen=True)
class ExtensionRange:
    """Where each city numbers categories itself: a whole major class, or its minors from ``first`` to ``last``."""

    kind: CaseKind
    major: str
    name_zh: str
    source: str
    confidence: str
    first: str = ""
    last: str = ""

    def holds(self, code: str) -> bool:
        """Whether a category code lies in the range."""
        minor = code[len(self.major) :]
        return code.startswith(self.major) and (not self.first or self.first <= minor <= self.last)


class Unit(msgspec.Struct, frozen=True):
    """A unit of time limits: seconds of one, and whether nights and holidays count (running) or not (working)."""

    seconds: int
    clock: Literal["running", "working"]
    zh: str
    en: str


class Group(msgspec.Struct, frozen=True):
    """Categories of one kind that share limits, such as all manhole covers."""

    kind: CaseKind
    zh: str
    en: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class TimeLimit:
    """One row of the limits: of a category, a group or a stage; one source, one condition for filing and closing.

    `value` and `unit` stand as in the source; `seconds` run on `clock` (a work day is eight hours of working time).
    Rows of different sources are never added up: who sets limits chooses a row. ``filing`` and ``closing`` stand as
    in the file; ``filing_zh`` and ``closing_zh`` are their Chinese, empty where a file has none.
    """

    kind: LimitKind
    code: str
    name_zh: str
    filing: str
    closing: str
    value: str
    unit: str
    seconds: int
    clock: Literal["running", "working"]
    source: str
    confidence: str
    filing_zh: str = ""
    closing_zh: str = ""

    def criteria(self, lang: Lang) -> tuple[str, str]:
        """The conditions for filing and for closing in a language, the file's own words where it has no Chinese."""
        if lang == "zh":
            return self.filing_zh or self.filing, self.closing_zh or self.closing
        return self.filing, self.closing


class Catalogue:
    """Categories by kind and code, in the order of the standard; read only."""

    def __init__(self, categories: Iterable[Category], extensions: Iterable[ExtensionRange] = ()) -> None:
        self.categories = tuple(categories)
        self.extensions = tuple(extensions)
        self._by_code = {(one.kind, one.code): one for one in self.categories}
        if len(self._by_code) != len(self.categories):
            raise BadInput("catalogue: a category code stands twice in one kind; each must be unique")

    def of_kind(self, kind: CaseKind) -> tuple[Category, ...]:
        """All categories of that kind, in the order of the standard."""
        return tuple(one for one in self.categories if one.kind == kind)

    def get(self, kind: CaseKind, code: str) -> Category | None:
        """The category, or None."""
        return self._by_code.get((kind, code))

    def find(self, kind: CaseKind, code: str) -> Category:
        """The category; raises BadCode that names the kind, the code and what would do."""
        found = self.get(kind, code)
        if found is None:
            raise BadCode(f"{kind} category {code!r}: {self._why_unknown(kind, code)}")
        return found

    def majors(self, kind: CaseKind) -> tuple[tuple[str, str], ...]:
        """The major classes (大类) of a kind that have categories: code and Chinese name, in order."""
        return tuple({one.major: one.major_zh for one in self.of_kind(kind)}.items())

    def _why_unknown(self, kind: CaseKind, code: str) -> str:
        for one in self.extensions:
            if one.kind == kind and one.holds(code):
                what = f"minors {one.first} to {one.last} of major" if one.first else "major"
                verb = "are" if one.first else "is"
                return (
                    f"{what} {one.major} {verb} the city's own range and the profile defines no such category; "
                    "add it there"
                )
        if any(self.get(other, code) for other in CASE_KINDS if other != kind):
            return f"no such {kind}, though the other kind has this code; was the kind mistaken?"
        return f"not in the catalogue of {len(self.of_kind(kind))} {kind} categories; choose one of them"


def read_categories(kind: CaseKind, rows: Iterable[Row]) -> tuple[list[Category], list[ExtensionRange]]:
    """The categories and the cities' own ranges (codes such as `21xx`) of a catalogue file's rows."""
    categories, extensions = [], []
    for row in rows:
        if row["code"].isdigit():
            categories.append(_category(kind, row))
        else:
            extensions.append(_extension(kind, row))
    return categories, extensions


def _extension(kind: CaseKind, row: Row) -> ExtensionRange:
    """A row such as `21xx` (a whole major) or `01xxx` whose minor is written `080-999`."""
    first, _, last = row["minor"].partition("-")
    if not last or int(first) == 1:
        first = last = ""
    return ExtensionRange(kind, row["major"], row["major_zh"], row["source"], row["confidence"], first, last)


def _category(kind: CaseKind, row: Row) -> Category:
    if row["code"] != row["major"] + row["minor"]:
        raise BadInput(
            f"catalogue row {row['code']}: the code is not its major {row['major']} and minor {row['minor']}"
        )
    values = {**row, "kind": kind, "name_zh": row["minor_zh"], "name_en": row["minor_en"]}
    return msgspec.convert(values, Category)


def limit_from_row(row: Row, units: Mapping[str, Unit]) -> TimeLimit:
    """One row of a limits file; `minor_code` is `component:0101`, `event:0101`, `stage:accept` or a group's name."""
    kind, _, code = row["minor_code"].partition(":")
    unit = units.get(row["limit_unit"])
    if unit is None:
        raise BadInput(f"time limit {row['minor_code']}: unit {row['limit_unit']!r} is not one of {', '.join(units)}")
    return TimeLimit(
        kind=msgspec.convert(kind, LimitKind),
        code=code,
        name_zh=row["name_zh"],
        filing=row["filing_criterion"],
        closing=row["closing_criterion"],
        value=row["limit_value"],
        unit=row["limit_unit"],
        seconds=int(Decimal(row["limit_value"]) * unit.seconds),
        clock=unit.clock,
        source=row["source"],
        confidence=row["confidence"],
        filing_zh=row.get("filing_zh") or "",
        closing_zh=row.get("closing_zh") or "",
    )
