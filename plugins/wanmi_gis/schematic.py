"""Schematic (示意) districts, streets and communities: nobody's real borders, but real codes, places and sizes.

No open polygons of Shenyang may be shipped, so these are made from areas, centroids and boxes. Areas: the column
`area_km2_amap`, which for 铁西 (469.6) and 辽中 (1461.7) is the area they manage; the legal areas (283.2 and 1647.2)
stand in `area_km2_tianditu`. Every district's area is within `AREA_TOLERANCE` of that figure and its centroid within
`CENTRE_TOLERANCE_M` of the measured one. The same inputs and seed give the same polygons.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wanmi.codes import DistrictFacts, Division, Divisions, load_district_facts
from wanmi.coords import Point
from wanmi.errors import BadInput
from wanmi_gis.mesh import SQUARE_M, Labels, Mesh, build_mesh, lattice, points_in
from wanmi_gis.partition import Sites, Wanted, fitted, in_one_piece, spread_sites, warp
from wanmi_gis.plane import Metres, mix, spread, to_metres
from wanmi_gis.shapes import Shape

AREA_TOLERANCE = 0.03
CENTRE_TOLERANCE_M = 7000
CELLS_PER_COMMUNITY = 34
NOTE = "示意"


@dataclass(frozen=True)
class Area:
    """A schematic area: its division, oriented rings in 1e-7 degree WGS-84, and its area in m2 on the plane."""

    division: Division
    shape: Shape
    area_m2: int


class Schematic:
    """The schematic city: a mesh made on first use (seconds), then streets and communities a district at a time."""

    def __init__(self, facts: Iterable[DistrictFacts], divisions: Divisions, seed: int = 2026) -> None:
        self._facts = sorted(facts, key=lambda fact: fact.code)
        self._divisions = divisions
        self._seed = seed

    @classmethod
    def shipped(cls) -> "Schematic":
        """Of the city whose divisions and facts the package ships."""
        return cls(load_district_facts(), Divisions.load())

    def districts(self) -> list[Area]:
        """Every district."""
        return self._areas([self._divisions.find(fact.code) for fact in self._facts], self._districts)

    def streets(self, district: str) -> list[Area]:
        """The streets of a district (6 digits); together they are exactly its polygon."""
        return self._areas(self._of(district), self._parts(district)[0])

    def communities(self, district: str) -> list[Area]:
        """The communities and villages of a district (6 digits); a street's together are exactly its polygon."""
        communities = [one for street in self._of(district) for one in self._divisions.children(street.code)]
        return self._areas(communities, self._parts(district)[1])

    def _of(self, district: str) -> list[Division]:
        """The streets of a district that have communities."""
        if district not in {fact.code for fact in self._facts}:
            raise BadInput(f"district {district!r}: no facts to draw it from; give a 6-digit code such as 210102")
        return [one for one in self._divisions.children(district) if self._divisions.children(one.code)]

    def _below(self, street: Division) -> int:
        return len(self._divisions.children(street.code))

    def _areas(self, divisions: list[Division], labels: Labels) -> list[Area]:
        shapes, sizes = self._mesh.shapes(labels), np.bincount(labels[labels >= 0], self._mesh.areas[labels >= 0])
        return [Area(each, shapes[number], round(float(sizes[number]))) for number, each in enumerate(divisions)]

    @cached_property
    def _wanted(self) -> Metres:
        return np.array([fact.area_amap_ha * 1e4 for fact in self._facts])

    @cached_property
    def _centres(self) -> Metres:
        return _metres([fact.centroid for fact in self._facts])

    @cached_property
    def _coarse(self) -> tuple[Labels, Labels, Sites]:
        """Coarse squares, their districts (-1: outside the city), and the sites that made them."""
        lows = _metres([fact.south_west for fact in self._facts])
        highs = _metres([fact.north_east for fact in self._facts])
        squares = lattice(lows.min(axis=0) - 9000, highs.max(axis=0) + 9000)
        middles = np.asarray((squares + 0.5) * SQUARE_M, dtype=np.float64)
        count = int(0.986 * self._wanted.sum() / SQUARE_M**2)  # the outermost cells reach beyond their squares
        inside = _outline(squares, warp(middles, 30_000, self._seed), self._centres, (lows, highs), count)
        sizes = np.full(int(inside.sum()), self._wanted.sum() / inside.sum())
        start = Sites(self._centres, self._wanted / np.pi, (lows, highs))
        moved = self._winding(middles[inside])
        sites = fitted(moved, sizes, Wanted(self._wanted, self._centres), start, rounds=400, pull=0.004)
        labels = np.full(len(squares), -1, dtype=np.int64)
        labels[inside] = sites.labels(moved)
        return squares, labels, sites

    def _winding(self, points: Metres) -> Metres:
        return warp(points, 8_000, self._seed + 1)

    @cached_property
    def _made(self) -> tuple[Mesh, Labels]:
        """The fine mesh (finer where communities are small) and the district of every cell."""
        squares, coarse, sites = self._coarse
        counts = np.array([self._communities_in(fact.code) for fact in self._facts])
        side = np.sqrt(self._wanted / counts / CELLS_PER_COMMUNITY)
        parts = np.where(coarse >= 0, np.ceil(SQUARE_M / side).astype(np.int64)[coarse], 1)
        points, owner = points_in(squares, parts, self._seed)
        mesh = build_mesh(points)
        cells = np.flatnonzero(coarse[owner] >= 0)
        wanted = Wanted(self._wanted * (mesh.areas[cells].sum() / self._wanted.sum()), self._centres)
        moved = self._winding(points[cells])
        sites = fitted(moved, mesh.areas[cells], wanted, sites, rounds=40, pull=0.0)
        labels = np.full(len(points), len(counts), dtype=np.int64)
        labels[cells] = sites.labels(moved)
        whole = in_one_piece(mesh, np.arange(len(points)), labels)
        return mesh, np.where(whole == len(counts), -1, whole)

    @property
    def _mesh(self) -> Mesh:
        return self._made[0]

    @property
    def _districts(self) -> Labels:
        return self._made[1]

    def _communities_in(self, district: str) -> int:
        return sum(self._below(street) for street in self._of(district))

    def _parts(self, district: str) -> tuple[Labels, Labels]:
        """Street and community of every mesh cell of a district, -1 elsewhere."""
        number = next(at for at, fact in enumerate(self._facts) if fact.code == district)
        cells = np.flatnonzero(self._districts == number)
        streets = np.full(len(self._mesh.points), -1, dtype=np.int64)
        communities = streets.copy()
        counts = np.array([self._below(street) for street in self._of(district)], dtype=float)
        streets[cells] = self._split(cells, counts, int(district))
        done = 0
        for street, count in enumerate(counts.astype(int).tolist()):
            inside = np.flatnonzero(streets == street)
            seed = int(district) * 100 + street
            sizes = 1.0 + 0.35 * spread(np.arange(count), seed)
            communities[inside] = done + self._split(inside, sizes, seed)
            done += count
        return streets, communities

    def _split(self, cells: Labels, shares: Metres, seed: int) -> Labels:
        mesh, count = self._mesh, len(shares)
        sizes = mesh.areas[cells]
        moved = warp(mesh.points[cells], float(np.sqrt(sizes.sum() / count)), seed + self._seed)
        places = spread_sites(moved, count, int(mix(seed) >> np.uint64(40)))
        wanted = Wanted(shares / shares.sum() * sizes.sum())
        sites = fitted(moved, sizes, wanted, Sites(places, np.zeros(count)), rounds=50, pull=0.7)
        return in_one_piece(mesh, cells, sites.labels(moved))


