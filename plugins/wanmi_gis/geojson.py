"""GeoJSON files that say their datum and whether they are schematic (示意): what `wanmi import` reads.

Beside `type` and `features`, the collection has `"datum": "WGS84"` and, where so, `"schematic": true, "note": "示意"`;
each schematic feature says so too. Coordinates have seven decimals.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from wanmi_gis.cutter import UnitGrid
from wanmi_gis.schematic import NOTE, Area
from wanmi_gis.shapes import Ring, Shape

E7 = 10_000_000
Feature = Mapping[str, Any]


def area_feature(area: Area) -> Feature:
    """A schematic division."""
    division = area.division
    properties = {
        "code": division.code, "level": division.level, "name": division.name, "name_en": division.name_en,
        "parent": division.parent, "area_m2": area.area_m2, "schematic": True, "note": NOTE,
    }  # fmt: skip
    return {"type": "Feature", "properties": properties, "geometry": geometry(area.shape)}


def grid_feature(grid: UnitGrid, schematic: bool) -> Feature:
    """A unit grid."""
    properties: dict[str, object] = {
        "code": grid.code, "community": grid.community, "area_m2": grid.area_m2, "begins": grid.begins,
        "ends": grid.ends,
    }  # fmt: skip
    if schematic:
        properties |= {"schematic": True, "note": NOTE}
    return {"type": "Feature", "properties": properties, "geometry": geometry((grid.rings,))}


def geometry(shape: Shape) -> Feature:
    """A Polygon or MultiPolygon in degrees, rings closed."""
    parts = [[_closed(ring) for ring in rings] for rings in shape]
    if len(parts) == 1:
        return {"type": "Polygon", "coordinates": parts[0]}
    return {"type": "MultiPolygon", "coordinates": parts}


def _closed(ring: Ring) -> list[list[float]]:
    return [[lon / E7, lat / E7] for lon, lat in (*ring, ring[0])]


def write_features(path: Path, features: Iterable[Feature], *, schematic: bool) -> int:
    """Writes a collection in WGS-84, one feature a line; returns how many."""
    head: dict[str, object] = {"type": "FeatureCollection", "datum": "WGS84"}
    if schematic:
        head |= {"schematic": True, "note": NOTE}
    lines = [json.dumps(feature, ensure_ascii=False, separators=(",", ":")) for feature in features]
    opening = json.dumps(head, ensure_ascii=False)[:-1]
    path.write_text(f'{opening}, "features": [\n' + ",\n".join(lines) + "\n]}\n", encoding="utf-8")
    return len(lines)
