"""Divisions and components through the real journal, who may import what, and what the city gets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plugins.gis.conftest import COMMUNITY, GisNode, Open
from plugins.gis.drawn import part
from plugins.gis.files import features_of, located, middle_of, rewrite, table_file
from support.journals import ship
from wanmi.coords import Point, format_degrees, from_wgs84
from wanmi.errors import BadInput, NotAllowed
from wanmi.journal.proof import replay_check
from wanmi_gis.cutter import cut
from wanmi_gis.geojson import area_feature, geometry, write_features
from wanmi_gis.locate import Locator
from wanmi_gis.schematic import Schematic
from wanmi_gis.tables import ComponentRow, DivisionRow, UnitGridRow


def test_base_data_has_owners(district: GisNode, city: GisNode, grid_file: Path) -> None:
    with pytest.raises(NotAllowed, match="import them at node 210100"):
        district.take("divisions", grid_file)
    with pytest.raises(NotAllowed, match="belong to a district"):
        city.take("grids", grid_file)
    with pytest.raises(BadInput, match="divisions, grids, components"):
        city.take("cases", grid_file)


def test_schematic_divisions_go_to_the_city(city: GisNode, tmp_path: Path) -> None:
    drawn = Schematic.shipped()
    areas = [*drawn.districts(), *drawn.streets("210102"), *drawn.communities("210102")]
    path = tmp_path / "areas.geojson"
    assert write_features(path, map(area_feature, areas), schematic=True) == len(areas)
    result = city.take("divisions", path)
    assert (result["journaled"], result["refused"]) == (len(areas), [])
    assert city.take("divisions", path)["entries"] == 0
    rows = {row["code"]: row for row in city.rows(DivisionRow)}
    assert len(rows) == len(areas)
    assert all(row["schematic"] == 1 and row["begins"] == rows["210102"]["begins"] for row in rows.values())
    for area in areas:
        flat = json.loads(rows[area.division.code]["parts"])
        held = tuple(tuple(tuple(zip(r[::2], r[1::2], strict=True)) for r in rings) for rings in flat)
        assert held == area.shape
    subjects = {
        stored.entry.subject for stored in city.journal.since(0, ["divisions.imported"], 10_000) if stored.entry
    }
    assert "divisions:210100" in subjects
    assert "divisions:210102" in subjects
    assert all(stored.audience == "*" for stored in city.journal.since(0, ["divisions.imported"], 10_000))


def test_a_changed_division_ends_the_row_before(city: GisNode, tmp_path: Path) -> None:
    row = {"code": "210102999000", "name": "新设街道", "datum": "WGS84"}
    path = tmp_path / "divisions.csv"
    city.take("divisions", table_file(path, [row]))
    city.bench.clock.advance(40 * 86_400 * 1_000_000)
    assert city.take("divisions", path)["unchanged"] == 1
    assert city.take("divisions", table_file(path, [{**row, "name": "更名街道"}]))["journaled"] == 1
    old, new = city.rows(DivisionRow)
    assert (old["name"], new["name"], new["ends"]) == ("新设街道", "更名街道", None)
    assert old["ends"] == new["begins"] > old["begins"]


def test_bad_divisions_are_named(city: GisNode, tmp_path: Path) -> None:
    rows = [
        {"code": "210102998", "name": "好街道"},
        {"code": "2101029", "name": "短"},
        {"code": "210102998001", "name": ""},
        {"code": "210102997001", "name": "无街道社区"},
        {"code": "210202001", "name": "外市街道"},
        {"code": "210102998", "name": "重复"},
        {"code": "210102996", "name": "坏边界", "geometry": "POLYGON ((0 0, 1 1, 0 1, 1 0, 0 0))"},
        {"code": "210102995", "name": "点", "geometry": "POINT (1 1)"},
    ]
    result = city.take("divisions", table_file(tmp_path / "d.csv", rows), datum="WGS84")
    assert result["journaled"] == 1
    assert [bad["row"] for bad in result["refused"]] == [3, 4, 5, 6, 7, 8, 9]


def test_a_border_too_long_for_an_entry_is_refused(city: GisNode, tmp_path: Path) -> None:
    shape = (part((0, 0), [3000.0 + n % 7 for n in range(4000)], []),)
    feature = {"type": "Feature", "properties": {"code": "210102999", "name": "长"}, "geometry": geometry(shape)}
    result = city.take("divisions", rewrite(tmp_path / "long.geojson", [feature]))
    assert "simplify its border" in result["refused"][0]["reason"]


@pytest.fixture
def gridded(district: GisNode, grid_file: Path) -> GisNode:
    """The district with its grids."""
    district.take("grids", grid_file)
    return district


def component(code: str, point: Point, **more: str) -> dict[str, str]:
    return {"code": code, "lon": format_degrees(point.lon_e7), "lat": format_degrees(point.lat_e7), **more}


def test_components_find_their_grids(gridded: GisNode, grid_file: Path, tmp_path: Path) -> None:
    features = features_of(grid_file)
    rows = [component(f"2101020102{n:06d}", from_wgs84(middle_of(f), "GCJ02")) for n, f in enumerate(features, 1)]
    path = table_file(tmp_path / "covers.csv", rows)
    result = gridded.take("components", path, datum="GCJ02")
    assert (result["journaled"], result["refused"]) == (len(rows), [])
    held = gridded.rows(ComponentRow)
    assert [row["grid"] for row in held] == [f["properties"]["code"] for f in features]
    assert {(row["category"], row["district"], row["name"], row["state"]) for row in held} == {
        ("0102", "210102", "污水井盖", "完好")
    }
    assert gridded.take("components", path, datum="GCJ02")["entries"] == 0
    assert gridded.journal.subject("components:210102:0102")[0].audience == ("210100",)


def test_a_changed_component_keeps_its_history(gridded: GisNode, grid_file: Path, tmp_path: Path) -> None:
    point = middle_of(features_of(grid_file)[0])
    path = tmp_path / "c.csv"
    row = component("2101020102000001", point, datum="WGS84", begins="20250301")
    gridded.take("components", table_file(path, [row]))
    gridded.take("components", table_file(path, [{**row, "state": "破损", "changed": "20260301"}]))
    first, second = gridded.rows(ComponentRow)
    assert (first["begins"], first["ends"], first["state"]) == ("2025-03-01", "2026-03-01", "完好")
    assert (second["begins"], second["ends"], second["state"]) == ("2026-03-01", None, "破损")


def test_bad_components_are_named(gridded: GisNode, grid_file: Path, tmp_path: Path) -> None:
    feature = features_of(grid_file)[0]
    inside, outside = middle_of(feature), Point(1_200_000_000, 400_000_000)
    gcj = from_wgs84(inside, "GCJ02")
    cases = [
        (component("2101020102000001", inside), None),
        (component("210102010200001", inside), "15 characters"),
        (component("2101030102000001", inside), "node 210102 takes only its own"),
        (component("2101020199000001", inside), "0199"),
        (component("2101020102000002", outside), "lies in no unit grid"),
        (component("2101020102000003", Point(gcj.lon_e7 + 40_000, gcj.lat_e7)), "lies in"),
        ({"code": "2101020102000004"}, "no point"),
        ({"code": "2101020102000005", "lon": "abc", "lat": "41"}, "abc"),
        (component("2101020102000006", inside, grid=f"{COMMUNITY}999"), "its point lies in"),
        (component("2101020102000001", inside), "stands twice"),
        (component("2101020102000007", inside, begins="2026-13-01"), "not a date"),
    ]
    path = table_file(tmp_path / "c.csv", [row for row, _ in cases])
    result = gridded.take("components", path, datum="WGS84")
    said = {bad["row"]: bad["reason"] for bad in result["refused"]}
    assert list(said) == [n for n, (_, reason) in enumerate(cases, start=2) if reason]
    for n, (_, reason) in enumerate(cases, start=2):
        assert reason is None or reason in said[n]


def test_the_city_gets_the_same_rows(open_node: Open, grid_file: Path, tmp_path: Path) -> None:
    district, city = open_node("210102", "district", "210100"), open_node("210100", "city")
    district.take("grids", grid_file)
    point = middle_of(features_of(grid_file)[2])
    rows = [component("2101020102000001", point, datum="WGS84")]
    district.take("components", table_file(tmp_path / "c.csv", rows))
    ship(district.bench, city.bench, "210102")
    for row in (UnitGridRow, ComponentRow):
        assert city.rows(row) == district.rows(row) != []
    for node in (city, district):
        assert replay_check(node.store, node.registry) == []
    assert located(city, point) == located(district, point) is not None


def test_nobody_speaks_for_another_district(open_node: Open, grid_file: Path) -> None:
    """A forged entry is quarantined at the city, and refused where it is written."""
    from wanmi.registry import Draft
    from wanmi_gis.kinds import GridItem, GridsImported

    district = open_node("210102", "district", "210100")
    item = GridItem("210103001001001", 100, "2026-01-01", None, False, [[0, 0, 9, 0, 9, 9]])
    draft = Draft("grids.imported", "grids:210103001001", GridsImported("grids", "0" * 64, 1, 1, "WGS84", [item]))
    with pytest.raises(BadInput, match="cannot speak for it"):
        district.journal.append(draft).result()
    other = Draft("grids.imported", f"grids:{COMMUNITY}", GridsImported("grids", "0" * 64, 1, 1, "WGS84", [item]))
    with pytest.raises(BadInput, match="belongs to subject"):
        district.journal.append(other).result()


def test_what_the_cutter_writes_the_import_reads(district: GisNode, grid_file: Path) -> None:
    """The locator over the cutter's grids and the node's own answer alike."""
    grids = cut(COMMUNITY, (part((0, 0), [330.0, 380.0, 300.0] * 6, []),), "2026-01-01").grids
    district.take("grids", grid_file)
    direct = Locator(grids)
    for grid in grids:
        lon, lat = grid.rings[0][0]
        assert located(district, Point(lon, lat)) == direct.locate(lon, lat)
