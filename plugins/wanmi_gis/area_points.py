"""A point that stands for an area: inside a unit grid, or inside the grid of a community that is next to its middle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from sqlalchemy import select

from wanmi.coords import Point
from wanmi_gis.reading import rings_of
from wanmi_gis.shapes import Rings, covers
from wanmi_gis.tables import UNIT_GRID

if TYPE_CHECKING:
    from wanmi.store import Store


def point_in_area(store: Store, code: str) -> Point | None:
    """A WGS-84 point in the unit grid (15 digits) or community (12) of this code; None when no grid in force is of it."""
    grid = UNIT_GRID.c
    of_it = grid.community == code if len(code) == 12 else grid.code == code
    with store.reader() as tx:
        found = tx.execute(select(grid.rings).where(of_it, grid.ends.is_(None)).order_by(grid.code)).scalars().all()
    cells = [rings_of(orjson.loads(rings)) for rings in found]
    if not cells:
        return None
    inner = [inside(rings) for rings in cells]
    x, y = sum(point.lon_e7 for point in inner) // len(inner), sum(point.lat_e7 for point in inner) // len(inner)
    return min(inner, key=lambda point: ((point.lon_e7 - x) ** 2 + (point.lat_e7 - y) ** 2, point.lon_e7, point.lat_e7))


def inside(rings: Rings) -> Point:
    """A point of the polygon: the mean of its corners where that lies inside, else half way between two crossings."""
    outer = rings[0]
    x, y = sum(one[0] for one in outer) // len(outer), sum(one[1] for one in outer) // len(outer)
    if covers(rings, (x, y)):
        return Point(x, y)
    from shapely import Polygon
    from shapely.geometry import Point as Found

    point: Found = Polygon(outer, rings[1:]).representative_point()
    return Point(round(point.x), round(point.y))
