"""Shapes of codes: which parts a code has, how wide each is, what each may hold. A profile's data, never program text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Literal

import msgspec

from wanmi.codes.resources import Lang, Toml, folder_named, read_toml
from wanmi.errors import BadCode

__all__ = ["DEFAULT_PROFILE", "Form", "Lang", "Part", "Shape", "Shapes", "load_shapes", "shapes_of"]

DEFAULT_PROFILE = "cjt-2007"
_LONGEST_NUMBER = 12
_LONGEST_TEXT = 64

Form = Literal["number", "region", "node", "date", "choice", "literal"]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One part of a code.

    Forms: number (`width` digits, not all 0; with `grows` it may outgrow its width, without leading zeros), region
    (6 digits, first not 0), node (a region, or a region and `extra` digits), date (yyyymmdd), choice, literal.
    """

    form: Form
    name: str = ""
    width: int = 0
    extra: int = 0
    grows: bool = False
    optional: bool = False
    text: str = ""
    choices: tuple[str, ...] = ()
    zh: str = ""
    en: str = ""

    def pattern(self) -> str:
        """The regular expression of this part alone, as a named group unless it is a literal."""
        body = self._body()
        if self.form == "literal":
            return body
        return f"(?P<{self.name}>{body}){'?' if self.optional else ''}"

    def _body(self) -> str:
        if self.form == "literal":
            return re.escape(self.text)
        if self.form == "choice":
            return "|".join(re.escape(choice) for choice in self.choices)
        if self.form == "region":
            return f"[1-9][0-9]{{{self.width - 1}}}"
        if self.form == "node":
            return f"[1-9][0-9]{{{self.width - 1}}}(?:(?!0{{{self.extra}}})[0-9]{{{self.extra}}})?"
        if self.form == "date":
            return f"[0-9]{{{self.width}}}"
        number = f"(?!0{{{self.width}}})[0-9]{{{self.width}}}"
        grown = f"(?!0)[0-9]{{{self.width + 1},{_LONGEST_NUMBER}}}"
        return f"(?:{grown}|{number})" if self.grows else number

    def told(self) -> str:
        """The part in the words of an error message: `2 major class`, `"-"`."""
        if self.form == "literal":
            return f'"{self.text}"'
        if self.form == "choice":
            return " or ".join(self.choices)
        more = (
            f"{self.width} or {self.width + self.extra}" if self.extra else f"{self.width}{'+' if self.grows else ''}"
        )
        optional = f" (or no {self.en})" if self.optional else ""
        return f"{more} {self.en}{optional}"


class _ShapeData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    zh: str
    en: str
    example: str
    source: str
    confidence: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, eq=False)
class Shape:
    """How one kind of code is built in a profile: its parts in order, its names, an example, where it comes from."""

    kind: str
    zh: str
    en: str
    example: str
    source: str
    confidence: str
    parts: tuple[Part, ...]
    _regex: re.Pattern[str] = field(repr=False)

    def split(self, text: str) -> dict[str, str]:
        """The parts by name (an optional part that is absent is ""); raises BadCode that says what is wrong."""
        match = self._regex.fullmatch(text)
        if match is None:
            raise BadCode(f"{self.en} {text[:_LONGEST_TEXT]!r}: {self._fault(text)}")
        found = match.groupdict(default="")
        for part in self.parts:
            if part.form == "date":
                _real_day(self.en, text, found[part.name])
        return found

    def fits(self, text: str) -> bool:
        """Whether the text has this shape."""
        try:
            self.split(text)
        except BadCode:
            return False
        return True

    def part(self, name: str) -> Part:
        """The part of that name; raises BadCode where this profile's code has none."""
        for part in self.parts:
            if part.name == name:
                return part
        raise BadCode(f"{self.en}: has no part named {name!r} in this profile")

    def numbered(self, name: str, number: int) -> str:
        """A number written as the part `name` wants it; raises BadCode when it does not fit."""
        part = self.part(name)
        digits = _LONGEST_NUMBER if part.grows else part.width
        if not 1 <= number < 10**digits:
            raise BadCode(f"{self.en}: {part.en} {number} does not fit; it runs from 1 to {10**digits - 1}")
        return f"{number:0{part.width}d}"

    def _fault(self, text: str) -> str:
        if text != text.strip() or not text.isascii():
            return f"only plain ASCII, no blanks; write it like {self.example}"
        for part, found in self._loose_parts(text):
            if part.form == "number" and found and not found.strip("0"):
                return f"{part.en} {found} is not used, numbers begin at {1:0{part.width}d}"
        told = " + ".join(part.told() for part in self.parts)
        return f"has {len(text)} characters and must be {told}, like {self.example}"

    def _loose_parts(self, text: str) -> list[tuple[Part, str]]:
        """The parts cut by width alone, as far as that is possible: to find the one that is all zeros."""
        cut, at = [], 0
        for part in self.parts:
            width = len(part.text) if part.form == "literal" else part.width or 1
            cut.append((part, text[at : at + width]))
            at += width
        return cut if at == len(text) and all(found.isdigit() for part, found in cut if part.width) else []


Shapes = Mapping[str, Shape]
"""The shapes of a profile by kind of code: region, street, community, grid, component, event, case, node, terminal."""


@cache
def load_shapes(profile: str = DEFAULT_PROFILE) -> Shapes:
    """The shapes that a profile's data folder gives; read once. Raises NotFound for an unknown profile."""
    return shapes_of(read_toml(folder_named(profile), "profile.toml"))


def shapes_of(toml: Toml) -> Shapes:
    """The shapes that a profile.toml describes under `codes`; raises msgspec.ValidationError for a wrong description."""
    described = msgspec.convert(toml["codes"], dict[str, _ShapeData])
    return MappingProxyType({kind: _shape(kind, data) for kind, data in described.items()})


def _shape(kind: str, data: _ShapeData) -> Shape:
    regex = re.compile("".join(part.pattern() for part in data.parts))
    return Shape(kind, data.zh, data.en, data.example, data.source, data.confidence, data.parts, regex)


def _real_day(en: str, text: str, day: str) -> None:
    try:
        date(int(day[:4]), int(day[4:6]), int(day[6:]))
    except ValueError as error:
        raise BadCode(f"{en} {text!r}: {day} is no day of the calendar (yyyymmdd)") from error
