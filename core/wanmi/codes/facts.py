"""Measured facts of the districts (area, centroid, box), for schematic outlines until a city imports its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from wanmi.codes.resources import Row, folder_named, read_rows
from wanmi.coords import Point

__all__ = ["DistrictFacts", "load_district_facts"]


@dataclass(frozen=True)
class DistrictFacts:
    """One district: areas in hectares by two map services, centroid and box corners in WGS-84, counts below it."""

    code: str
    name: str
    area_amap_ha: int
    area_tianditu_ha: int
    centroid: Point
    south_west: Point
    north_east: Point
    streets: int
    communities: int
    source: str
    confidence: str


@cache
def load_district_facts(name: str = "shenyang") -> tuple[DistrictFacts, ...]:
    """The districts' facts shipped under that name, read once; raises NotFound naming the folders there are."""
    return tuple(_facts(row) for row in read_rows(folder_named(name), "districts_facts.csv"))


def _facts(row: Row) -> DistrictFacts:
    west, south, east, north = row["bbox_wgs84"].split()
    return DistrictFacts(
        code=row["code"],
        name=row["name"],
        area_amap_ha=round(float(row["area_km2_amap"]) * 100),
        area_tianditu_ha=round(float(row["area_km2_tianditu"]) * 100),
        centroid=Point.parse(row["centroid_lon_wgs84"], row["centroid_lat_wgs84"]),
        south_west=Point.parse(west, south),
        north_east=Point.parse(east, north),
        streets=int(row["streets"]),
        communities=int(row["communities"]),
        source=row["source"],
        confidence=row["confidence"],
    )
