"""Rows of a file of unit grids: code, community, border, dates; no code used again, no overlap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import select

from wanmi.codes import BadRow, Division, UnitGridCode
from wanmi.errors import BadInput
from wanmi_gis.division_import import known_divisions
from wanmi_gis.kinds import GridItem
from wanmi_gis.plane import ring_area_m2
from wanmi_gis.reading import Source, SourceRow, flat_rings, is_schematic, rings_of, shape_of
from wanmi_gis.rules import check_dates, check_size, date_of, today
from wanmi_gis.shapes import Rings
from wanmi_gis.tables import UNIT_GRID, check_grid_change

if TYPE_CHECKING:
    from wanmi.registry import NodeContext

LEAST_M2 = 1
OVERLAP_M2 = 1.0
"""Neighbours' borders may cross by less than this (m2): a hair along a border that two surveys drew."""
M2_AN_UNIT2 = 0.0111320**2
"""m2 of a square unit (1e-7 degree) at the equator; less by the cosine of the latitude elsewhere."""


def plan(node: NodeContext, source: Source) -> tuple[list[GridItem], list[BadRow], int]:
    """(items to journal, refused rows, how many are here unchanged)."""
    known, held, date_ = known_divisions(node), _held(node), today(node)
    items: dict[str, tuple[int, GridItem]] = {}
    bad, unchanged = [], 0
    for row in source.rows:
        try:
            item = _item(node, source, row, known, held, date_)
            if item.code in items:
                raise BadInput(f"grid {item.code}: stands twice in the file; keep one row")
        except BadInput as error:
            bad.append(BadRow(row.number, str(error)))
            continue
        before = held.get(item.code)
        if before is not None and before.ends == item.ends:
            unchanged += 1
        else:
            items[item.code] = row.number, item
    clashes = _clashes(items, held)
    bad += [BadRow(items[code][0], reason) for code, reason in clashes.items()]
    good = [item for code, (_, item) in items.items() if code not in clashes]
    return good, sorted(bad, key=lambda one: one.row), unchanged


def _held(node: NodeContext) -> Mapping[str, Any]:
    with node.store.reader() as connection:
        query = select(UNIT_GRID).where(UNIT_GRID.c.district == node.code)
        return {row.code: row for row in connection.execute(query)}


def _item(
    node: NodeContext,
    source: Source,
    row: SourceRow,
    known: Mapping[str, Division],
    held: Mapping[str, Any],
    date_: str,
) -> GridItem:
    code = UnitGridCode.parse(row.text("code"))
    _check_home(node, row, code, known)
    before = held.get(str(code))
    begins, ends = date_of(row, "begins"), date_of(row, "ends")
    begins = begins or (before.begins if before is not None else date_)
    check_dates(begins, ends)
    rings = _rings(source, row, before)
    area = round(sum(map(ring_area_m2, rings)))
    if area < LEAST_M2:
        raise BadInput(f"grid {code}: has {area} m2; a unit grid has at least {LEAST_M2}")
    item = GridItem(str(code), area, begins, ends, source.schematic or is_schematic(row), flat_rings(rings))
    check_size(f"grid {code}", item)
    check_grid_change(item, before)
    return item


def _check_home(node: NodeContext, row: SourceRow, code: UnitGridCode, known: Mapping[str, Division]) -> None:
    if code.region != node.code:
        raise BadInput(f"grid {code}: in district {code.region}; node {node.code} takes only its own")
    if code.community_code not in known:
        raise BadInput(f"grid {code}: its community {code.community_code} is not known; import the division first")
    said = row.text("community")
    if said and said != code.community_code:
        raise BadInput(f"grid {code}: column community says {said}, the code means {code.community_code}; mend one")


def _rings(source: Source, row: SourceRow, before: Any) -> Rings:
    """The one polygon of a grid; a row that only ends a known grid may leave it out."""
    shape = shape_of(row, source.datum)
    if shape is None and before is not None:
        return rings_of(orjson.loads(before.rings))
    if shape is None or len(shape) != 1:
        raise BadInput(f"a unit grid is one polygon; this row has {len(shape or ())}")
    return shape[0]


def _clashes(items: Mapping[str, tuple[int, GridItem]], held: Mapping[str, Any]) -> dict[str, str]:
    """Grids of the file that overlap one in force, or an earlier one of the file; with the reason."""
    import numpy as np
    import shapely

    fresh = [item for _, item in items.values() if item.ends is None]
    old = [row for code, row in held.items() if row.ends is None and code not in items]
    codes = [row.code for row in old] + [item.code for item in fresh]
    rings = [orjson.loads(row.rings) for row in old] + [item.rings for item in fresh]
    if not fresh:
        return {}
    cells = np.array([_polygon(each) for each in rings], dtype=object)
    tree = shapely.STRtree(cells)
    later, earlier = tree.query(cells[len(old) :], predicate="intersects")
    later += len(old)
    pairs = (later > earlier) & ~shapely.touches(cells[later], cells[earlier])
    later, earlier = later[pairs], earlier[pairs]
    shared = shapely.area(shapely.intersection(cells[later], cells[earlier])) * M2_AN_UNIT2
    found: dict[str, str] = {}
    for one, other, area in sorted(zip(later.tolist(), earlier.tolist(), shared.tolist(), strict=True)):
        if area > OVERLAP_M2 and codes[other] not in found:
            reason = f"grid {codes[one]}: overlaps grid {codes[other]} by about {area:.0f} m2; cut them apart"
            found.setdefault(codes[one], reason)
    return found


def _polygon(rings: list[list[int]]) -> object:
    import shapely

    exterior, *holes = rings_of(rings)
    return shapely.Polygon(exterior, holes)