Inside = NDArray[np.bool_]


def _metres(points: list[Point]) -> Metres:
    return to_metres(np.array([(point.lon_e7, point.lat_e7) for point in points], dtype=np.int64))


def _outline(squares: Labels, points: Metres, centres: Metres, boxes: tuple[Metres, Metres], count: int) -> Inside:
    """The `count` squares that lie most inside the districts' boxes, all boxes together; holes are filled."""
    pull = np.zeros(len(points))
    for centre, low, high in zip(centres, *boxes, strict=True):
        away = points - centre
        reach = np.where(away > 0, high - centre, centre - low)
        pull += 1 / (np.sum((away / reach) ** 2, axis=1) ** 2 + 1e-6)
    inside = np.zeros(len(points), dtype=bool)
    inside[np.argsort(-pull, kind="stable")[:count]] = True
    return ~_reached_from_outside(squares, inside)


def _reached_from_outside(squares: Labels, inside: Inside) -> Inside:
    """The squares outside that hang together with the frame's corner (by their sides)."""
    places = squares - squares.min(axis=0)
    open_ = np.zeros(places.max(axis=0) + 1, dtype=bool)
    open_[places[:, 0], places[:, 1]] = ~inside
    reached = np.zeros_like(open_)
    reached[0, 0], before = open_[0, 0], 0
    while before != (before := int(reached.sum())):
        for axis in (0, 1):
            for step in (1, -1):
                reached |= np.roll(reached, step, axis) & open_
    return np.asarray(reached[places[:, 0], places[:, 1]])
