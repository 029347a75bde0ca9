"""Integer polygons: area, covering, joining without rounding."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wanmi_gis.shapes import area2, covers, dissolve, edges, oriented, ring_of, shape_area2

SQUARE = ((0, 0), (10, 0), (10, 10), (0, 10))


def block(x: int, y: int) -> tuple[tuple[tuple[int, int], ...], ...]:
    return (((x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)),)


def test_orientation_puts_the_inside_on_the_left() -> None:
    hole = ((2, 2), (4, 2), (4, 4), (2, 4))
    exterior, inner = oriented((tuple(reversed(SQUARE)), hole))
    assert area2(exterior) == 200
    assert area2(inner) == -8


def test_ring_of_drops_repeats_and_starts_at_the_lowest_vertex() -> None:
    assert ring_of([(3, 1), (3, 1), (0, 5), (0, 0), (3, 1)]) == ((0, 0), (3, 1), (0, 5))


def test_covers_counts_the_border_and_not_the_hole() -> None:
    rings = oriented((SQUARE, ((2, 2), (4, 2), (4, 4), (2, 4))))
    assert all(covers(rings, point) for point in [(0, 0), (5, 0), (10, 10), (2, 3), (4, 4), (9, 1)])
    assert not any(covers(rings, point) for point in [(3, 3), (11, 5), (-1, 0), (10, 11), (20, 0), (-5, 10)])


@given(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1))
def test_dissolve_keeps_area_and_makes_simple_rings(cells: set[tuple[int, int]]) -> None:
    union = dissolve(block(*cell) for cell in cells)
    assert shape_area2(union) == 2 * len(cells)
    for rings in union:
        assert area2(rings[0]) > 0
        assert all(area2(hole) < 0 for hole in rings[1:])
        assert all(len(set(ring)) == len(ring) for ring in rings)
    lines = [edge for rings in union for ring in rings for edge in edges(ring)]
    assert len(lines) == len(set(lines))
    for x in range(6):
        for y in range(6):
            middles = [rings for rings in union if covers(scaled(rings), (2 * x + 1, 2 * y + 1))]
            assert len(middles) == int((x, y) in cells)


def scaled(rings: tuple[tuple[tuple[int, int], ...], ...]) -> tuple[tuple[tuple[int, int], ...], ...]:
    return tuple(tuple((2 * x, 2 * y) for x, y in ring) for ring in rings)
