"""Unit grids through the real journal: good rows once, bad rows named, codes never used again, points located."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import wanmi_gis
from plugins.gis.conftest import COMMUNITY, NEIGHBOUR, GisNode
from plugins.gis.drawn import part
from plugins.gis.files import features_of, located, middle_of, rewrite, table_file
from wanmi.coords import Point, from_wgs84
from wanmi.entries import MAX_RAW
from wanmi.errors import BadInput
from wanmi.plugins import HookCaller, Plugin, Watch
from wanmi_gis.cutter import cut
from wanmi_gis.geojson import grid_feature
from wanmi_gis.tables import UnitGridRow


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


def test_locate_point_follows_the_grids(district: GisNode, grid_file: Path) -> None:
    feature = features_of(grid_file)[7]
    point = middle_of(feature)
    assert located(district, point) is None, "no grids yet"
    district.take("grids", grid_file)
    assert located(district, point) == feature["properties"]["code"]
    gcj = from_wgs84(point, "GCJ02")
    assert located(district, gcj, "GCJ02") == feature["properties"]["code"]
    assert located(district, Point(1, 1)) is None


def test_hook_locate_point_is_asked_by_name(district: GisNode, grid_file: Path) -> None:
    district.take("grids", grid_file)
    feature = features_of(grid_file)[1]
    point = middle_of(feature)
    hooks = HookCaller([Plugin("gis", "0", wanmi_gis)], Watch(district.clock), district.clock, 5.0)
    answer = hooks.locate_point(district, point.lon_e7, point.lat_e7, "WGS84")  # type: ignore[arg-type]
    assert answer is not None
    assert answer.grid == feature["properties"]["code"]
    assert hooks.locate_point(district, 1, 1, "WGS84") is None  # type: ignore[arg-type]
    assert hooks.faults() == []


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
