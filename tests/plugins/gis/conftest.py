"""A district and its city with real journals and this plugin's kinds, tables and hooks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import wanmi_gis
from plugins.gis.drawn import part
from support.journals import Bench, admission, open_bench, sqlite_url
from wanmi.journal import register_core
from wanmi.profiles import register_profiles
from wanmi.registry import Registry
from wanmi_gis.cutter import cut
from wanmi_gis.geojson import grid_feature
from wanmi_gis.imports import run_import

COMMUNITY = "210102001002"
NEIGHBOUR = "210102001003"


@dataclass
class GisNode:
    """What the plugin needs of a node, on a real journal."""

    bench: Bench
    role: str
    parent: str | None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bench, name)

    def take(self, dataset: str, file: Path, **options: Any) -> dict[str, Any]:
        """Run the import action to its result."""
        steps = list(run_import(self, {"dataset": dataset, "file": str(file), **options}))  # type: ignore[arg-type]
        return steps[-1]  # type: ignore[return-value]

    def rows(self, row: type) -> list[dict[str, Any]]:
        """A table's rows in key order."""
        table = row.__table__
        with self.bench.store.reader() as connection:
            found = connection.execute(table.select().order_by(*table.primary_key.columns))
            return [dict(one._mapping) for one in found]


def gis_registry() -> Registry:
    """The core and this plugin."""
    made = Registry()
    with made.filling("wanmi", "0"):
        register_core(made)
        register_profiles(made)
    with made.filling("gis", "0"):
        wanmi_gis.register(made)
    return made


Open = Callable[..., GisNode]


@pytest.fixture
def open_node(tmp_path: Path) -> Iterator[Open]:
    """Open a node: ``open_node("210102", "district", "210100")``."""
    made: list[Bench] = []

    def build(code: str, role: str, parent: str | None = None) -> GisNode:
        pinned = {"210102": _public(2), "210100": _public(1)}
        seed = 1 if role == "city" else 2
        bench = open_bench(code, sqlite_url(tmp_path / code), seed=seed, registry=gis_registry(), pinned=pinned)
        made.append(bench)
        bench.journal.append(admission(code, seed, role=role)).result()  # type: ignore[arg-type]
        return GisNode(bench, role, parent)

    yield build
    for bench in made:
        bench.close()


def _public(seed: int) -> bytes:
    from support.journals import public

    return public(seed)


@pytest.fixture
def district(open_node: Open) -> GisNode:
    """和平 under the city."""
    return open_node("210102", "district", "210100")


@pytest.fixture
def city(open_node: Open) -> GisNode:
    """沈阳."""
    return open_node("210100", "city")


def collection(features: list[Any], **members: Any) -> str:
    """A GeoJSON collection in WGS-84, or as `members` say."""
    return json.dumps({"type": "FeatureCollection", "datum": "WGS84", **members, "features": features})


@pytest.fixture
def grid_file(tmp_path: Path) -> Path:
    """About forty grids of one community."""
    grids = cut(COMMUNITY, (part((0, 0), [330.0, 380.0, 300.0] * 6, []),), "2026-01-01").grids
    path = tmp_path / "grids.geojson"
    path.write_text(collection([grid_feature(grid, True) for grid in grids], schematic=True), encoding="utf-8")
    return path
