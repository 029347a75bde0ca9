"""Grids' geometry: schematic areas, the cutter, locating points, and imports of divisions, grids and components."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wanmi.hookspecs import hookimpl

if TYPE_CHECKING:
    from wanmi.coords import Datum, Point
    from wanmi.hookspecs import Located
    from wanmi.registry import NodeContext, Registry


@hookimpl
def register(to: Registry) -> None:
    """Bring the base data's kinds and tables, ``wanmi import``, ``wanmi gis`` and the warm-up of the index."""
    from wanmi_gis.parts import add_parts

    add_parts(to)


@hookimpl
def locate_point(node: NodeContext, lon_e7: int, lat_e7: int, datum: Datum) -> Located | None:
    """The unit grid in force that holds the point; None outside every grid."""
    from wanmi_gis.parts import index_of

    return index_of(node).current(node.store).located(lon_e7, lat_e7, datum)


@hookimpl
def point_in_area(node: NodeContext, code: str) -> Point | None:
    """A point inside a unit grid in force, or inside a community: in its grid next to the middle."""
    from wanmi_gis.area_points import point_in_area as found

    return found(node.store, code)
