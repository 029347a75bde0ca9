"""Imports through the real journal: good rows become entries once, bad rows are named, history is kept."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

import wanmi_gis
from plugins.gis.conftest import COMMUNITY, NEIGHBOUR, GisNode, Open, collection
from plugins.gis.drawn import part
from support.journals import ship
from wanmi.coords import Point, format_degrees, from_wgs84
from wanmi.entries import MAX_RAW
from wanmi.errors import BadInput, NotAllowed
from wanmi_gis.cutter import cut
from wanmi_gis.geojson import area_feature, geometry, grid_feature, write_features
from wanmi_gis.locate import Locator
from wanmi_gis.schematic import Schematic
from wanmi_gis.tables import ComponentRow, DivisionRow, UnitGridRow


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


# -- grids -----------------------------------------------------------------------------------------------


def test_grids_are_journaled_once(district: GisNode, grid_file: Path) -> None:
    before = district.journal.pos
    result = district.take("grids", grid_file)
    assert (result["taken"], result["refused"], result["unchanged"]) == (True, [], 0)
    assert result["journaled"] == len(features_of(grid_file)) == len(district.rows(UnitGridRow))
    assert district.journal.pos == before + result["entries"]
    entry = district.journal.subject(f"grids:{COMMUNITY}")[0].entry
    assert entry is not None
    assert entry.audience == ("210100",)
    assert entry.body["datum"] == "WGS84"
    assert entry.body["file_sha256"] == result["sha256"]
    again = district.take("grids", grid_file)
    assert (again["journaled"], again["entries"], again["unchanged"]) == (0, 0, result["journaled"])
    assert district.journal.pos == before + result["entries"]


def test_rows_keep_rings_and_the_schematic_mark(district: GisNode, grid_file: Path) -> None:
    district.take("grids", grid_file)
    first, feature = district.rows(UnitGridRow)[0], features_of(grid_file)[0]
    ring = json.loads(first["rings"])[0]
    assert {(ring[n], ring[n + 1]) for n in range(0, len(ring), 2)} == {
        (round(lon * 1e7), round(lat * 1e7)) for lon, lat in feature["geometry"]["coordinates"][0]
    }
    assert (first["schematic"], first["begins"], first["ends"]) == (1, "2026-01-01", None)
    assert first["area_m2"] == feature["properties"]["area_m2"]


def test_many_grids_go_in_chunks_below_the_limit(district: GisNode, tmp_path: Path) -> None:
    grids = cut(COMMUNITY, (part((0, 0), [1400.0] * 20, []),), "2026-01-01").grids
    path = rewrite(tmp_path / "many.geojson", [dict(grid_feature(grid, False)) for grid in grids])
    result = district.take("grids", path)
    entries = [stored.entry for stored in district.journal.subject(f"grids:{COMMUNITY}")]
    assert result["entries"] == len(entries) > 1
    assert [entry.body["chunk"] for entry in entries if entry] == list(range(1, len(entries) + 1))
    assert all(len(stored.raw or b"") < MAX_RAW for stored in district.journal.subject(f"grids:{COMMUNITY}"))
    assert len(district.rows(UnitGridRow)) == len(grids)


def test_what_an_import_left_behind_is_completed(district: GisNode, grid_file: Path, tmp_path: Path) -> None:
    features = features_of(grid_file)
    district.take("grids", rewrite(tmp_path / "half.geojson", features[: len(features) // 2], schematic=True))
    rest = district.take("grids", grid_file)
    assert rest["unchanged"] == len(features) // 2
    assert rest["journaled"] == len(features) - len(features) // 2


def bad_grids(features: list[dict[str, Any]]) -> list[tuple[dict[str, Any], str]]:
    """Rows that must be refused, with what must be said."""
    good = features[0]

    def but(properties: dict[str, Any] | None = None, geometry: Any = None) -> dict[str, Any]:
        return {
            "type": "Feature",
            "properties": {**good["properties"], **(properties or {})},
            "geometry": geometry or good["geometry"],
        }

    ring = good["geometry"]["coordinates"][0]
    bow = {"type": "Polygon", "coordinates": [[ring[0], ring[2], ring[1], ring[3], ring[0]]]}
    return [
        (but({"code": "21010200100200"}), "21010200100200"),
        (but({"code": f"{COMMUNITY}000"}), f"{COMMUNITY}000"),
        (but({"code": "210103001002001"}), "node 210102 takes only its own"),
        (but({"code": "210102999999001"}), "community 210102999999 is not known"),
        (but({"code": f"{COMMUNITY}901", "community": NEIGHBOUR}), "mend one"),
        (but({"code": f"{COMMUNITY}902", "begins": "yesterday"}), "not a date"),
        (but({"code": f"{COMMUNITY}903", "ends": "2025-12-31"}), "before it begins"),
        (but({"code": f"{COMMUNITY}904"}, {"type": "Point", "coordinates": ring[0]}), "Polygon"),
        (but({"code": f"{COMMUNITY}905"}, {"type": "Polygon", "coordinates": [ring[:-1]]}), "not closed"),
        (but({"code": f"{COMMUNITY}906"}, bow), "not simple"),
        (
            but(
                {"code": f"{COMMUNITY}907"}, {"type": "Polygon", "coordinates": [[["x", 1], [2, 3], [3, 3], ["x", 1]]]}
            ),
            "x",
        ),
        (but({"code": f"{COMMUNITY}908"}, {"type": "Polygon", "coordinates": 5}), "nested lists"),
        (but({"code": f"{COMMUNITY}909"}), f"overlaps grid {good['properties']['code']}"),
        (but(), "stands twice"),
        ({"type": "Feature", "properties": None, "geometry": None}, "''"),
    ]


def test_bad_rows_are_named_and_the_good_ones_go_on(district: GisNode, grid_file: Path, tmp_path: Path) -> None:
    features = features_of(grid_file)
    bad = bad_grids(features)
    path = rewrite(tmp_path / "mixed.geojson", features + [row for row, _ in bad], schematic=True)
    result = district.take("grids", path)
    assert result["journaled"] == len(features)
    assert [one["row"] for one in result["refused"]] == [len(features) + n + 1 for n in range(len(bad))]
    for one, (_, said) in zip(result["refused"], bad, strict=True):
        assert said in one["reason"]


def test_strict_takes_nothing_of_a_file_with_a_bad_row(district: GisNode, grid_file: Path, tmp_path: Path) -> None:
    features = features_of(grid_file)
    path = rewrite(tmp_path / "mixed.geojson", [*features, bad_grids(features)[0][0]])
    before = district.journal.pos
    result = district.take("grids", path, strict=True)
    assert (result["taken"], result["entries"], len(result["refused"])) == (False, 0, 1)
    assert district.journal.pos == before


def test_a_code_never_gets_another_border(district: GisNode, grid_file: Path, tmp_path: Path) -> None:
    district.take("grids", grid_file)
    one, other = features_of(grid_file)[:2]
    swapped = {**one, "geometry": other["geometry"]}
    result = district.take("grids", rewrite(tmp_path / "changed.geojson", [swapped], schematic=True))
    assert result["entries"] == 0
    assert "codes are not used again" in result["refused"][0]["reason"]


def test_a_changed_grid_ends_and_its_successor_has_a_new_number(
    district: GisNode, grid_file: Path, tmp_path: Path
) -> None:
    district.take("grids", grid_file)
    old = features_of(grid_file)[3]
    code = old["properties"]["code"]
    ended = {**old, "properties": {**old["properties"], "ends": "2026-06-01"}}
    fresh = {**old, "properties": {**old["properties"], "code": f"{COMMUNITY}777", "begins": "2026-06-01"}}
    point = middle_of(old)
    assert located(district, point) == code
    result = district.take("grids", rewrite(tmp_path / "change.geojson", [ended, fresh], schematic=True))
    assert (result["journaled"], result["refused"]) == (2, [])
    rows = {row["code"]: row for row in district.rows(UnitGridRow)}
    assert rows[code]["ends"] == "2026-06-01"
    assert rows[code]["rings"] == rows[f"{COMMUNITY}777"]["rings"]
    assert located(district, point) == f"{COMMUNITY}777"
    back = district.take("grids", rewrite(tmp_path / "back.geojson", [old], schematic=True))
    assert "ended on 2026-06-01" in back["refused"][0]["reason"]


# -- the hook --------------------------------------------------------------------------------------------


def located(node: GisNode, point: Point, datum: str = "WGS84") -> str | None:
    answer = wanmi_gis.locate_point(node, point.lon_e7, point.lat_e7, datum)  # type: ignore[arg-type]
    return None if answer is None else answer.grid


def test_locate_point_follows_the_grids(district: GisNode, grid_file: Path) -> None:
    feature = features_of(grid_file)[7]
    point = middle_of(feature)
    assert located(district, point) is None, "no grids yet"
    district.take("grids", grid_file)
    assert located(district, point) == feature["properties"]["code"]
    gcj = from_wgs84(point, "GCJ02")
    assert located(district, gcj, "GCJ02") == feature["properties"]["code"]
    assert located(district, Point(1, 1)) is None


def test_locate_point_names_the_entry_that_brought_the_grid(district: GisNode, grid_file: Path) -> None:
    district.take("grids", grid_file)
    point = middle_of(features_of(grid_file)[7])
    answer = wanmi_gis.locate_point(district, point.lon_e7, point.lat_e7, "WGS84")  # type: ignore[arg-type]
    assert answer is not None
    origin, seq = answer.version.split(":")
    entry = district.journal.entry(origin, int(seq))
    assert entry is not None
    assert entry.entry is not None
    assert answer.grid in {row["code"] for row in entry.entry.body["rows"]}


# -- datum -----------------------------------------------------------------------------------------------


def test_a_file_must_state_its_datum(district: GisNode, grid_file: Path, tmp_path: Path) -> None:
    silent = json.loads(grid_file.read_text(encoding="utf-8"))
    del silent["datum"]
    path = tmp_path / "silent.geojson"
    path.write_text(json.dumps(silent), encoding="utf-8")
    with pytest.raises(BadInput, match="states no datum"):
        district.take("grids", path)
    assert district.take("grids", path, datum="wgs-84")["refused"] == []
    with pytest.raises(BadInput, match="two datums"):
        district.take("grids", grid_file, datum="GCJ02")


@pytest.mark.parametrize("datum", ["GCJ02", "BD09", "CGCS2000"])
def test_grids_in_another_datum_are_turned(district: GisNode, grid_file: Path, tmp_path: Path, datum: Any) -> None:
    feature = features_of(grid_file)[5]
    inside = middle_of(feature)
    turned = [
        from_wgs84(Point(round(lon * 1e7), round(lat * 1e7)), datum)
        for lon, lat in feature["geometry"]["coordinates"][0]
    ]
    moved = {**feature, "geometry": {"type": "Polygon", "coordinates": [[[p.lon, p.lat] for p in turned]]}}
    result = district.take("grids", rewrite(tmp_path / "turned.geojson", [moved], datum=datum))
    assert result["refused"] == []
    assert located(district, inside) == feature["properties"]["code"]


def test_a_crs_member_is_a_datum(district: GisNode, grid_file: Path, tmp_path: Path) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    path = rewrite(tmp_path / "crs.geojson", features_of(grid_file), crs=crs)
    assert district.take("grids", path)["datum"] == "WGS84"
    crs["properties"]["name"] = "EPSG:3857"  # type: ignore[index]
    with pytest.raises(BadInput, match="3857"):
        district.take("grids", rewrite(path, [], crs=crs))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.geojson", "{", "JSON"),
        ("a.geojson", '{"type":"FeatureCollection"}', "features"),
        ("a.json", "[]", "features"),
        ("a.geojson", '{"features":[],"datum":"Mars"}', "Mars"),
        ("a.csv", 'code,datum\n"x,WGS84', "CSV"),
        ("a.csv", "code,datum\n1,WGS84\n2,BD09", "two datums"),
        ("a.csv", b"code\n\xff\xfe", "UTF-8"),
        ("none.csv", None, "cannot be read"),
    ],
)
def test_unusable_files_are_told_apart(district: GisNode, tmp_path: Path, name: str, text: Any, said: str) -> None:
    if text is not None:
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadInput, match=said):
        district.take("grids", tmp_path / name)


def test_grids_from_a_csv_with_wkt(district: GisNode, grid_file: Path, tmp_path: Path) -> None:
    def wkt(feature: dict[str, Any]) -> str:
        ring = ", ".join(f"{lon:.7f} {lat:.7f}" for lon, lat in feature["geometry"]["coordinates"][0])
        return f"POLYGON (({ring}))"

    features = features_of(grid_file)[:10]
    rows = [{"code": f["properties"]["code"], "begins": "2026-01-01", "geometry": wkt(f)} for f in features]
    rows.append({"code": f"{COMMUNITY}500", "begins": "2026-01-01", "geometry": "POLYGON oops"})
    result = district.take("grids", table_file(tmp_path / "grids.csv", rows), datum="WGS84")
    assert result["journaled"] == 10
    assert [(bad["row"], "WKT" in bad["reason"]) for bad in result["refused"]] == [(12, True)]


# -- who may -----------------------------------------------------------------------------------------------


def test_base_data_has_owners(district: GisNode, city: GisNode, grid_file: Path) -> None:
    with pytest.raises(NotAllowed, match="import them at node 210100"):
        district.take("divisions", grid_file)
    with pytest.raises(NotAllowed, match="belong to a district"):
        city.take("grids", grid_file)
    with pytest.raises(BadInput, match="divisions, grids, components"):
        city.take("cases", grid_file)


# -- divisions -------------------------------------------------------------------------------------------


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


# -- components ------------------------------------------------------------------------------------------


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


# -- at the city -----------------------------------------------------------------------------------------


def test_the_city_gets_the_same_rows(open_node: Open, grid_file: Path, tmp_path: Path) -> None:
    district, city = open_node("210102", "district", "210100"), open_node("210100", "city")
    district.take("grids", grid_file)
    point = middle_of(features_of(grid_file)[2])
    rows = [component("2101020102000001", point, datum="WGS84")]
    district.take("components", table_file(tmp_path / "c.csv", rows))
    ship(district.bench, city.bench, "210102")
    for row in (UnitGridRow, ComponentRow):
        assert city.rows(row) == district.rows(row) != []
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
