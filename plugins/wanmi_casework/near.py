"""Which cases are near a point: an index in memory by category and cell. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from wanmi.coords import Point, distance_m

LAT_CELL = 5_000
"""1e-7 degree: 55 m, so that whatever is within 50 m lies in a cell's neighbours."""
LON_CELL = 8_000
"""1e-7 degree: 50 m at 55 degrees north, more in the south."""
LAT_METRE = 91
"""1e-7 degree of latitude in a metre, rounded up: a cheap look before the distance is worked out."""
MAX_CASES = 200_000
MAX_LOOKS = 500
"""Cases of one cell that are looked at, newest first: a cell is no larger than a house."""

Cell = tuple[str, str, int, int]


@dataclass(frozen=True, slots=True)
class Place:
    """A case as the index knows it: category of its kind, WGS-84 point in 1e-7 degree, time reported (µs UTC)."""

    number: str
    kind: str
    category: str
    lon_e7: int
    lat_e7: int
    reported_at: int


class NearIndex:
    """Cases by cell; beyond MAX_CASES the ones added first are forgotten."""

    def __init__(self, limit: int = MAX_CASES) -> None:
        self._limit = limit
        self._places: OrderedDict[str, Place] = OrderedDict()
        self._cells: dict[Cell, list[Place]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def add(self, place: Place) -> None:
        """Add a case once."""
        if place.number in self._places:
            return
        self._places[place.number] = place
        self._cells.setdefault(_cell(place), []).append(place)
        if len(self._places) > self._limit:
            self._forget(self._places.popitem(last=False)[1])

    def near(self, place: Place, metres: int, within_us: int, limit: int) -> list[str]:
        """Numbers of other cases of the same category near in space and time, newest first, at most ``limit``."""
        found: list[Place] = []
        for cell in _around(place):
            for other in reversed(self._cells.get(cell, [])[-MAX_LOOKS:]):
                if _is_near(place, other, metres, within_us):
                    found.append(other)
                    if len(found) >= 2 * limit:
                        break
        found.sort(key=lambda other: (-other.reported_at, other.number))
        return [other.number for other in found[:limit]]

    def _forget(self, place: Place) -> None:
        cell = _cell(place)
        left = [other for other in self._cells[cell] if other.number != place.number]
        if left:
            self._cells[cell] = left
        else:
            del self._cells[cell]


def _cell(place: Place) -> Cell:
    return place.kind, place.category, place.lon_e7 // LON_CELL, place.lat_e7 // LAT_CELL


def _around(place: Place) -> Iterator[Cell]:
    kind, category, x, y = _cell(place)
    return ((kind, category, x + dx, y + dy) for dx in (0, -1, 1) for dy in (0, -1, 1))


def _is_near(place: Place, other: Place, metres: int, within_us: int) -> bool:
    if other.number == place.number or abs(other.reported_at - place.reported_at) > within_us:
        return False
    if abs(other.lat_e7 - place.lat_e7) > metres * LAT_METRE:
        return False
    return distance_m(Point(place.lon_e7, place.lat_e7), Point(other.lon_e7, other.lat_e7)) <= metres
