"""Locating: exactly one grid for every point of a community, on edges and vertices too, in either way of asking."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from plugins.gis.drawn import areas, part, valid
from wanmi.coords import DATUMS, Point, from_wgs84
from wanmi_gis.cutter import UnitGrid, cut
from wanmi_gis.locate import NO_GRID, Locator
from wanmi_gis.shapes import covers, edges

COMMUNITY = "210102001002"


def grids_of(shape: tuple) -> tuple[UnitGrid, ...]:
    return cut(COMMUNITY, shape, "2026-01-01").grids


def by_the_rule(grids: tuple[UnitGrid, ...], point: tuple[int, int]) -> str | None:
    """The rule, told plainly: of the closed cells that hold the point, the lowest code."""
    return min((grid.code for grid in grids if covers(grid.rings, point)), default=None)


def telling_points(grids: tuple[UnitGrid, ...], seed: int) -> list[tuple[int, int]]:
    """Vertices, whole points on edges, points beside edges, and random ones in and around."""
    choose = random.Random(seed)
    lines = [edge for grid in grids for ring in grid.rings for edge in edges(ring)]
    points = [start for start, _ in choose.sample(lines, min(40, len(lines)))]
    for (ax, ay), (bx, by) in choose.sample(lines, min(60, len(lines))):
        step = np.gcd(bx - ax, by - ay)
        inner = choose.randrange(int(step)) if step > 1 else 0
        points.append((ax + (bx - ax) // int(step) * inner, ay + (by - ay) // int(step) * inner))
        middle = ((ax + bx) // 2, (ay + by) // 2)
        points += [(middle[0] + dx, middle[1] + dy) for dx, dy in ((0, 0), (1, 0), (0, -1))]
    west, east = min(a[0] for a, _ in lines) - 3000, max(a[0] for a, _ in lines) + 3000
    south, north = min(a[1] for a, _ in lines) - 3000, max(a[1] for a, _ in lines) + 3000
    points += [(choose.randint(west, east), choose.randint(south, north)) for _ in range(150)]
    return points


@settings(max_examples=25)
@given(areas(), st.integers(0, 2**32))
def test_one_answer_in_every_way(shape: tuple, seed: int) -> None:
    assume(valid(shape))
    grids = grids_of(shape)
    locator = Locator(grids)
    points = telling_points(grids, seed)
    expected = [by_the_rule(grids, point) for point in points]
    assert [locator.locate(*point) for point in points] == expected
    many = locator.locate_many(*np.array(points, dtype=np.int64).T)
    assert many.tolist() == [NO_GRID if code is None else int(code) for code in expected]


@settings(max_examples=15)
@given(areas(), st.integers(0, 2**32))
def test_inner_points_lie_in_exactly_one_cell(shape: tuple, seed: int) -> None:
    assume(valid(shape))
    grids = grids_of(shape)
    locator = Locator(grids)
    borders = {vertex for grid in grids for ring in grid.rings for vertex in ring}
    choose = random.Random(seed)
    for grid in choose.sample(grids, min(12, len(grids))):
        xs, ys = [x for x, _ in grid.rings[0]], [y for _, y in grid.rings[0]]
        for _ in range(10):
            point = choose.randint(min(xs), max(xs)), choose.randint(min(ys), max(ys))
            holders = [other.code for other in grids if covers(other.rings, point)]
            assert point in borders or len(holders) <= 2
            assert locator.locate(*point) == (min(holders) if holders else None)


def test_the_order_of_loading_changes_nothing() -> None:
    grids = grids_of((part((0, 0), [300.0] * 11, []),))
    points = telling_points(grids, 5)
    one, other = Locator(grids), Locator(reversed(grids))
    assert [one.locate(*point) for point in points] == [other.locate(*point) for point in points]


@settings(max_examples=30)
@given(st.integers(0, 2**32))
def test_a_point_in_any_datum_locates_as_its_wgs84_twin(seed: int) -> None:
    grids = grids_of((part((0, 0), [400.0] * 13, [(20.0, 10.0, 15.0)]),))
    locator = Locator(grids)
    choose = random.Random(seed)
    grid = choose.choice(grids)
    middle = Point(
        sum(x for x, _ in grid.rings[0]) // len(grid.rings[0]), sum(y for _, y in grid.rings[0]) // len(grid.rings[0])
    )
    for datum in DATUMS:
        twin = from_wgs84(middle, datum)
        assert locator.locate(twin.lon_e7, twin.lat_e7, datum) == grid.code
        many = locator.locate_many(np.array([twin.lon_e7]), np.array([twin.lat_e7]), datum)
        assert many.tolist() == [int(grid.code)]
    shifted = from_wgs84(middle, "GCJ02")
    assert locator.locate(shifted.lon_e7, shifted.lat_e7) != grid.code, "half a kilometre off is another place"


def test_no_grids_hold_nothing() -> None:
    locator = Locator([])
    assert locator.locate(1234000000, 417000000) is None
    assert locator.locate_many(np.array([1, 2]), np.array([1, 2])).tolist() == [NO_GRID, NO_GRID]


def block(code: str, west: int, south: int, size: int) -> UnitGrid:
    ring = ((west, south), (west + size, south), (west + size, south + size), (west, south + size))
    return UnitGrid(code, code[:12], (ring,), 1, "2026-01-01")


@pytest.mark.parametrize("size", [3, 1000, 30_000, 5_000_000])
def test_squares_of_any_size(size: int) -> None:
    grids = tuple(
        block(f"{COMMUNITY}{row * 3 + column + 1:03d}", column * size, row * size, size)
        for row in range(3)
        for column in range(3)
    )
    locator = Locator(grids)
    stops = [0, 1, size - 1, size, size + 1, 2 * size, 3 * size - 1, 3 * size, 3 * size + 1, -1]
    for x in stops:
        for y in stops:
            assert locator.locate(x, y) == by_the_rule(grids, (x, y))


def test_grids_far_apart_and_of_unlike_size() -> None:
    grids = (
        block(f"{COMMUNITY}001", 0, 0, 40), block(f"{COMMUNITY}002", 40, 0, 9_000_000),
        block(f"{COMMUNITY}003", 400_000_000, 300_000_000, 77),
    )  # fmt: skip
    locator = Locator(grids)
    points = [*telling_points(grids, 3), (20, 20), (4000000, 5), (400000077, 300000077), (200000000, 1)]
    assert [locator.locate(*point) for point in points] == [by_the_rule(grids, point) for point in points]


def test_neighbours_whose_borders_differ_by_a_vertex() -> None:
    """A T-junction off the line by one unit: a hair's overlap, decided by the lowest code; never an error."""
    left = UnitGrid(f"{COMMUNITY}002", COMMUNITY, (((0, 0), (1000, 0), (1001, 500), (1000, 1000), (0, 1000)),), 1, "")
    right = UnitGrid(f"{COMMUNITY}001", COMMUNITY, (((1000, 0), (2000, 0), (2000, 1000), (1000, 1000)),), 1, "")
    locator = Locator((left, right))
    for x in range(995, 1006):
        for y in range(0, 1001, 125):
            assert locator.locate(x, y) == by_the_rule((left, right), (x, y))
