"""Whether a point is in a fence, and how far from its line. Pure; plane geometry around the point.

Fences are a city's: some kilometres. The plane around a point is off by less than 0.1 % over 30 km.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, hypot, inf, radians

from wanmi.coords import Point, distance_m

METRES_A_DEGREE = 111_195.08
"""Of latitude, on the sphere that wanmi.coords measures on."""
Pair = tuple[float, float]


@dataclass(frozen=True)
class Shape:
    """A circle (one point and a radius in metres) or a polygon (three points or more, closed by itself)."""

    points: tuple[Point, ...]
    radius_m: int = 0

    def beyond_m(self, point: Point) -> float:
        """Metres from the fence's line to ``point``: negative inside, positive outside."""
        if len(self.points) == 1:
            return distance_m(self.points[0], point) - self.radius_m
        corners = [_plane(point, self.points[0], corner) for corner in self.points]
        edges = list(itertools.pairwise([*corners, corners[0]]))
        nearest = min((_to_edge(a, b) for a, b in edges), default=inf)
        return -nearest if _holds_origin(edges) else nearest


def _plane(origin: Point, first: Point, corner: Point) -> Pair:
    """Metres east and north of ``origin``; a fence over the date line stays whole, since corners go by their first one."""
    east = _turn(first.lon - origin.lon) + _turn(corner.lon - first.lon)
    return east * METRES_A_DEGREE * cos(radians(origin.lat)), (corner.lat - origin.lat) * METRES_A_DEGREE


def _turn(degrees: float) -> float:
    return (degrees + 540) % 360 - 180


def _to_edge(a: Pair, b: Pair) -> float:
    """Metres from the origin to the line between two corners."""
    along_x, along_y = b[0] - a[0], b[1] - a[1]
    length = along_x * along_x + along_y * along_y
    share = 0.0 if length == 0 else max(0.0, min(1.0, -(a[0] * along_x + a[1] * along_y) / length))
    return hypot(a[0] + share * along_x, a[1] + share * along_y)


def _holds_origin(edges: Sequence[tuple[Pair, Pair]]) -> bool:
    """Even-odd: how often a ray to the east meets the line."""
    inside = False
    for (ax, ay), (bx, by) in edges:
        if (ay > 0) != (by > 0) and ax + (bx - ax) * -ay / (by - ay) > 0:
            inside = not inside
    return inside
