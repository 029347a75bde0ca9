"""Random irregular areas near Shenyang, with holes and in several parts, as rings of 1e-7 degree."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import strategies as st

from wanmi_gis.plane import to_units
from wanmi_gis.shapes import Rings, Shape, oriented, ring_of

MIDDLE = np.array([536_000.0, 4_623_000.0])


def star(middle: tuple[float, float], radii: list[float]) -> list[tuple[float, float]]:
    """A simple polygon around a point: one corner in each direction, in metres."""
    turns = np.linspace(0.0, 2 * np.pi, len(radii), endpoint=False)
    return [(middle[0] + r * np.cos(t), middle[1] + r * np.sin(t)) for r, t in zip(radii, turns, strict=True)]


def to_ring(points: list[tuple[float, float]]) -> tuple[tuple[int, int], ...]:
    """Metres from MIDDLE to a ring."""
    units = to_units(np.array(points) + MIDDLE)
    return ring_of((int(lon), int(lat)) for lon, lat in units)


def part(middle: tuple[float, float], radii: list[float], holes: list[tuple[float, float, float]]) -> Rings:
    """A star with round holes."""
    rings = [to_ring(star(middle, radii))]
    for east, north, radius in holes:
        rings.append(to_ring(star((middle[0] + east, middle[1] + north), [radius] * 7)))
    return oriented(rings)


@st.composite
def areas(draw: st.DrawFn, most: float = 520.0) -> Shape:
    """One or two stars 150 m to `most` m in radius, the first with up to two holes."""
    radii = st.lists(st.floats(150.0, most), min_size=5, max_size=14)
    spots = st.tuples(st.floats(-50, 50), st.floats(-50, 50), st.floats(4, 20))
    where = draw(st.tuples(st.floats(-4000, 4000), st.floats(-4000, 4000)))
    holes = draw(st.lists(spots, max_size=1))
    if holes and draw(st.booleans()):
        holes.append((holes[0][0] + 70, holes[0][1], 8.0))
    parts = [part(where, draw(radii), holes)]
    if draw(st.booleans()):
        parts.append(part((where[0] + 2.2 * most, where[1]), draw(radii), []))
    return tuple(parts)


def valid(shape: Shape) -> bool:
    """Whether it is a polygon or multipolygon that geometry libraries accept."""
    return bool(polygon_of(shape).is_valid)


def polygon_of(shape: Shape) -> shapely.MultiPolygon:
    """The shape for shapely, in units less an origin near it so that nothing is rounded."""
    return shapely.MultiPolygon([(rings[0], list(rings[1:])) for rings in shape])
