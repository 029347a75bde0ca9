"""Administrative divisions: city, districts, streets, communities, each under its parent, by the statistics' codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, get_args

import msgspec

from wanmi.codes.resources import folder_named, read_rows, read_toml
from wanmi.codes.shapes import Lang, load_shapes
from wanmi.errors import BadCode

__all__ = ["LEVELS", "BadRow", "Division", "Divisions", "Level", "RawRow", "parse_divisions", "short_code"]

Level = Literal["city", "district", "street", "community"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)
_SHAPE_OF_LEVEL: Mapping[Level, str] = {
    "city": "region",
    "district": "region",
    "street": "street",
    "community": "community",
}
_LONGEST_NAME = 60

RawRow = Mapping[str, object]
"""A row as csv.DictReader gives it, not yet checked."""


@dataclass(frozen=True)
class Division:
    """One division. `code` has 6 digits (city, district), 9 (street) or 12 (community); `parent` is a code or ""."""

    code: str
    level: Level
    name: str
    parent: str
    name_en: str = ""
    source: str = ""
    confidence: str = ""

    @property
    def code12(self) -> str:
        """The code in the statistics bureau's 12 digits."""
        return self.code.ljust(12, "0")

    def in_lang(self, lang: Lang) -> str:
        """The name for the screen; the Chinese one where there is no English one."""
        return f"{self.name_en} {self.name}" if lang == "en" and self.name_en else self.name


@dataclass(frozen=True)
class BadRow:
    """A refused row: `row` counts from 2, the header being row 1 (csv.DictReader leaves blank lines out), `reason` says what to mend."""

    row: int
    reason: str


class Divisions:
    """All divisions by code, with parents and children; read only. Codes are taken short or in 12 digits."""

    def __init__(self, divisions: Iterable[Division]) -> None:
        self._by_code = {one.code: one for one in divisions}
        self._children: dict[str, list[Division]] = {}
        for one in self._by_code.values():
            self._children.setdefault(one.parent, []).append(one)

    @classmethod
    def load(cls, name: str = "shenyang") -> Divisions:
        """The divisions shipped under that name, read once; raises NotFound naming the folders there are."""
        return _load(name)

    def __len__(self) -> int:
        return len(self._by_code)

    def __contains__(self, code: str) -> bool:
        return short_code(code) in self._by_code

    def get(self, code: str) -> Division | None:
        """The division, or None."""
        return self._by_code.get(short_code(code))

    def find(self, code: str) -> Division:
        """The division; raises BadCode that names the code and what to do."""
        found = self.get(code)
        if found is None:
            raise BadCode(f"division {code!r}: not in the division table; check the code or import the division")
        return found

    def chain(self, code: str) -> tuple[Division, ...]:
        """The division and all above it, the city first; raises BadCode for an unknown code."""
        chain = [self.find(code)]
        while (above := self._by_code.get(chain[-1].parent)) is not None:
            chain.append(above)
        return tuple(reversed(chain))

    def children(self, code: str) -> tuple[Division, ...]:
        """The divisions right under one, in the order of the table; none for a community or an unknown code."""
        return tuple(self._children.get(short_code(code), ()))

    def at_level(self, level: Level, under: str = "") -> tuple[Division, ...]:
        """All divisions of a level, in the order of the table; `under` keeps those inside that division."""
        inside = "" if not under else _inside(short_code(under))
        return tuple(one for one in self._by_code.values() if one.level == level and one.code.startswith(inside))


def short_code(code: str) -> str:
    """A 12-digit code without the zeros that fill it up: 210102001000 is street 210102001; others unchanged."""
    if len(code) == 12 and code.endswith("000"):
        return code[:6] if code.endswith("000000") else code[:9]
    return code


def parse_divisions(
    rows: Iterable[RawRow], known: Mapping[str, Division] | None = None
) -> tuple[list[Division], list[BadRow]]:
    """Divisions from the rows of a CSV file, and the rows refused with their reasons; nothing is half taken.

    Columns: `code` or `code12`, `name`, and optionally `level`, `parent`, `name_en`, `source`, `confidence`; what is
    given must agree with the code. Order does not matter. A street or community needs its parent in the file or in
    `known` (divisions already there, by code); a district may stand alone.
    """
    good: dict[str, Division] = {}
    bad: list[BadRow] = []
    for level_rows in _by_level(rows, bad):
        for number, division in level_rows:
            try:
                _check_place(division, good, known or {})
            except BadCode as error:
                bad.append(BadRow(number, str(error)))
            else:
                good[division.code] = division
    return list(good.values()), sorted(bad, key=lambda one: one.row)


