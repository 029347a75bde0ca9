"""A point that stands for an area lies in it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

import wanmi_gis
from plugins.gis.conftest import COMMUNITY, GisNode
from wanmi_gis.area_points import inside, point_in_area
from wanmi_gis.index import read_index
from wanmi_gis.shapes import covers
from wanmi_gis.tables import UnitGridRow


def test_the_point_of_a_grid_lies_in_that_grid(district: GisNode, grid_file: Path) -> None:
    district.take("grids", grid_file)
    index = read_index(district.store)
    codes = [row["code"] for row in district.rows(UnitGridRow)]
    assert len(codes) > 20
    for code in codes:
        point = point_in_area(district.store, code)
        assert point is not None
        located = index.located(point.lon_e7, point.lat_e7, "WGS84")
        assert located is not None
        assert located.grid == code


def test_the_point_of_a_community_lies_in_one_of_its_grids(district: GisNode, grid_file: Path) -> None:
    district.take("grids", grid_file)
    point = wanmi_gis.point_in_area(SimpleNamespace(store=district.store), COMMUNITY)  # type: ignore[arg-type]
    assert point is not None
    located = read_index(district.store).located(point.lon_e7, point.lat_e7, "WGS84")
    assert located is not None
    assert located.grid.startswith(COMMUNITY)


def test_an_unknown_area_has_none(district: GisNode) -> None:
    assert point_in_area(district.store, COMMUNITY) is None
    assert point_in_area(district.store, f"{COMMUNITY}001") is None


@given(st.integers(2, 10_000), st.integers(1, 5_000))
def test_also_where_the_middle_of_the_corners_is_outside(arm: int, thick: int) -> None:
    size = arm + 2 * thick
    hook = ((0, 0), (size, 0), (size, thick), (thick, thick), (thick, size), (0, size))
    point = inside((hook,))
    assert covers((hook,), (point.lon_e7, point.lat_e7))
