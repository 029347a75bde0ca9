"""Which district a case goes to: by matter where a rule says so, else by place. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from wanmi.errors import BadInput, NotFound

_MATTER = re.compile(r"[CE]\d{0,4}")
LETTERS = {"component": "C", "event": "E"}


@dataclass(frozen=True)
class Chosen:
    """The district, and why: the unit grid that lies in it, or the rule of the matter; neither when a person named it."""

    district: str
    by_place: str | None = None
    by_matter: str | None = None


def check_matter(matter: str, district: str) -> None:
    """ValueError for a rule that can fit nothing."""
    if not _MATTER.fullmatch(matter):
        raise ValueError(f"matter {matter!r}: C or E and up to 4 digits of the category, like E0102")
    if not re.fullmatch(r"\d{6}", district):
        raise ValueError(f"matter {matter}: district {district!r} has 6 digits")


def choose_district(
    *,
    kind: str,
    category: str,
    grid: str | None,
    matters: Mapping[str, str],
    districts: Collection[str],
    named: str = "",
) -> Chosen:
    """The district for a case of this category at this grid, among ``districts``.

    A person's choice wins, then the longest rule of the matter, then the place. NotFound when nothing says where to,
    BadInput for a district that is not one of this city's.
    """
    if named:
        return Chosen(_known(named, districts, f"district {named}"))
    code = f"{LETTERS[kind]}{category}"
    fitting = [matter for matter in matters if code.startswith(matter)]
    if fitting:
        rule = max(fitting, key=len)
        return Chosen(_known(matters[rule], districts, f"matter {rule} goes to {matters[rule]}"), by_matter=rule)
    if grid is None:
        raise NotFound(
            f"category {code}: no unit grid is known and no rule of the matter says where to; name the district"
        )
    return Chosen(_known(grid[:6], districts, f"grid {grid} lies in {grid[:6]}"), by_place=grid)


def _known(district: str, districts: Collection[str], why: str) -> str:
    if district not in districts:
        known = ", ".join(sorted(districts)) or "none"
        raise BadInput(f"{why}: it is not a district of this city that was admitted; those are: {known}")
    return district
