"""The codes themselves: one small frozen class a kind, each with parse, str, check and explain.

Parts are kept as written (zeros included), so that `str` gives back the very text. Make them by `parse` or `of`, which
check; the constructor takes parts on trust. Widths come from the profile (the default one when none is given).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, ClassVar, Final, Self

from wanmi.codes.catalogue import CaseKind
from wanmi.codes.days import CITY_ZONE, local_date
from wanmi.codes.divisions import Divisions
from wanmi.codes.explain import explain_code
from wanmi.codes.profile import Profile
from wanmi.codes.shapes import Lang, Shape, load_shapes
from wanmi.errors import BadCode

__all__ = [
    "CODE_KINDS",
    "CaseNumber",
    "Code",
    "CommunityCode",
    "ComponentId",
    "EventCode",
    "NodeCode",
    "RegionCode",
    "StreetCode",
    "TerminalId",
    "UnitGridCode",
    "matching_kinds",
]

_LETTERS: Final[dict[CaseKind, str]] = {"component": "C", "event": "E"}


class Code:
    """What every code can do; `kind` names its shape in the profile."""

    __slots__ = ()
    kind: ClassVar[str]

    if TYPE_CHECKING:

        def __init__(self, **parts: str) -> None: ...

    @classmethod
    def parse(cls, text: str, profile: Profile | None = None) -> Self:
        """The code of that text; raises BadCode that says what is wrong with it and how it should look."""
        return cls(**cls.shape(profile).split(text))

    @classmethod
    def check(cls, text: str, profile: Profile | None = None) -> None:
        """Raises BadCode unless the text is such a code."""
        cls.shape(profile).split(text)

    @classmethod
    def explain(cls, text: str, profile: Profile, divisions: Divisions, lang: Lang = "zh") -> list[tuple[str, str]]:
        """Label and meaning of the code and of its parts; raises BadCode when it does not parse."""
        return explain_code(cls.kind, text, profile, divisions, lang)

    @classmethod
    def shape(cls, profile: Profile | None = None) -> Shape:
        """The shape of this kind of code in a profile."""
        return load_shapes()[cls.kind] if profile is None else profile.shape(cls.kind)


@dataclass(frozen=True, slots=True)
class RegionCode(Code):
    """A city or district (GB/T 2260), `210102`."""

    region: str
    kind: ClassVar[str] = "region"

    def __str__(self) -> str:
        return self.region


@dataclass(frozen=True, slots=True)
class StreetCode(Code):
    """A street or township, `210102001`."""

    region: str
    street: str
    kind: ClassVar[str] = "street"

    def __str__(self) -> str:
        return self.region + self.street


@dataclass(frozen=True, slots=True)
class CommunityCode(Code):
    """A community or village, the statistics' 12 digits, `210102001002`."""

    region: str
    street: str
    community: str
    kind: ClassVar[str] = "community"

    def __str__(self) -> str:
        return self.region + self.street + self.community


@dataclass(frozen=True, slots=True)
class UnitGridCode(Code):
    """A unit grid, `210102001002001`: a community's code and the grid's number in it, 001 to 999."""

    region: str
    street: str
    community: str
    sequence: str
    kind: ClassVar[str] = "grid"

    @classmethod
    def of(cls, community: str, number: int, profile: Profile | None = None) -> Self:
        """The code of a community's grid; raises BadCode when the number is not 1 to 999."""
        return cls.parse(community + cls.shape(profile).numbered("sequence", number), profile)

    @property
    def community_code(self) -> str:
        """The 12-digit code of the community that the grid lies in."""
        return self.region + self.street + self.community

    @property
    def number(self) -> int:
        """The grid's number in its community."""
        return int(self.sequence)

    def __str__(self) -> str:
        return self.community_code + self.sequence


@dataclass(frozen=True, slots=True)
class ComponentId(Code):
    """One component, `2101020102000001`: district, category and a number in both."""

    region: str
    major: str
    minor: str
    sequence: str
    kind: ClassVar[str] = "component"

    @classmethod
    def of(cls, region: str, category: str, number: int, profile: Profile | None = None) -> Self:
        """The id of a district's component of a category; raises BadCode when a part does not fit."""
        return cls.parse(region + category + cls.shape(profile).numbered("sequence", number), profile)

    @property
    def category(self) -> str:
        """Major and minor together, as in the catalogue."""
        return self.major + self.minor

    @property
    def number(self) -> int:
        """The component's number in its district and category."""
        return int(self.sequence)

    def __str__(self) -> str:
        return self.region + self.major + self.minor + self.sequence


