"""The commands on real node directories: draw, cut, import, locate; in-process, through the ``wanmi`` command tree."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plugins.gis.conftest import collection
from plugins.gis.drawn import part
from wanmi.cli import build_app
from wanmi.errors import WanmiError
from wanmi.node import Node
from wanmi_gis.geojson import geometry

COMMUNITY = "210102001002"


Run = Callable[..., str]


@pytest.fixture
def wanmi(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command; answers what it prints on both streams. Its exit code is checked, its error raised."""

    def run(*words: object, code: int = 0) -> str:
        capsys.readouterr()
        command = build_app(complete=False)
        assert (command(args=[str(word) for word in words], prog_name="wanmi", standalone_mode=False) or 0) == code
        printed = capsys.readouterr()
        return printed.err + printed.out

    return run


@pytest.fixture
def district(tmp_path: Path, wanmi: Run) -> Path:
    where = tmp_path / "d"
    wanmi("init", where, "--role", "district", "--code", "210102", "--plugins", "gis")
    return where


@pytest.fixture
def communities(tmp_path: Path) -> Path:
    """Two communities, one of them too big for 999 cells."""
    small, big = (part((0, 0), [400.0] * 9, []),), (part((5000, 0), [1900.0] * 30, []),)
    features = [
        {"type": "Feature", "properties": {"code": code, "name": "社区"}, "geometry": geometry(shape)}
        for code, shape in ((COMMUNITY, small), ("210102001003", big))
    ]
    path = tmp_path / "communities.geojson"
    path.write_text(collection(features), encoding="utf-8")
    return path


def features_of(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text(encoding="utf-8"))["features"])


def test_cut_then_import_then_locate(wanmi: Run, district: Path, communities: Path, tmp_path: Path) -> None:
    out = tmp_path / "grids.geojson"
    told = wanmi("gis", "cut", communities, out, "--begins", "20260101", "--on-overflow", "grow")
    assert "grown" in told
    assert "200 m x 100 m" in told
    features = features_of(out)
    told = wanmi("import", "grids", out, "--dir", district)
    assert f"{len(features)} rows journaled" in told
    again = json.loads(wanmi("import", "grids", out, "--dir", district, "--json"))
    assert (again["entries"], again["unchanged"], again["refused"]) == (0, len(features), [])
    with Node.open(district) as node:
        lon, lat = features[0]["geometry"]["coordinates"][0][0]
        answer = node.hooks.locate_point(node, round(lon * 1e7), round(lat * 1e7), "WGS84")
    assert answer is not None
    assert answer.grid[:12] == COMMUNITY


def test_a_community_too_big_is_refused_by_name(wanmi: Run, communities: Path, tmp_path: Path) -> None:
    with pytest.raises(WanmiError, match=r"210102001003.*on_overflow=refuse"):
        wanmi("gis", "cut", communities, tmp_path / "no.geojson", "--begins", "2026-01-01")
    assert not (tmp_path / "no.geojson").exists()


def test_refused_rows_are_printed_and_told_by_the_exit_code(wanmi: Run, district: Path, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("code,lon,lat,datum\n2101020102000001,123.4,41.8,WGS84\n", encoding="utf-8")
    told = wanmi("import", "components", path, "--dir", district, code=2)
    assert "row 2: component 2101020102000001" in told
    told = wanmi("import", "components", path, "--dir", district, "--strict", code=1)
    assert "nothing was taken" in told


def test_schematic_files_say_what_they_are(wanmi: Run, district: Path, tmp_path: Path) -> None:
    areas, grids = tmp_path / "areas.geojson", tmp_path / "grids.geojson"
    assert "示意" in wanmi("gis", "schematic", areas, "--level", "community", "--district", "210102")
    tree = json.loads(areas.read_text(encoding="utf-8"))
    assert (tree["datum"], tree["schematic"], tree["note"]) == ("WGS84", True, "示意")
    tree["features"] = tree["features"][:2]
    areas.write_text(json.dumps(tree), encoding="utf-8")
    wanmi("gis", "cut", areas, grids, "--begins", "2026-01-01")
    assert all(f["properties"]["schematic"] and f["properties"]["note"] == "示意" for f in features_of(grids))
    wanmi("import", "divisions", areas, "--dir", district)
    wanmi("import", "grids", grids, "--dir", district)
    assert "0 rows differ" in wanmi("replay", district, "--check")


def test_unknown_words_are_named(wanmi: Run, tmp_path: Path, communities: Path) -> None:
    with pytest.raises(WanmiError, match="planet"):
        wanmi("gis", "schematic", tmp_path / "x.geojson", "--level", "planet")
    with pytest.raises(WanmiError, match="210199"):
        wanmi("gis", "schematic", tmp_path / "x.geojson", "--district", "210199")
    with pytest.raises(WanmiError, match="shrink"):
        wanmi("gis", "cut", communities, tmp_path / "x", "--begins", "2026-01-01", "--on-overflow", "shrink")
