"""Rows of a file of divisions, checked against each other and against what the node knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import select

from wanmi.codes import BadRow, Division, Divisions, parse_divisions, short_code
from wanmi.errors import BadInput
from wanmi_gis.kinds import DivisionItem
from wanmi_gis.reading import Source, SourceRow, flat_rings, is_schematic, shape_of
from wanmi_gis.rules import check_dates, check_size, date_of, today
from wanmi_gis.tables import DIVISION

if TYPE_CHECKING:
    from wanmi.registry import NodeContext

HEADER = 2
"""Where `parse_divisions` starts to count rows."""


def plan(node: NodeContext, source: Source) -> tuple[list[DivisionItem], list[BadRow], int]:
    """(items to journal, refused rows, how many are here unchanged)."""
    known = known_divisions(node)
    good, refused = parse_divisions([row.properties for row in source.rows], known)
    bad = [BadRow(source.rows[one.row - HEADER].number, one.reason) for one in refused]
    refused_rows = {one.row for one in bad}
    rows = {
        short_code(row.text("code", "code12")): row for row in reversed(source.rows) if row.number not in refused_rows
    }
    held, date_ = _in_force(node), today(node)
    items, unchanged = [], 0
    for division in good:
        row = rows[division.code]
        try:
            item = _item(node, source, row, division, date_)
        except BadInput as error:
            bad.append(BadRow(row.number, str(error)))
            continue
        before = held.get(division.code)
        if before is not None and same(item, before, bool(row.text("begins"))):
            unchanged += 1
        else:
            items.append(item)
    return items, sorted(bad, key=lambda one: one.row), unchanged


def known_divisions(node: NodeContext) -> Mapping[str, Division]:
    """The divisions that the package ships and those that were imported, by code."""
    shipped = Divisions.load()
    known = {one.code: one for level in ("city", "district", "street", "community") for one in shipped.at_level(level)}
    with node.store.reader() as connection:
        query = select(DIVISION).where(DIVISION.c.ends.is_(None))
        for row in connection.execute(query):
            known[row.code] = Division(row.code, row.level, row.name, row.parent, row.name_en)
    return known


def _item(node: NodeContext, source: Source, row: SourceRow, division: Division, date_: str) -> DivisionItem:
    region = node.code[:4] if node.code.endswith("00") else node.code
    if not division.code.startswith(region):
        raise BadInput(f"division {division.code}: not in the region {region} of node {node.code}")
    begins, ends = date_of(row, "begins") or date_, date_of(row, "ends")
    check_dates(begins, ends)
    shape = shape_of(row, source.datum)
    item = DivisionItem(
        division.code, division.level, division.name, division.name_en, division.parent, begins, ends,
        source.schematic or is_schematic(row), [flat_rings(rings) for rings in shape or ()],
    )  # fmt: skip
    check_size(f"division {division.code}", item)
    return item


def _in_force(node: NodeContext) -> Mapping[str, Any]:
    """The newest row of every division."""
    with node.store.reader() as connection:
        return {row.code: row for row in connection.execute(select(DIVISION).order_by(DIVISION.c.begins))}


def same(item: DivisionItem, row: Any, dated: bool) -> bool:
    """Whether the row says all that the item says; its first date counts only if the file gave one."""
    said: Sequence[object] = (item.level, item.name, item.name_en, item.parent, item.schematic, item.ends)
    held = (row.level, row.name, row.name_en, row.parent, bool(row.schematic), row.ends)
    return said == held and item.parts == orjson.loads(row.parts) and (not dated or item.begins == row.begins)