@dataclass(frozen=True, slots=True)
class EventCode(Code):
    """A class of events in a district, `2101020102`; it names no single event."""

    region: str
    major: str
    minor: str
    kind: ClassVar[str] = "event"

    @classmethod
    def of(cls, region: str, category: str, profile: Profile | None = None) -> Self:
        """The class code of a district's events of a category; raises BadCode when a part does not fit."""
        return cls.parse(region + category, profile)

    @property
    def category(self) -> str:
        """Major and minor together, as in the catalogue."""
        return self.major + self.minor

    def __str__(self) -> str:
        return self.region + self.major + self.minor


@dataclass(frozen=True, slots=True)
class NodeCode(Code):
    """A node: a city's or district's region code, or a district's with two digits for an edge, `21010201`."""

    region: str
    edge: str = ""
    kind: ClassVar[str] = "node"

    @classmethod
    def of(cls, region: str, edge: int | None = None, profile: Profile | None = None) -> Self:
        """The code of a region's node, or of its edge with that number (1 to 99)."""
        return cls.parse(region + ("" if edge is None else cls.shape(profile).numbered("edge", edge)), profile)

    def __str__(self) -> str:
        return self.region + self.edge


@dataclass(frozen=True, slots=True)
class TerminalId(Code):
    """A collector's terminal, `T210102-0001`; the number grows past four digits."""

    region: str
    sequence: str
    kind: ClassVar[str] = "terminal"

    @classmethod
    def of(cls, region: str, number: int, profile: Profile | None = None) -> Self:
        """The id of a district's terminal; raises BadCode when a part does not fit."""
        return cls.parse(f"T{region}-{cls.shape(profile).numbered('sequence', number)}", profile)

    @property
    def number(self) -> int:
        """The terminal's number in its district."""
        return int(self.sequence)

    def __str__(self) -> str:
        return f"T{self.region}-{self.sequence}"


@dataclass(frozen=True, slots=True)
class CaseNumber(Code):
    """A case, `210102-E0102-20261124-0007`: owner node, kind and category, local day, number of that day.

    The number has at least four digits and grows past 9999, so a day never runs out. Sort by (owner, day, number), not by text.
    """

    owner: str
    letter: str
    major: str
    minor: str
    day: str
    sequence: str
    kind: ClassVar[str] = "case"

    @classmethod
    def of(
        cls,
        owner: str,
        kind: CaseKind,
        category: str,
        at_us: int,
        number: int,
        *,
        tz: str = CITY_ZONE,
        profile: Profile | None = None,
    ) -> Self:
        """The number of the `number`-th case that `owner` opens on the local day of `at_us` (µs UTC).

        Raises BadCode when a part does not fit, BadInput for an unknown time zone. Whether the category exists is the
        catalogue's question (Profile.category).
        """
        if kind not in _LETTERS:
            raise BadCode(f"case kind {kind!r}: must be component or event")
        day = local_date(at_us, tz)
        written = f"{day.year:04d}{day.month:02d}{day.day:02d}"
        sequence = cls.shape(profile).numbered("sequence", number)
        return cls.parse(f"{owner}-{_LETTERS[kind]}{category}-{written}-{sequence}", profile)

    @property
    def case_kind(self) -> CaseKind:
        """Whether the case is about a component or an event."""
        return "component" if self.letter == "C" else "event"

    @property
    def category(self) -> str:
        """Major and minor together, as in the catalogue."""
        return self.major + self.minor

    @property
    def local_day(self) -> date:
        """The day in the number."""
        return date(int(self.day[:4]), int(self.day[4:6]), int(self.day[6:]))

    @property
    def number(self) -> int:
        """The number of the day."""
        return int(self.sequence)

    def __str__(self) -> str:
        return f"{self.owner}-{self.letter}{self.category}-{self.day}-{self.sequence}"


CODE_KINDS: Final[tuple[type[Code], ...]] = (
    RegionCode,
    StreetCode,
    CommunityCode,
    UnitGridCode,
    ComponentId,
    EventCode,
    CaseNumber,
    NodeCode,
    TerminalId,
)


def matching_kinds(text: str, profile: Profile | None = None) -> tuple[type[Code], ...]:
    """The kinds of code whose shape the text has (210102 is a region and a node); empty when it is none."""
    return tuple(kind for kind in CODE_KINDS if kind.shape(profile).fits(text))