def _by_level(rows: Iterable[RawRow], bad: list[BadRow]) -> list[list[tuple[int, Division]]]:
    """The readable rows with their numbers, parents' levels first; the unreadable go to `bad`."""
    levels: dict[Level, list[tuple[int, Division]]] = {level: [] for level in LEVELS}
    for number, row in enumerate(rows, start=2):
        try:
            division = _division(row)
        except BadCode as error:
            bad.append(BadRow(number, str(error)))
        else:
            levels[division.level].append((number, division))
    return list(levels.values())


def _division(row: RawRow) -> Division:
    value = _texts(row)
    code = short_code(value.get("code") or value.get("code12", ""))
    level = _level_of(code)
    division = Division(
        code=code,
        level=level,
        name=_name(code, value.get("name", "")),
        parent=_parent_of(code, level),
        name_en=value.get("name_en", ""),
        source=value.get("source", ""),
        confidence=value.get("confidence", ""),
    )
    _agree(division, value)
    return division


def _texts(row: RawRow) -> dict[str, str]:
    """The row's texts, trimmed; csv.DictReader gives a list for surplus columns and None for missing ones."""
    if any(isinstance(value, list) for value in row.values()):
        raise BadCode("has more columns than the header; quote a name that holds a comma")
    return {key: value.strip() for key, value in row.items() if isinstance(value, str)}


def _level_of(code: str) -> Level:
    level: Level = "city" if len(code) == 6 and code.endswith("00") else _LEVEL_OF_WIDTH.get(len(code), "community")
    load_shapes()[_SHAPE_OF_LEVEL[level]].split(code)
    return level


_LEVEL_OF_WIDTH: Mapping[int, Level] = {6: "district", 9: "street", 12: "community"}


def _parent_of(code: str, level: Level) -> str:
    parents: dict[Level, str] = {"city": "", "district": code[:4] + "00", "street": code[:6], "community": code[:9]}
    return parents[level]


def _name(code: str, name: str) -> str:
    if not name or len(name) > _LONGEST_NAME:
        raise BadCode(f"division {code}: needs a name of 1 to {_LONGEST_NAME} characters, has {len(name)}")
    return name


def _agree(division: Division, given: Mapping[str, str]) -> None:
    """What the row says beside the code must be what the code says."""
    expected = {"code12": division.code12, "level": division.level, "parent": division.parent}
    for column, right in expected.items():
        said = given.get(column, "")
        if said and right and short_code(said) != short_code(right):
            raise BadCode(
                f"division {division.code}: column {column} says {said!r}, the code means {right!r}; mend one"
            )


def _check_place(division: Division, good: Mapping[str, Division], known: Mapping[str, Division]) -> None:
    if division.code in good:
        raise BadCode(f"division {division.code}: stands twice in the file; keep one row")
    parent = division.parent
    if division.level in ("street", "community") and parent not in good and parent not in known:
        raise BadCode(f"division {division.code}: its parent {parent} is neither in the file nor known; add it first")


def _inside(code: str) -> str:
    return code[:4] if len(code) == 6 and code.endswith("00") else code


@cache
def _load(name: str) -> Divisions:
    folder = folder_named(name)
    toml = read_toml(folder, "city.toml")
    english = msgspec.convert(toml["names_en"], dict[str, str])
    city = msgspec.convert({**toml, "level": "city", "parent": ""}, Division)
    rows = [{**row, "name_en": english.get(row["code"], "")} for row in read_rows(folder, "divisions.csv")]
    good, bad = parse_divisions(rows, {city.code: city})
    if bad:
        raise BadCode(f"shipped divisions {name}: row {bad[0].row}: {bad[0].reason}")
    named_city = Division(city.code, "city", city.name, "", english.get(city.code, ""), city.source, city.confidence)
    return Divisions([named_city, *good])
