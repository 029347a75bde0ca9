"""Checks the CSV files: catalogue, limits, mappings. Each fault with its line."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, get_args

from wanmi.codes import CASE_KINDS, CaseKind, Profile, shipped_profiles
from wanmi.codes.catalogue import Confidence, ExtensionRange, Geometry, LimitKind, read_categories
from wanmi.codes.mapping import mapping_file, read_mapping
from wanmi.codes.resources import Toml
from wanmi.errors import BadInput
from wanmi.profiles.check_words import table_at
from wanmi.profiles.findings import Finding, NumberedRow, Table, read_table, text_of, toml_line
from wanmi.profiles.packing import Files

__all__ = ["Known", "check_catalogue", "check_limits", "check_mapping", "check_plain"]

Known = dict[tuple[str, str], NumberedRow]
"""The categories by kind and code."""
OWN_MARK = "自定义"
CATEGORY = ("code", "major", "major_zh", "minor", "minor_zh", "minor_en", "geometry", "source", "confidence")
LIMIT = (
    "minor_code", "name_zh", "filing_criterion", "closing_criterion", "limit_value", "limit_unit", "source", "confidence",
)  # fmt: skip
MAPPING = ("from", "from_zh", "to", "to_zh", "confidence", "how")


def check_catalogue(toml: Toml, files: Files) -> Generator[Finding, None, Known]:
    """Both catalogue files; returns the categories that they define."""
    known: Known = {}
    for kind in CASE_KINDS:
        name = f"{kind}s.csv"
        table = yield from _read(files, name, CATEGORY)
        if table is None:
            continue
        widths = _widths(toml, kind)
        ranges = [one for row in table.rows for one in _range(kind, row)]
        for row in table.rows:
            yield from _category(name, row, widths, known, kind)
            yield from _own(name, row, ranges)
            yield from _major(toml, name, row, kind)
    yield from _groups(toml, text_of(files, "profile.toml"), known)
    return known


def check_limits(toml: Toml, files: Files, known: Known) -> Iterator[Finding]:
    """time_limits.csv: what each limit is for, its value and unit; a warning for categories without one."""
    name = "time_limits.csv"
    table = yield from _read(files, name, LIMIT)
    if table is None:
        return
    bearing: set[tuple[str, str]] = set()
    for row in table.rows:
        kind, _, code = row.cells["minor_code"].partition(":")
        bearing.add((kind, code))
        yield from _target(toml, name, row, known)
        yield from _value(toml, name, row)
    yield from _without(toml, known, bearing)


def check_mapping(files: Files, name: str, known: Known) -> Iterator[Finding]:
    """A mapping from another catalogue: both ends must be there (the old one where it is shipped)."""
    table = yield from _read(files, name, MAPPING)
    old = next((one for one in shipped_profiles() if mapping_file(one) == name), None)
    for row in table.rows if table is not None else ():
        try:
            mapped = read_mapping(row.cells)
        except (BadInput, ValueError) as error:
            yield Finding("error", name, row.line, str(error), "compare with the shipped mapping")
            continue
        if mapped.target is not None and mapped.target not in known:
            yield Finding(
                "error", name, row.line, f"{row.cells['to']} is not in the catalogue", "name a category of this profile"
            )
        if old is not None and Profile.load(old).catalogue.get(*mapped.source) is None:
            yield Finding("error", name, row.line, f"{row.cells['from']} is not in {old}", "name one of its categories")


def check_plain(files: Files, name: str) -> Iterator[Finding]:
    """A table that another part reads (routing …): that it is a table."""
    yield from _read(files, name, ())


def _read(files: Files, name: str, columns: tuple[str, ...]) -> Generator[Finding, None, Table | None]:
    try:
        table = read_table(text_of(files, name))
    except BadInput as error:
        yield Finding("error", name, None, str(error), "write it as CSV with commas")
        return None
    missing = [column for column in columns if column not in table.columns]
    if missing or not table.columns:
        yield Finding(
            "error", name, 1, f"columns {', '.join(missing) or 'all'} are missing", "the first line names the columns"
        )
        return None
    for row in table.rows:
        if row.extra or row.missing:
            count = len(table.columns) - len(row.missing) + row.extra
            what = f"{count} cells where the first line names {len(table.columns)}"
            yield Finding("error", name, row.line, what, 'put text with commas into "quotes"')
    return table


def _widths(toml: Toml, kind: CaseKind) -> Mapping[str, int]:
    shape = table_at(toml, "codes").get(kind)
    parts: Any = shape.get("parts", []) if isinstance(shape, Mapping) else []
    return {part["name"]: part.get("width", 0) for part in parts if isinstance(part, Mapping) and "name" in part}


def _range(kind: CaseKind, row: NumberedRow) -> list[ExtensionRange]:
    if row.cells["code"].isdigit():
        return []
    try:
        return read_categories(kind, [row.cells])[1]
    except ValueError:
        return []


def _category(
    name: str, row: NumberedRow, widths: Mapping[str, int], known: Known, kind: CaseKind
) -> Iterator[Finding]:
    cells = row.cells
    if not cells["code"].isdigit():
        return
    if cells["code"] != cells["major"] + cells["minor"]:
        yield Finding(
            "error",
            name,
            row.line,
            f"code {cells['code']} is not major {cells['major']} and minor {cells['minor']}",
            "write the code of both",
        )
    for part in ("major", "minor"):
        width = widths.get(part, 0)
        if width and (len(cells[part]) != width or not cells[part].strip("0")):
            yield Finding(
                "error",
                name,
                row.line,
                f"{part} {cells[part]!r} is not {width} digits from {1:0{width}d}",
                "number it so",
            )
    if (kind, cells["code"]) in known:
        first = known[kind, cells["code"]].line
        yield Finding(
            "error", name, row.line, f"code {cells['code']} stands in line {first} too", "give it a number of its own"
        )
    known.setdefault((kind, cells["code"]), row)
    for column in ("major_zh", "minor_zh", "minor_en", "source"):
        if not cells[column].strip():
            yield Finding("error", name, row.line, f"{column} of {cells['code']} is empty", "fill it in")
    yield from _choice(name, row, "geometry", get_args(Geometry))
    yield from _choice(name, row, "confidence", get_args(Confidence))


def _choice(name: str, row: NumberedRow, column: str, choices: tuple[str, ...]) -> Iterator[Finding]:
    if row.cells[column] not in choices:
        yield Finding("error", name, row.line, f"{column} {row.cells[column]!r}", f"write one of {', '.join(choices)}")


def _own(name: str, row: NumberedRow, ranges: list[ExtensionRange]) -> Iterator[Finding]:
    """GB/T 47678: a city's own category, in the range that is its own, is marked as such."""
    code = row.cells["code"]
    bounded = [one for one in ranges if one.first]
    if code.isdigit() and any(one.holds(code) for one in bounded) and OWN_MARK not in row.cells["minor_zh"]:
        yield Finding(
            "warning",
            name,
            row.line,
            f"{code} {row.cells['minor_zh']} is the city's own and not marked",
            f"write {row.cells['minor_zh']}（{OWN_MARK}）",
        )


