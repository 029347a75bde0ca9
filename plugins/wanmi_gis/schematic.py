"""Schematic (示意) districts, streets and communities: nobody's real borders, but real codes, places and sizes.

No open polygons of Shenyang may be shipped, so these are made from areas, centroids and boxes. Areas: the column
`area_km2_amap`, which for 铁西 (469.6) and 辽中 (1461.7) is the area they manage; the legal areas (283.2 and 1647.2)
stand in `area_km2_tianditu`. Every district's area is within `AREA_TOLERANCE` of that figure and its centroid within
`CENTRE_TOLERANCE_M` of the measured one. The same inputs and seed give the same polygons.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wanmi.errors import BadInput
from wanmi_gis.mesh import SQUARE_M, Labels, Mesh, build_mesh, lattice, points_in
from wanmi_gis.partition import Sites, Wanted, fitted, in_one_piece, spread_sites, warp
from wanmi_gis.plane import E7, Metres, mix, spread, to_metres
from wanmi_gis.shapes import Shape

AREA_TOLERANCE = 0.03
CENTRE_TOLERANCE_M = 7000
CELLS_PER_COMMUNITY = 34
NOTE = "示意"


@dataclass(frozen=True)
class DistrictFact:
    """What is known of a district: area in km2, centroid and box (west, south, east, north) in WGS-84 degrees."""

    code: str
    name: str
    area_km2: float
    centre: tuple[float, float]
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Division:
    """A row of the division table: `code12`, `level` (district, street, community), name and its parent's code12."""

    code12: str
    level: str
    name: str
    parent12: str


@dataclass(frozen=True)
class Area:
    """A schematic area: its division and oriented rings in 1e-7 degree WGS-84, and its area on the plane."""

    division: Division
    shape: Shape
    area_m2: int


def read_facts(path: Path) -> list[DistrictFact]:
    """The districts of districts_facts.csv."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [_fact(row) for row in csv.DictReader(lines)]


def _fact(row: Mapping[str, str]) -> DistrictFact:
    centre = float(row["centroid_lon_wgs84"]), float(row["centroid_lat_wgs84"])
    west, south, east, north = (float(part) for part in row["bbox_wgs84"].split())
    return DistrictFact(row["code"], row["name"], float(row["area_km2_amap"]), centre, (west, south, east, north))


def read_divisions(path: Path) -> list[Division]:
    """The districts, streets and communities of divisions.csv (columns level, code12, name, parent)."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return [Division(row["code12"], row["level"], row["name"], row["parent"].ljust(12, "0")) for row in rows]


class Schematic:
    """The schematic city: a mesh made on first use (seconds), then streets and communities a district at a time."""

    def __init__(self, facts: Iterable[DistrictFact], divisions: Iterable[Division], seed: int = 2026) -> None:
        self._facts = sorted(facts, key=lambda fact: fact.code)
        self._seed = seed
        self._children: dict[str, list[Division]] = {}
        self._divisions: dict[str, Division] = {}
        for division in sorted(divisions, key=lambda each: each.code12):
            self._children.setdefault(division.parent12, []).append(division)
            self._divisions[division.code12] = division
        missing = [fact.code for fact in self._facts if fact.code.ljust(12, "0") not in self._divisions]
        if missing:
            raise BadInput(f"districts {', '.join(missing)}: in the facts but not in the divisions; add them to the divisions")

    def districts(self) -> list[Area]:
        """Every district."""
        return self._areas([self._divisions[fact.code.ljust(12, "0")] for fact in self._facts], self._districts)

    def streets(self, district: str) -> list[Area]:
        """The streets of a district (6 digits); together they are exactly its polygon."""
        return self._areas(self._of(district), self._parts(district)[0])

    def communities(self, district: str) -> list[Area]:
        """The communities and villages of a district (6 digits); a street's together are exactly its polygon."""
        return self._areas([child for street in self._of(district) for child in self._below(street)], self._parts(district)[1])

    def _of(self, district: str) -> list[Division]:
        streets = self._children.get(district.ljust(12, "0"), [])
        if not streets:
            raise BadInput(f"district {district}: has no streets in the divisions; give a 6-digit code such as 210102")
        return [street for street in streets if self._below(street)]

    def _below(self, street: Division) -> list[Division]:
        return self._children.get(street.code12, [])

    def _areas(self, divisions: list[Division], labels: Labels) -> list[Area]:
        shapes, sizes = self._mesh.shapes(labels), np.bincount(labels[labels >= 0], self._mesh.areas[labels >= 0])
        return [Area(each, shapes[number], round(float(sizes[number]))) for number, each in enumerate(divisions)]

    @cached_property
    def _wanted(self) -> Metres:
        return np.array([fact.area_km2 * 1e6 for fact in self._facts])

    @cached_property
    def _centres(self) -> Metres:
        return to_metres(np.array([fact.centre for fact in self._facts]) * E7)

    @cached_property
    def _coarse(self) -> tuple[Labels, Labels, Sites]:
        """Coarse squares, their districts (-1: outside the city), and the sites that made them."""
        corners = np.array([[fact.box[:2], fact.box[2:]] for fact in self._facts])
        lows, highs = to_metres(corners[:, 0] * E7), to_metres(corners[:, 1] * E7)
        squares = lattice(lows.min(axis=0) - 9000, highs.max(axis=0) + 9000)
        middles = (squares + 0.5) * SQUARE_M
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
        return sum(len(self._below(street)) for street in self._of(district))

    def _parts(self, district: str) -> tuple[Labels, Labels]:
        """Street and community of every mesh cell of a district, -1 elsewhere."""
        number = next(at for at, fact in enumerate(self._facts) if fact.code == district)
        cells = np.flatnonzero(self._districts == number)
        streets = np.full(len(self._mesh.points), -1, dtype=np.int64)
        communities = streets.copy()
        counts = np.array([len(self._below(street)) for street in self._of(district)], dtype=float)
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
