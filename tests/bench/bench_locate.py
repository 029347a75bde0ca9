"""Locating points on 60,000 irregular unit grids, beside a peer and a floor of the same run.

    python tests/bench/bench_locate.py

Peer: shapely's STRtree with `covered_by` on the same cells. Floor: one plain numpy array lookup for a point.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from time import perf_counter
from typing import TypedDict

import numpy as np
import shapely

from wanmi_gis.cutter import UnitGrid, cut
from wanmi_gis.locate import Locator
from wanmi_gis.schematic import Schematic

CELLS = 60_000
POINTS = 1_000_000
PEER_POINTS = 100_000
ONE_BY_ONE = 20_000


class Figure(TypedDict):
    """A measured figure beside its floor or peer."""

    name: str
    value: float
    unit: str
    floor: float
    floor_name: str
    goal: float | None


def irregular_cells(count: int) -> list[UnitGrid]:
    """The first `count` unit grids of the schematic inner districts."""
    city = Schematic.shipped()
    grids: list[UnitGrid] = []
    for district in ("210102", "210103", "210104", "210105", "210106"):
        for area in city.communities(district):
            grids += cut(area.division.code, area.shape, "2026-01-01", on_overflow="grow").grids
            if len(grids) >= count:
                return grids[:count]
    return grids


def seconds(work: Callable[[], object], times: int = 3) -> float:
    """The best of some runs."""
    best = float("inf")
    for _ in range(times):
        start = perf_counter()
        work()
        best = min(best, perf_counter() - start)
    return best


def run() -> list[Figure]:
    """Measures and prints; goals: 1,000,000 points in 1.5 s, one point in 15 µs."""
    grids = irregular_cells(CELLS)
    start = perf_counter()
    locator = Locator(grids)
    built = perf_counter() - start
    polygons = shapely.polygons([shapely.linearrings([*grid.rings[0], grid.rings[0][0]]) for grid in grids])
    start = perf_counter()
    tree = shapely.STRtree(polygons)
    tree_built = perf_counter() - start
    x, y = _points(polygons)
    many = seconds(lambda: locator.locate_many(x, y))
    near = shapely.points(x[:PEER_POINTS], y[:PEER_POINTS])
    peer = seconds(lambda: tree.query(near, predicate="covered_by"), 1) * (POINTS / PEER_POINTS)
    one, lookup = _one_by_one(locator, x, y)
    figures: list[Figure] = [
        _figure("locate_million_points", many, "s", peer, "shapely STRtree covered_by (scaled from 100,000)", 1.5),
        _figure("locate_million_points_floor", many, "s", _floor(x, y), "numpy array lookup", None),
        _figure("locate_one_point", one * 1e6, "µs", lookup * 1e6, "one numpy array lookup", 15.0),
        _figure("locator_build_60000", built, "s", tree_built, "shapely STRtree build", None),
    ]
    found = int(np.count_nonzero(locator.locate_many(x, y)))
    print(f"{len(grids)} cells, {POINTS} points, {found} inside")
    for figure in figures:
        print(
            f"{figure['name']}: {figure['value']:.3f} {figure['unit']} beside {figure['floor']:.3f} ({figure['floor_name']})"
        )
    return figures


def _points(polygons: np.ndarray[tuple[int], np.dtype[np.object_]]) -> tuple[np.ndarray, np.ndarray]:
    """Random points in the boxes of random cells: spread as the cells are, some outside."""
    random = np.random.default_rng(7)
    west, south, east, north = shapely.bounds(polygons)[random.integers(0, len(polygons), POINTS)].T
    x = west + random.random(POINTS) * (east - west)
    y = south + random.random(POINTS) * (north - south)
    return x.astype(np.int64), y.astype(np.int64)


def _floor(x: np.ndarray, y: np.ndarray) -> float:
    plain = np.zeros((2048, 2048), dtype=np.int32)
    return seconds(lambda: plain[(x >> 10) & 2047, (y >> 10) & 2047])


def _one_by_one(locator: Locator, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    pairs = list(zip(x[:ONE_BY_ONE].tolist(), y[:ONE_BY_ONE].tolist(), strict=True))
    plain = np.zeros((2048, 2048), dtype=np.int32)
    one = seconds(lambda: [locator.locate(lon, lat) for lon, lat in pairs]) / ONE_BY_ONE
    return one, seconds(lambda: [plain[(lon >> 10) & 2047, (lat >> 10) & 2047] for lon, lat in pairs]) / ONE_BY_ONE


def _figure(name: str, value: float, unit: str, floor: float, floor_name: str, goal: float | None) -> Figure:
    return Figure(name=name, value=round(value, 4), unit=unit, floor=round(floor, 4), floor_name=floor_name, goal=goal)


if __name__ == "__main__":
    print(json.dumps(run(), ensure_ascii=False))
