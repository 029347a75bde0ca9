"""A profile: one standard's codes, categories, limits and words, loaded from the package's data and never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.resources.abc import Traversable
from re import fullmatch
from types import MappingProxyType

import msgspec

from wanmi.codes.catalogue import (
    CASE_KINDS,
    CaseKind,
    Catalogue,
    Category,
    Group,
    LimitKind,
    TimeLimit,
    Unit,
    limit_from_row,
    read_categories,
)
from wanmi.codes.resources import MemoryFolder, Toml, folder_named, folders_with, read_rows, read_toml
from wanmi.codes.shapes import DEFAULT_PROFILE, Lang, Shape, Shapes, shapes_of
from wanmi.errors import BadCode, NotFound

__all__ = ["PROFILE_FILES", "Label", "Labels", "Profile", "files_digest", "is_profile_file", "shipped_profiles"]

PROFILE_FILES = ("profile.toml", "components.csv", "events.csv", "time_limits.csv")
"""The files that every profile has; others (`steps.toml`, `routing.csv`, `from_<profile>.csv` …) may be there."""


class Label(msgspec.Struct, frozen=True):
    """A word for the screen, in both languages."""

    zh: str
    en: str

    def in_lang(self, lang: Lang) -> str:
        """The word in that language."""
        return self.zh if lang == "zh" else self.en


Labels = Mapping[str, Mapping[str, Label]]
"""Words by field and value: labels["geometry"]["point"]."""


@dataclass(frozen=True, eq=False)
class Profile:
    """One standard as data. `digest` is the hex SHA-256 over its files: entries that were decided by it name it.

    `files` are the bytes it was read from, for parts that other modules read (`steps.toml`, routing).
    """

    name: str
    version: str
    title: Label
    digest: str
    shapes: Shapes = field(repr=False)
    catalogue: Catalogue = field(repr=False)
    time_limits: tuple[TimeLimit, ...] = field(repr=False)
    groups: Mapping[str, Group] = field(repr=False)
    units: Mapping[str, Unit] = field(repr=False)
    labels: Labels = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def load(cls, name: str = DEFAULT_PROFILE) -> Profile:
        """The profile shipped under that name, read once; raises NotFound naming the ones there are."""
        return _load(name)

    @classmethod
    def read(cls, folder: Traversable) -> Profile:
        """The profile in a folder (a path will do): profile.toml, components.csv, events.csv, time_limits.csv, more."""
        return cls.of_files({one.name: one.read_bytes() for one in folder.iterdir() if is_profile_file(one.name)})

    @classmethod
    def of_files(cls, held: Mapping[str, bytes]) -> Profile:
        """The profile of files by name, as an archive or the journal brought them; errors as those of ``read``."""
        folder = MemoryFolder("profile", held)
        toml = read_toml(folder, "profile.toml")
        units = msgspec.convert(toml["units"], dict[str, Unit])
        return cls(
            name=msgspec.convert(toml["name"], str),
            version=msgspec.convert(toml["version"], str),
            title=msgspec.convert({"zh": toml["title_zh"], "en": toml["title_en"]}, Label),
            digest=files_digest(held),
            shapes=shapes_of(toml),
            catalogue=_catalogue(folder),
            time_limits=tuple(limit_from_row(row, units) for row in read_rows(folder, "time_limits.csv")),
            groups=MappingProxyType(msgspec.convert(toml.get("groups", {}), dict[str, Group])),
            units=MappingProxyType(units),
            labels=_labels(toml),
            files=MappingProxyType(dict(held)),
        )

    @property
    def ref(self) -> str:
        """The profile as entries name it: `cjt-2007@` and the digest's first 16 digits."""
        return f"{self.name}@{self.digest[:16]}"

    def text(self, filename: str) -> str:
        """One of its files as text (UTF-8); raises NotFound naming the ones there are."""
        if filename not in self.files:
            raise NotFound(f"profile {self.name}: has no file {filename}; there are {', '.join(sorted(self.files))}")
        return self.files[filename].decode("utf-8-sig")

    def shape(self, kind: str) -> Shape:
        """The shape of a kind of code; raises BadCode for a kind this profile does not have."""
        if kind not in self.shapes:
            raise BadCode(f"code kind {kind!r}: profile {self.name} has {', '.join(self.shapes)}")
        return self.shapes[kind]

    def category(self, kind: CaseKind, code: str) -> Category:
        """The category `0102` of a kind; raises BadCode that says which is unknown and what to do."""
        return self.catalogue.find(kind, code)

    def limits(self, kind: LimitKind, code: str) -> tuple[TimeLimit, ...]:
        """Every limit row that bears on a category (its own, then its groups'), a group's name or a stage.

        Raises BadCode for a category or stage that the profile does not know; no rows at all is an empty answer.
        """
        if kind == "stage" and code not in self.labels["stage"]:
            raise BadCode(f"stage {code!r}: has no limits; there are {', '.join(self.labels['stage'])}")
        if kind != "stage" and code not in self.groups:
            self.category(kind, code)
        wanted = (code, *self._groups_of(kind, code))
        return tuple(one for place in wanted for one in self.time_limits if (one.kind, one.code) == (kind, place))

    def label(self, group: str, value: str, lang: Lang = "zh") -> str:
        """The word for a value (label("geometry", "point")); the value itself where the profile has no word."""
        found = self.labels.get(group, {}).get(value)
        return value if found is None else found.in_lang(lang)

    def category_name(self, category: Category, lang: Lang = "zh") -> str:
        """The category's name in that language."""
        return category.name_zh if lang == "zh" else category.name_en

    def _groups_of(self, kind: LimitKind, code: str) -> Iterable[str]:
        return (name for name, group in self.groups.items() if group.kind == kind and code in group.members)


@cache
def _load(name: str) -> Profile:
    if name not in shipped_profiles():
        raise NotFound(f"profile {name!r}: not in this package; there are: {', '.join(shipped_profiles())}")
    return Profile.read(folder_named(name))


def _catalogue(folder: Traversable) -> Catalogue:
    read = [read_categories(kind, read_rows(folder, f"{kind}s.csv")) for kind in CASE_KINDS]
    return Catalogue((one for found, _ in read for one in found), (one for _, ranges in read for one in ranges))


def _labels(toml: Toml) -> Labels:
    groups = msgspec.convert(toml["labels"], dict[str, dict[str, Label]])
    return MappingProxyType({name: MappingProxyType(words) for name, words in groups.items()})


def is_profile_file(name: str) -> bool:
    """Whether a file of that name belongs to a profile: TOML or CSV, lower case, no folder."""
    return fullmatch(r"[a-z][a-z0-9_.-]{0,59}\.(toml|csv)", name) is not None


def files_digest(held: Mapping[str, bytes]) -> str:
    """The hex SHA-256 over a profile's files: of each, in order of names, its name and the SHA-256 of its bytes."""
    total = sha256()
    for name in sorted(held):
        total.update(sha256(name.encode()).digest() + sha256(held[name]).digest())
    return total.hexdigest()


def shipped_profiles() -> tuple[str, ...]:
    """Names of the profiles in this package."""
    return folders_with("profile.toml")
