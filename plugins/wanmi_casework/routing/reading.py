"""CSV files of routing data into departments, responsibility grids and rules; bad rows are named one by one.

What a file holds is known by its header: ``tier`` departments, ``grids`` responsibility grids, ``categories`` rules.
Lists stand in one cell, parted by ``;``. Dates as ``2026-01-01`` or ``20260101``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeVar

import msgspec

from wanmi.codes import CASE_KINDS, BadRow, Profile, RegionCode, UnitGridCode
from wanmi.errors import BadInput
from wanmi_casework.routing.conditions import PLACE_RANKS, RESPONSIBILITY, hours_of, season_of
from wanmi_casework.routing.kinds import (
    ITS_RESPONSIBILITY,
    DepartmentSet,
    Item,
    LimitSet,
    ResponsibilitySet,
    RuleSet,
    code_of,
)

SheetKind = Literal["departments", "responsibility", "rules"]
LONGEST_TEXT = 500
MOST_BYTES = 60_000
"""Bytes of the largest row: an entry holds 64 KiB."""
_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,39}")
_SOURCE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TRUE = ("1", "true", "yes", "是", "示意")
I_ = TypeVar("I_", bound=msgspec.Struct)
Fields = dict[str, Any]


@dataclass(frozen=True)
class Sheet:
    """A file that was read: what it holds, its good rows by number, and its bad ones."""

    name: str
    kind: SheetKind
    rows: tuple[tuple[int, Item], ...]
    bad: tuple[BadRow, ...]


@dataclass(frozen=True)
class Region:
    """Whose data a node may speak for: the prefix of its codes, and the catalogue that names categories."""

    prefix: str
    profile: Profile


def read_sheet(name: str, data: bytes, region: Region) -> Sheet:
    """The rows of a CSV file; BadInput for a file that is none of the three."""
    try:
        table = list(csv.DictReader(data.decode("utf-8-sig").splitlines(), strict=True))
    except UnicodeDecodeError as error:
        raise BadInput(f"file {name}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    except csv.Error as error:
        raise BadInput(f"file {name}: not CSV: {error}; mend its quoting") from error
    kind, item_of = _kind_of(name, table)
    rows: list[tuple[int, Item]] = []
    bad: list[BadRow] = []
    for number, row in enumerate(table, start=2):
        try:
            rows.append((number, _checked(item_of(_Cells(row), region), {code_of(one) for _, one in rows})))
        except BadInput as error:
            bad.append(BadRow(number, str(error)))
    return Sheet(name, kind, tuple(rows), tuple(bad))


def _kind_of(name: str, table: Sequence[Any]) -> tuple[SheetKind, Callable[[_Cells, Region], Item]]:
    head = set(table[0]) if table else set()
    if "categories" in head:
        return "rules", _rule
    if "grids" in head:
        return "responsibility", _responsibility
    if "tier" in head:
        return "departments", _department
    raise BadInput(
        f"file {name}: has no rows, or no column `tier` (departments), `grids` (responsibility grids) or `categories` "
        f"(rules) in its header"
    )


class _Cells:
    """One row by column name."""

    def __init__(self, row: dict[str, Any]) -> None:
        if None in row:
            raise BadInput("more cells than the header has columns; quote cells that hold commas")
        self._row = row

    def text(self, name: str) -> str:
        value = str(self._row.get(name) or "").strip()
        if len(value) > LONGEST_TEXT and name not in ("grids", "categories", "places"):
            raise BadInput(f"{name} has {len(value)} characters; at most {LONGEST_TEXT}")
        return value

    def code(self, name: str) -> str:
        value = self.text(name)
        if not _CODE.fullmatch(value):
            raise BadInput(f"{name} {value!r}: 1 to 40 of letters, digits, `_ . -`, beginning with a letter or digit")
        return value

    def optional(self, name: str) -> str | None:
        return self.text(name) or None

    def many(self, name: str) -> list[str]:
        parts = (part.strip() for part in re.split("[;；]", self.text(name)))
        return list(dict.fromkeys(part for part in parts if part))

    def whole(self, name: str, least: int, default: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not (value.isascii() and value.isdigit() and len(value) <= 9 and int(value) >= least):
            raise BadInput(f"{name} {value!r}: a whole number of at least {least}")
        return int(value)

    def day(self, name: str) -> str | None:
        value = self.text(name)
        if not value:
            return None
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError as error:
            raise BadInput(f"{name} {value!r}: not a date; write it like 2026-11-24") from error

    def days(self) -> tuple[str, str | None]:
        begins, ends = self.day("begins"), self.day("ends")
        if begins is None:
            raise BadInput("begins is empty; give the first day, like 2026-11-24")
        if ends is not None and ends < begins:
            raise BadInput(f"ends on {ends}, before it begins on {begins}; mend one")
        return begins, ends

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in _TRUE


def _department(row: _Cells, _region: Region) -> DepartmentSet:
    begins, ends = row.days()
    return _struct(DepartmentSet, {
        "code": row.code("code"), "name": _named(row), "name_en": row.text("name_en"), "kind": row.text("kind"),
        "tier": row.text("tier"), "begins": begins, "ends": ends, "note": row.text("note"),
        "schematic": row.flag("schematic"),
    })  # fmt: skip


def _responsibility(row: _Cells, region: Region) -> ResponsibilitySet:
    begins, ends = row.days()
    grids = sorted(_cell(code, region) for code in row.many("grids"))
    if not grids:
        raise BadInput("grids is empty; name unit grids (15 digits) or communities (12)")
    return _struct(ResponsibilitySet, {
        "code": row.code("code"), "name": _named(row), "grids": grids, "collectors": row.many("collectors"),
        "departments": row.many("departments"), "area_class": row.optional("area_class"), "begins": begins,
        "ends": ends, "note": row.text("note"), "schematic": row.flag("schematic"),
    })  # fmt: skip


def _rule(row: _Cells, region: Region) -> RuleSet:
    begins, ends = row.days()
    for text in row.many("hours"):
        hours_of(text)
    for text in row.many("seasons"):
        season_of(text)
    rule = _struct(RuleSet, {
        "id": row.code("id"), "order": row.whole("order", 0, 100),
        "categories": [_pattern(text, region.profile) for text in row.many("categories")],
        "places": [_place(text, region) for text in row.many("places") if text != "*"],
        "area_class": row.optional("area_class"), "sources": [_source(text) for text in row.many("sources")],
        "hours": row.many("hours"), "seasons": row.many("seasons"), "department": row.optional("department"),
        "helpers": row.many("helpers"), "collector": row.optional("collector"), "limit": _limit(row),
        "begins": begins, "ends": ends, "note": row.text("note"), "provenance": row.text("provenance"),
        "schematic": row.flag("schematic"),
    })  # fmt: skip
    if not rule.categories:
        raise BadInput("categories is empty; name some like event:0102, event:01*, or * for all")
    if rule.department is None and rule.collector is None and rule.limit is None:
        raise BadInput("gives nothing: fill department, collector or limit")
    if rule.helpers and rule.department is None:
        raise BadInput("helpers without a department; name the main one")
    return rule


def _limit(row: _Cells) -> LimitSet | None:
    if not row.text("limit"):
        return None
    return _struct(LimitSet, {"value": row.whole("limit", 1, 0), "unit": row.text("unit")})


def _named(row: _Cells) -> str:
    if not row.text("name"):
        raise BadInput("name is empty")
    return row.text("name")


def _pattern(text: str, profile: Profile) -> str:
    kind, _, code = text.partition(":")
    if text == "*":
        return text
    for known in CASE_KINDS:
        if kind != known:
            continue
        if code.endswith("*"):
            prefix = code[:-1]
            if any(one.code.startswith(prefix) for one in profile.catalogue.of_kind(known)):
                return text
            raise BadInput(f"category {text!r}: no {kind} category of profile {profile.name} begins so")
        return f"{known}:{profile.category(known, code).code}"
    raise BadInput(f"category {text!r}: write event:0102, component:01*, event:* or *")


def _place(text: str, region: Region) -> str:
    if text.startswith(RESPONSIBILITY):
        return text
    if not text.isascii() or not text.isdigit() or len(text) not in PLACE_RANKS:
        raise BadInput(f"place {text!r}: a district (6 digits), street (9), community (12), unit grid (15) or R:CODE")
    RegionCode.parse(text[:6])
    return _ours(text, region)


def _cell(text: str, region: Region) -> str:
    if len(text) == 12 and text.isascii() and text.isdigit():
        return _ours(text, region)
    return _ours(str(UnitGridCode.parse(text)), region)


def _ours(code: str, region: Region) -> str:
    if not code.startswith(region.prefix):
        raise BadInput(f"place {code}: is not in the region {region.prefix} of this node")
    return code


def _source(text: str) -> str:
    if not _SOURCE.fullmatch(text):
        raise BadInput(f"source {text!r}: a word of a-z, 0-9 and _, such as collector or hotline")
    return text


def _struct(type_: type[I_], fields: Fields) -> I_:
    try:
        return msgspec.convert(fields, type_, strict=True)
    except msgspec.ValidationError as error:
        raise BadInput(str(error)) from error


def _checked(item: Item, before: set[str]) -> Item:
    if code_of(item) in before:
        raise BadInput(f"{code_of(item)}: stands twice in this file; keep one row")
    size = len(msgspec.json.encode(item))
    if size > MOST_BYTES:
        raise BadInput(f"{code_of(item)}: takes {size} bytes of {MOST_BYTES} that an entry holds; split it")
    return item


def names_in(item: Item) -> tuple[list[str], list[str]]:
    """The departments and the responsibility grids that an item refers to."""
    if isinstance(item, RuleSet):
        own = [] if item.department in (None, ITS_RESPONSIBILITY) else [item.department]
        sets = [place.removeprefix(RESPONSIBILITY) for place in item.places if place.startswith(RESPONSIBILITY)]
        return [*filter(None, own), *item.helpers], sets
    return (item.departments, []) if isinstance(item, ResponsibilitySet) else ([], [])
