"""Categories of different catalogues that mean the same: by the mappings that the profiles bring (``from_NAME.csv``)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from wanmi.codes import CaseKind, CodeMap, Profile
from wanmi.codes.mapping import mapping_file, read_mapping

__all__ = ["Kin", "Place", "counterparts", "kin_among"]

Place = tuple[CaseKind, str]
"""A category: its kind and its code."""


@dataclass(frozen=True)
class Kin:
    """Every category that means the same in any of the catalogues, itself first, and the catalogues that have none."""

    places: tuple[Place, ...]
    without: tuple[str, ...]


def counterparts(old: Profile, new: Profile, place: Place) -> tuple[Place, ...]:
    """What a category of one profile is in another: itself first, then its twin; empty where nothing says so.

    Versions of one catalogue keep their codes; between two catalogues the mapping of either is read, both ways.
    """
    if old.name == new.name:
        return (place,) if new.catalogue.get(*place) is not None else ()
    forward, back = _map(old, new), _map(new, old)
    found = [one.target for one in forward.forward(*place) if one.target is not None] if forward else []
    found += [one.source for one in back.back(*place)] if back else []
    return tuple(dict.fromkeys(one for one in found if new.catalogue.get(*one) is not None))


def kin_among(profiles: Sequence[Profile], place: Place) -> Kin:
    """The category in every one of the profiles; those of the same catalogue count as one."""
    having = [one for one in profiles if one.catalogue.get(*place) is not None]
    found: dict[Place, None] = {place: None}
    without: dict[str, None] = {}
    for profile in profiles if having else ():
        here = list(dict.fromkeys(_in(having, profile, place)))
        found.update(dict.fromkeys(here))
        if not here:
            without[profile.name] = None
    names = {one.name for one in profiles for place in found if one.catalogue.get(*place) is not None}
    return Kin(tuple(found), tuple(name for name in without if name not in names))


def _in(having: Sequence[Profile], profile: Profile, place: Place) -> Iterator[Place]:
    for one in having:
        yield from counterparts(one, profile, place)


def _map(old: Profile, new: Profile) -> CodeMap | None:
    """The mapping that ``new`` brings from ``old``."""
    content = new.files.get(mapping_file(old.name))
    return None if content is None else _read(old.name, new.name, content)


@lru_cache(maxsize=16)
def _read(old: str, new: str, content: bytes) -> CodeMap:
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    return CodeMap(old, new, [read_mapping(row) for row in rows])
