"""The index of near cases against looking at every case."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wanmi.coords import Point, distance_m
from wanmi_casework.near import NearIndex, Place

HOUR = 3_600_000_000
LON, LAT = 1_234_330_000, 417_900_000

places = st.builds(
    Place,
    number=st.integers(0, 10**6).map(str),
    kind=st.sampled_from(["component", "event"]),
    category=st.sampled_from(["0101", "0102"]),
    lon_e7=st.integers(LON - 20_000, LON + 20_000),
    lat_e7=st.integers(LAT - 20_000, LAT + 20_000),
    reported_at=st.integers(0, 48 * HOUR),
)
several = st.lists(places, max_size=40, unique_by=lambda place: place.number)


def by_looking(all_: list[Place], asked: Place, metres: int, within: int) -> set[str]:
    here = Point(asked.lon_e7, asked.lat_e7)
    return {
        one.number
        for one in all_
        if (one.kind, one.category) == (asked.kind, asked.category)
        and one.number != asked.number
        and abs(one.reported_at - asked.reported_at) <= within
        and distance_m(here, Point(one.lon_e7, one.lat_e7)) <= metres
    }


@given(several, places, st.integers(1, 50))
def test_the_index_finds_what_looking_finds(all_: list[Place], asked: Place, metres: int) -> None:
    index = NearIndex()
    for one in all_:
        index.add(one)
    found = index.near(asked, metres, 24 * HOUR, 100)
    assert set(found) == by_looking(all_, asked, metres, 24 * HOUR)
    assert len(found) == len(set(found))


@given(several, places, st.integers(1, 5))
def test_the_newest_come_first_and_no_more_than_asked(all_: list[Place], asked: Place, limit: int) -> None:
    index = NearIndex()
    for one in all_:
        index.add(one)
    times = {one.number: one.reported_at for one in all_}
    some, many = index.near(asked, 50, 24 * HOUR, limit), index.near(asked, 50, 24 * HOUR, 100)
    assert some == many[:limit]
    assert [times[number] for number in many] == sorted((times[number] for number in many), reverse=True)


@given(several)
def test_it_forgets_the_first_beyond_its_bound(all_: list[Place]) -> None:
    index = NearIndex(limit=10)
    for one in all_:
        index.add(one)
    assert len(index) == min(10, len(all_))
    kept = all_[-10:]
    for one in all_:
        asked = Place("?", one.kind, one.category, one.lon_e7, one.lat_e7, one.reported_at)
        assert (one.number in index.near(asked, 50, 0, 1000)) == (one in kept)


def test_cells_are_wide_enough_in_the_far_north() -> None:
    index = NearIndex()
    mohe = Place("1", "event", "0102", 1_225_000_000, 534_800_000, 0)
    index.add(mohe)
    east = Place("2", "event", "0102", 1_225_000_000 + 7_400, 534_800_000, 0)
    assert distance_m(Point(mohe.lon_e7, mohe.lat_e7), Point(east.lon_e7, east.lat_e7)) <= 50
    assert index.near(east, 50, 0, 10) == ["1"]
