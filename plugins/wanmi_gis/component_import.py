"""Rows of a file of components (部件): a 16-digit id of a known category, at a point that lies in one of the grids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from wanmi.codes import BadRow, ComponentId, Profile
from wanmi.errors import BadInput
from wanmi.profiles import ProfileStore
from wanmi_gis.index import read_index
from wanmi_gis.kinds import ComponentItem
from wanmi_gis.locate import Locator
from wanmi_gis.reading import Source, SourceRow, point_of
from wanmi_gis.rules import check_dates, check_size, date_of, text_of, today
from wanmi_gis.tables import COMPONENT

if TYPE_CHECKING:
    from wanmi.registry import NodeContext

FIRST_STATE = "完好"


def plan(node: NodeContext, source: Source) -> tuple[list[ComponentItem], list[BadRow], int]:
    """(items to journal, refused rows, how many are here unchanged)."""
    profile, locator, held, date_ = (
        ProfileStore(node).active(),
        read_index(node.store).locator,
        _held(node),
        today(node),
    )
    items: dict[str, ComponentItem] = {}
    bad, unchanged, seen = [], 0, set()
    for row in source.rows:
        try:
            code = _code(node, profile, row)
            if code in seen:
                raise BadInput(f"component {code}: stands twice in the file; keep one row")
            seen.add(code)
            item = _item(source, row, code, profile, locator, held.get(code), date_)
        except BadInput as error:
            bad.append(BadRow(row.number, str(error)))
            continue
        if item is None:
            unchanged += 1
        else:
            items[code] = item
    return list(items.values()), bad, unchanged


def _held(node: NodeContext) -> Mapping[str, Any]:
    """The newest row of every component."""
    with node.store.reader() as connection:
        query = select(COMPONENT).where(COMPONENT.c.district == node.code).order_by(COMPONENT.c.begins)
        return {row.code: row for row in connection.execute(query)}


def _code(node: NodeContext, profile: Profile, row: SourceRow) -> str:
    code = ComponentId.parse(row.text("code", "ObjID"), profile)
    if code.region != node.code:
        raise BadInput(f"component {code}: in district {code.region}; node {node.code} takes only its own")
    profile.category("component", code.category)
    return str(code)


def _item(
    source: Source,
    row: SourceRow,
    code: str,
    profile: Profile,
    locator: Locator,
    before: Any,
    date_: str,
) -> ComponentItem | None:
    """The row as an item; None if the node has it so already."""
    point = point_of(row, source.datum)
    grid = locator.locate(point.lon_e7, point.lat_e7)
    if grid is None:
        raise BadInput(
            f"component {code}: {point} (WGS-84) lies in no unit grid; check the datum, or import the grids first"
        )
    said = row.text("grid", "BGID")
    if said and said != grid:
        raise BadInput(f"component {code}: column grid says {said}, its point lies in {grid}; mend one")
    category = profile.category("component", code[6:-6])
    begins = date_of(row, "begins", "ORDate") if before is None else date_of(row, "changed", "CHDate")
    item = ComponentItem(
        code, text_of(row, "name", "ObjName") or category.name_zh, grid, point.lon_e7, point.lat_e7,
        text_of(row, "state", "ObjState") or FIRST_STATE, text_of(row, "authority", "DeptName1"),
        text_of(row, "owner", "DeptName2"), text_of(row, "keeper", "DeptName3"),
        text_of(row, "data_source", "DataSource"), text_of(row, "note", "Note"), begins or date_, date_of(row, "ends"),
    )  # fmt: skip
    check_dates(item.begins, item.ends)
    check_size(f"component {code}", item)
    return None if before is not None and _same(item, before) else item


def _same(item: ComponentItem, row: Any) -> bool:
    """Whether the row says all that the item says, dates of change apart."""
    said = (item.name, item.grid, item.lon_e7, item.lat_e7, item.state, item.authority, item.owner, item.keeper)
    held = (row.name, row.grid, row.lon_e7, row.lat_e7, row.state, row.authority, row.owner, row.keeper)
    rest = (item.data_source, item.note, item.ends) == (row.data_source, row.note, row.ends)
    return said == held and rest
