"""What the plugin registers, and the one thing that its hooks share: the nodes' indexes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from wanmi_gis.kinds import ComponentsImported, DivisionsImported, GridsImported
from wanmi_gis.tables import (
    ComponentRow,
    DivisionRow,
    UnitGridRow,
    project_components,
    project_divisions,
    project_grids,
)

if TYPE_CHECKING:
    import typer

    from wanmi.registry import AdminResult, NodeContext, Progress, Registry
    from wanmi_gis.index import Indexes, KeptIndex


def add_parts(to: Registry) -> None:
    """Fill the registry."""
    to.entry_kind("divisions.imported", DivisionsImported, zh="区划导入", en="Divisions imported")
    to.entry_kind("grids.imported", GridsImported, zh="单元网格导入", en="Unit grids imported")
    to.entry_kind("components.imported", ComponentsImported, zh="部件导入", en="Components imported")
    to.projection("divisions", kinds=("divisions.imported",), rows=(DivisionRow,), apply=project_divisions)
    to.projection("unit_grids", kinds=("grids.imported",), rows=(UnitGridRow,), apply=project_grids)
    to.projection("components", kinds=("components.imported",), rows=(ComponentRow,), apply=project_components)
    to.action("import", _import, help="Import divisions, grids or components from a CSV or GeoJSON file.")
    to.command("gis", _gis_commands, help="Schematic areas, and communities cut into unit grids.")
    to.command("import", _import_commands, help="Import divisions, grids or components into a node.")
    to.task("gis.index", warm_index)


async def warm_index(node: NodeContext) -> None:
    """Read the index when the node starts, so that the first report need not wait for it."""
    await asyncio.to_thread(index_of(node).current, node.store)


def index_of(node: NodeContext) -> KeptIndex:
    """The node's index of unit grids."""
    return _indexes().of(node)


@cache
def _indexes() -> Indexes:
    from wanmi_gis.index import Indexes

    return Indexes()


def _import(node: NodeContext, arguments: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    from wanmi_gis.imports import run_import

    yield from run_import(node, arguments)


def _gis_commands() -> typer.Typer:
    from wanmi_gis.cli import gis

    return gis


def _import_commands() -> typer.Typer:
    from wanmi_gis.cli import imports

    return imports
