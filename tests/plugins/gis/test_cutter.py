"""The cutter: a partition of the community, slivers joined, numbers in order, never more than 999."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from plugins.gis.drawn import areas, part, polygon_of, to_ring, valid
from wanmi.errors import BadInput
from wanmi_gis.cutter import CELL_M, MOST_CELLS, SLIVER_SHARE, Cut, centroid_m, cut
from wanmi_gis.shapes import area2, dissolve, edges, shape_area2

COMMUNITY = "210102001002"
BEGINS = "2026-01-01"


def made(shape: object) -> Cut:
    return cut(COMMUNITY, shape, BEGINS)  # type: ignore[arg-type]


@settings(max_examples=40)
@given(areas())
def test_cells_are_a_partition(shape: tuple) -> None:
    assume(valid(shape))
    grids = made(shape).grids
    cells = [grid.rings for grid in grids]
    total = sum(area2(ring) for rings in cells for ring in rings)
    assert total == pytest.approx(shape_area2(shape), rel=1e-6)
    borders = Counter(edge for rings in cells for ring in rings for edge in edges(ring))
    assert max(borders.values()) == 1, "two cells on one side of an edge overlap"
    union = dissolve(cells)
    assert shape_area2(union) == total
    outline = {edge for rings in union for ring in rings for edge in edges(ring)}
    assert all((end, start) in borders for start, end in borders if (start, end) not in outline)
    assert all(polygon_of((rings,)).is_valid for rings in cells)
    assert not any_overlap(cells)


def any_overlap(cells: list) -> bool:
    polygons = np.array([shapely.Polygon(rings[0], rings[1:]) for rings in cells], dtype=object)
    tree = shapely.STRtree(polygons)
    one, other = tree.query(polygons, predicate="intersects")
    pairs = one < other
    return not bool(np.all(shapely.touches(polygons[one[pairs]], polygons[other[pairs]])))


@settings(max_examples=40)
@given(areas())
def test_every_vertex_of_the_border_stays(shape: tuple) -> None:
    assume(valid(shape))
    kept = {vertex for grid in made(shape).grids for ring in grid.rings for vertex in ring}
    assert {vertex for rings in shape for ring in rings for vertex in ring} <= kept


@settings(max_examples=30)
@given(areas())
def test_no_cell_with_a_neighbour_is_a_sliver(shape: tuple) -> None:
    assume(valid(shape))
    grids = made(shape).grids
    owner = {edge: grid.code for grid in grids for ring in grid.rings for edge in edges(ring)}
    for grid in grids:
        lonely = not any((end, start) in owner for ring in grid.rings for start, end in edges(ring))
        assert lonely or grid.area_m2 >= SLIVER_SHARE * CELL_M * CELL_M - 1


@settings(max_examples=30)
@given(areas())
def test_numbers_run_from_west_to_east_in_rows_from_north_to_south(shape: tuple) -> None:
    assume(valid(shape))
    grids = made(shape).grids
    assert [grid.code for grid in grids] == [f"{COMMUNITY}{n:03d}" for n in range(1, len(grids) + 1)]
    places = [centroid_m(grid.rings) for grid in grids]
    rows = [int(north // CELL_M) for _, north in places]
    assert rows == sorted(rows, reverse=True)
    for (west, _), (east, _), row, next_row in zip(places, places[1:], rows, rows[1:], strict=False):
        assert row != next_row or west <= east


@settings(max_examples=15)
@given(areas(), st.integers(0, 6))
def test_the_same_area_is_cut_the_same(shape: tuple, turn: int) -> None:
    assume(valid(shape))
    again = tuple(tuple(ring[turn % len(ring) :] + ring[: turn % len(ring)] for ring in rings) for rings in shape)
    assert made(shape).grids == made(tuple(reversed(again))).grids


def test_inner_cells_have_about_a_hectare_and_winding_borders() -> None:
    grids = made((part((0, 0), [600.0] * 24, []),)).grids
    outline = {vertex for ring in dissolve(grid.rings for grid in grids)[0] for vertex in ring}
    inner = [grid for grid in grids if not outline & set(grid.rings[0])]
    assert len(inner) > 40
    assert all(6_000 < grid.area_m2 < 14_000 for grid in inner)
    assert 9_500 < float(np.mean([grid.area_m2 for grid in inner])) < 10_500
    assert all(len(grid.rings[0]) == 8 for grid in inner)


def test_a_sliver_goes_to_the_longest_common_edge() -> None:
    whole = cut(COMMUNITY, (part((0, 0), [400.0] * 20, []),), BEGINS, sliver_share=0.0)
    joined = cut(COMMUNITY, (part((0, 0), [400.0] * 20, []),), BEGINS)
    assert whole.joined == 0
    assert joined.joined == len(whole.grids) - len(joined.grids) > 0
    small = min(whole.grids, key=lambda grid: grid.area_m2)
    lengths: Counter[str] = Counter()
    for start, end in edges(small.rings[0]):
        for grid in whole.grids:
            if any((end, start) in set(edges(ring)) for ring in grid.rings):
                metres = np.hypot((end[0] - start[0]) * 0.0083, (end[1] - start[1]) * 0.0111)
                lengths[grid.code] += round(float(metres) * 1000)
    home = next(grid for grid in whole.grids if grid.code == lengths.most_common(1)[0][0])
    corner = set(small.rings[0]) | set(home.rings[0])
    holder = [grid for grid in joined.grids if set(home.rings[0]) <= set(grid.rings[0]) | set(small.rings[0])]
    assert any(set(grid.rings[0]) & corner >= set(home.rings[0]) - set(small.rings[0]) for grid in holder)


def test_neighbours_share_the_cuts_of_their_common_border() -> None:
    spine = [(0.0, -450.0), (70.0, -130.0), (-45.0, 160.0), (30.0, 430.0)]
    west = (to_ring([(-700.0, -300.0), *spine, (-650.0, 310.0)]),)
    east = (to_ring([(720.0, 280.0), *reversed(spine), (690.0, -350.0)]),)
    cells = [grid.rings for side in (west, east) for grid in cut(COMMUNITY, (side,), BEGINS).grids]
    union = dissolve(cells)
    assert len(union) == 1
    assert len(union[0]) == 1, "a gap or an overlap along the common border would be a ring of its own"


def test_more_than_999_cells_are_refused_or_grown() -> None:
    big = (part((0, 0), [1900.0] * 30, []),)
    with pytest.raises(BadInput, match=r"exceed the 999 .*on_overflow=refuse.*split the community"):
        made(big)
    grown = cut(COMMUNITY, big, BEGINS, on_overflow="grow")
    assert grown.cell_m == (200, 100)
    assert 500 < len(grown.grids) <= MOST_CELLS
    assert "on_overflow=grow" in grown.message
    total = sum(area2(ring) for grid in grown.grids for ring in grid.rings)
    assert total == pytest.approx(shape_area2(big), rel=1e-6)


def test_grow_leaves_a_small_community_alone() -> None:
    small = (part((0, 0), [300.0] * 9, []),)
    assert cut(COMMUNITY, small, BEGINS, on_overflow="grow").grids == made(small).grids


@pytest.mark.parametrize(
    ("community", "shape", "said"),
    [
        ("21010200100", (part((0, 0), [300.0] * 9, []),), "12-digit"),
        ("21010200100X", (part((0, 0), [300.0] * 9, []),), "12-digit"),
        (COMMUNITY, (), "no polygon"),
        (COMMUNITY, ((((0, 0), (5, 5)),),), "mend"),
        (COMMUNITY, (((to_ring([(0, 0), (300, 300), (300, 0), (0, 310)])),),), "Self-intersection"),
    ],
)
def test_bad_areas_are_refused(community: str, shape: tuple, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        cut(community, shape, BEGINS)


def test_an_island_smaller_than_a_sliver_stays_a_cell() -> None:
    shape = (part((0, 0), [300.0] * 9, []), part((900, 0), [12.0] * 5, []))
    smallest = min(made(shape).grids, key=lambda grid: grid.area_m2)
    assert smallest.area_m2 < 500