def _major(toml: Toml, name: str, row: NumberedRow, kind: CaseKind) -> Iterator[Finding]:
    words = table_at(table_at(toml, "labels"), f"{kind}-major")
    major = row.cells["major"]
    if major not in words:
        yield Finding(
            "error", name, row.line, f"major {major} has no words", f"add it to [labels.{kind}-major] of profile.toml"
        )
    elif isinstance(words[major], Mapping) and words[major].get("zh") != row.cells["major_zh"]:
        yield Finding(
            "error",
            name,
            row.line,
            f"major {major} is called {row.cells['major_zh']}",
            f"[labels.{kind}-major] calls it {words[major].get('zh')}; call it the same",
        )


def _groups(toml: Toml, text: str, known: Known) -> Iterator[Finding]:
    for group, value in table_at(toml, "groups").items():
        kind, members = (value.get("kind"), value.get("members", [])) if isinstance(value, Mapping) else (None, [])
        strangers = [code for code in members if (kind, code) not in known]
        if strangers:
            yield Finding(
                "error",
                "profile.toml",
                toml_line(text, "groups", group),
                f"group {group}: {', '.join(strangers)} not in the catalogue",
                "take them out or add them",
            )


def _target(toml: Toml, name: str, row: NumberedRow, known: Known) -> Iterator[Finding]:
    kind, _, code = row.cells["minor_code"].partition(":")
    if kind not in get_args(LimitKind):
        yield Finding(
            "error",
            name,
            row.line,
            f"minor_code {row.cells['minor_code']!r}",
            "write component:0101, event:0101 or stage:accept",
        )
    elif kind == "stage":
        if code not in table_at(table_at(toml, "labels"), "stage"):
            yield Finding(
                "error", name, row.line, f"stage {code!r} has no words", "add it to [labels.stage] of profile.toml"
            )
    elif (kind, code) not in known and code not in table_at(toml, "groups"):
        yield Finding(
            "error",
            name,
            row.line,
            f"{kind} {code} is not in the catalogue and no group",
            f"add it to {kind}s.csv or take the limit out",
        )


def _value(toml: Toml, name: str, row: NumberedRow) -> Iterator[Finding]:
    units, unit, value = table_at(toml, "units"), row.cells["limit_unit"], row.cells["limit_value"]
    if unit not in units:
        yield Finding("error", name, row.line, f"limit_unit {unit!r}", f"write one of {', '.join(units)}")
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal(0)
    if not number.is_finite() or not 0 < number <= 3660:
        yield Finding("error", name, row.line, f"limit_value {value!r}", "write a number above 0 and at most 3660")
    yield from _choice(name, row, "confidence", get_args(Confidence))
    if not row.cells["source"].strip():
        yield Finding("error", name, row.line, "source is empty", "say who set the limit")


def _without(toml: Toml, known: Known, bearing: set[tuple[str, str]]) -> Iterator[Finding]:
    for group, value in table_at(toml, "groups").items():
        if isinstance(value, Mapping) and (value.get("kind"), group) in bearing:
            bearing |= {(str(value.get("kind")), code) for code in value.get("members", [])}
    for kind, code in known:
        if (kind, code) not in bearing:
            row = known[kind, code]
            yield Finding(
                "warning",
                f"{kind}s.csv",
                row.line,
                f"{code} {row.cells['minor_zh']} has no limit",
                "add one to time_limits.csv",
            )
