"""Files to import, and what a node answers about places."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import wanmi_gis
from plugins.gis.conftest import GisNode, collection
from wanmi.coords import Point


def features_of(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text(encoding="utf-8"))["features"])


def rewrite(path: Path, features: list[dict[str, Any]], **members: Any) -> Path:
    path.write_text(collection(features, **members), encoding="utf-8")
    return path


def middle_of(feature: dict[str, Any]) -> Point:
    """A point inside a drawn cell: the mean of its corners."""
    ring = feature["geometry"]["coordinates"][0][:-1]
    return Point(
        round(sum(lon for lon, _ in ring) / len(ring) * 1e7), round(sum(lat for _, lat in ring) / len(ring) * 1e7)
    )


def table_file(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, sorted({key for row in rows for key in row}))
        writer.writeheader()
        writer.writerows(rows)
    return path


def located(node: GisNode, point: Point, datum: str = "WGS84") -> str | None:
    answer = wanmi_gis.locate_point(node, point.lon_e7, point.lat_e7, datum)  # type: ignore[arg-type]
    return None if answer is None else answer.grid
