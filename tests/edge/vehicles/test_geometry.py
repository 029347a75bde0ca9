"""Fences' geometry and hysteresis: pure."""

from __future__ import annotations

from math import cos, radians

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanmi.coords import Point, distance_m
from wanmi_edge.vehicles.crossing import SECOND, Standing, step
from wanmi_edge.vehicles.geometry import Shape

HOME = Point(1_234_293_041, 417_967_700)


def off(east: float, north: float) -> Point:
    """A point so many metres from HOME."""
    lat = HOME.lat + north / 111_195.08
    return Point(round((HOME.lon + east / (111_195.08 * cos(radians(HOME.lat)))) * 1e7), round(lat * 1e7))


SQUARE = Shape((off(-100, -100), off(100, -100), off(100, 100), off(-100, 100)))
HOOK = Shape((off(0, 0), off(300, 0), off(300, 300), off(200, 300), off(200, 100), off(0, 100)))


@pytest.mark.parametrize(
    ("shape", "east", "north", "metres"),
    [
        (SQUARE, 0, 0, -100), (SQUARE, 90, 0, -10), (SQUARE, 130, 0, 30), (SQUARE, 130, 140, 50), (HOOK, 100, 200, 100),
        (HOOK, 250, 200, -50), (HOOK, 100, 50, -50), (Shape((HOME,), 200), 0, 150, -50), (Shape((HOME,), 200), 300, 0, 100),
    ],
)  # fmt: skip
def test_metres_from_the_line(shape: Shape, east: float, north: float, metres: float) -> None:
    assert shape.beyond_m(off(east, north)) == pytest.approx(metres, abs=0.2)


def test_a_fence_over_the_date_line() -> None:
    shape = Shape(
        (
            Point(1_799_000_000, 0),
            Point(-1_799_000_000, 0),
            Point(-1_799_000_000, 100_000),
            Point(1_799_000_000, 100_000),
        )
    )
    assert shape.beyond_m(Point(1_800_000_000, 50_000)) < 0
    assert shape.beyond_m(Point(0, 50_000)) > 1_000_000


@given(st.integers(-400, 400), st.integers(-400, 400))
def test_going_as_far_as_it_says_reaches_the_line(east: int, north: int) -> None:
    here = off(east, north)
    for shape in (SQUARE, HOOK):
        metres = shape.beyond_m(here)
        corners = min(distance_m(here, one) for one in shape.points)
        assert abs(metres) <= corners + 0.5
        inside = {SQUARE: max(abs(east), abs(north)) < 100}.get(shape)
        assert inside is None or (metres < 0.1) == inside or abs(metres) < 0.5


def crossings(metres: list[float], margin: int, dwell: int) -> list[tuple[str, int]]:
    standing, found = Standing(), []
    for second, beyond in enumerate(metres):
        standing, crossing = step(standing, beyond, margin, dwell, second * SECOND, HOME)
        found += [(crossing[0], crossing[1] // SECOND)] if crossing is not None else []
    return found


def test_a_stray_position_and_a_wobble_at_the_line_cross_nothing() -> None:
    assert crossings([50, 50, -5, 50, 50, -5, 50], 20, 3) == []
    assert crossings([50, -5, -5, -5, -5, 10, -5, 15, -5], 20, 3) == [("enter", 1)]
    assert crossings([-5, -5, -5, -5, 25, 25, -5, 25, 25, 25, 25], 20, 3) == [("enter", 0), ("leave", 7)]


@given(st.lists(st.integers(-100, 100), max_size=60), st.integers(0, 50), st.integers(0, 6))
def test_crossings_alternate_and_begin_with_entering(metres: list[int], margin: int, dwell: int) -> None:
    ways = [way for way, _ in crossings([float(one) for one in metres], margin, dwell)]
    assert ways == ["enter", "leave"] * (len(ways) // 2) + ["enter"] * (len(ways) % 2)
