"""Schematic areas: real codes, near their places, with their sizes; no overlap, no gap, always the same."""

from __future__ import annotations

import numpy as np
import pytest

from wanmi.codes import Divisions, load_district_facts
from wanmi.errors import BadInput
from wanmi_gis.cutter import centroid_m, cut
from wanmi_gis.geojson import area_feature
from wanmi_gis.plane import shape_area_m2, to_metres
from wanmi_gis.schematic import AREA_TOLERANCE, CENTRE_TOLERANCE_M, Area, Schematic
from wanmi_gis.shapes import dissolve, shape_area2


@pytest.fixture(scope="module")
def city() -> Schematic:
    return Schematic.shipped()


def union_of(areas: list[Area]) -> tuple:
    return dissolve(rings for area in areas for rings in area.shape)


def test_districts_have_their_sizes_and_places(city: Schematic) -> None:
    facts = {fact.code: fact for fact in load_district_facts()}
    districts = city.districts()
    assert {area.division.code for area in districts} == set(facts)
    for area in districts:
        fact = facts[area.division.code]
        wanted = fact.area_amap_ha * 10_000
        assert abs(shape_area_m2(area.shape) / wanted - 1) < AREA_TOLERANCE, fact.name
        assert area.area_m2 == pytest.approx(shape_area_m2(area.shape), rel=1e-4)
        assert len(area.shape) == 1
        assert len(area.shape[0]) == 1
        measured = to_metres(np.array([[fact.centroid.lon_e7, fact.centroid.lat_e7]]))[0]
        assert float(np.hypot(*(measured - centroid_m(area.shape[0])))) < CENTRE_TOLERANCE_M, fact.name


def test_districts_neither_overlap_nor_leave_gaps(city: Schematic) -> None:
    districts = city.districts()
    union = union_of(districts)
    assert len(union) == 1
    assert len(union[0]) == 1, "a ring within would be a gap or an overlap"
    assert shape_area2(union) == sum(shape_area2(area.shape) for area in districts)


@pytest.mark.parametrize("district", ["210102", "210181"])
def test_streets_and_communities_fill_their_parents(city: Schematic, district: str) -> None:
    divisions = Divisions.load()
    whole = next(area for area in city.districts() if area.division.code == district)
    streets, communities = city.streets(district), city.communities(district)
    named = [one.code for one in divisions.at_level("community", under=district)]
    assert sorted(area.division.code for area in communities) == sorted(named)
    assert union_of(streets) == whole.shape
    for street in streets:
        below = [area for area in communities if area.division.parent == street.division.code]
        assert union_of(below) == street.shape
    assert all(len(area.shape) == 1 for area in communities)
    sizes = sorted(area.area_m2 for area in communities)
    assert sizes[0] > 0.3 * sizes[len(sizes) // 2]


def test_the_same_city_every_time(city: Schematic) -> None:
    again = Schematic.shipped()
    assert again.districts() == city.districts()
    assert again.communities("210103") == city.communities("210103")


def test_another_seed_draws_other_borders(city: Schematic) -> None:
    other = Schematic(load_district_facts(), Divisions.load(), seed=7)
    assert other.districts() != city.districts()


def test_every_output_is_marked(city: Schematic) -> None:
    for area in city.streets("210102"):
        properties = area_feature(area)["properties"]
        assert properties["schematic"] is True
        assert properties["note"] == "示意"


def test_an_unknown_district_is_named(city: Schematic) -> None:
    with pytest.raises(BadInput, match="210199"):
        city.communities("210199")


def test_a_districts_cells_are_the_district_again(city: Schematic) -> None:
    """Communities are cut one by one, yet not a hair is left open or double between them."""
    whole = next(area for area in city.districts() if area.division.code == "210103")
    grids = [
        grid
        for area in city.communities("210103")
        for grid in cut(area.division.code, area.shape, "2026-01-01", on_overflow="grow").grids
    ]
    union = dissolve(grid.rings for grid in grids)
    assert len(union) == 1
    assert len(union[0]) == 1, "a ring within would be a gap or an overlap"
    assert shape_area2(union) == pytest.approx(shape_area2(whole.shape), rel=1e-7)
    assert set(whole.shape[0][0]) <= set(union[0][0])
    assert len({grid.code for grid in grids}) == len(grids) > 5_000
