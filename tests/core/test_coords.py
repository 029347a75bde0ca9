"""Points and datums: exact texts, published sample points, the shift that Shenyang sees, there and back again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanmi.coords import (
    DATUMS,
    E7,
    Datum,
    Point,
    distance_m,
    format_degrees,
    from_wgs84,
    parse_datum,
    parse_degrees,
    to_wgs84,
)
from wanmi.errors import BadInput

SHIFTED: tuple[Datum, ...] = ("GCJ02", "BD09")
CITY = Point.parse("123.4315", "41.8057")

shenyang = st.builds(Point, st.integers(122_4000000, 123_9000000), st.integers(41_1000000, 43_1000000))
china = st.builds(Point, st.integers(74_0000000, 135_0000000), st.integers(18_0000000, 53_5000000))
anywhere = st.builds(Point, st.integers(-180 * E7, 180 * E7), st.integers(-90 * E7, 90 * E7))


# Published sample points (latitude, longitude): github.com/googollee/eviltransform, test of its Python version.
@pytest.mark.parametrize(
    ("wgs", "gcj"),
    [
        (("31.1774276", "121.5272106"), ("31.17530398364597", "121.531541859215")),
        (("22.543847", "113.912316"), ("22.540796131694766", "113.9171764808363")),
        (("39.911954", "116.377817"), ("39.91334545536069", "116.38404722455657")),
        (("39.915", "116.404"), ("39.91640428150164", "116.41024449916938")),
    ],
)
def test_gcj02_agrees_with_published_points(wgs: tuple[str, str], gcj: tuple[str, str]) -> None:
    assert from_wgs84(Point.parse(wgs[1], wgs[0]), "GCJ02") == Point.parse(gcj[1], gcj[0])


def test_bd09_agrees_with_published_point() -> None:
    """The readme of github.com/wandergis/coordtransform: GCJ-02 116.404, 39.915 is this in BD-09."""
    gcj, bd = Point.parse("116.404", "39.915"), Point.parse("116.41036949371029", "39.92133699351022")
    there = from_wgs84(to_wgs84(gcj, "GCJ02"), "BD09")
    assert abs(there.lon_e7 - bd.lon_e7) <= 1
    assert abs(there.lat_e7 - bd.lat_e7) <= 1


def test_shift_in_shenyang_is_about_509_m_east_and_270_m_north() -> None:
    moved = from_wgs84(CITY, "GCJ02")
    east = distance_m(CITY, Point(moved.lon_e7, CITY.lat_e7))
    north = distance_m(CITY, Point(CITY.lon_e7, moved.lat_e7))
    assert moved.lon_e7 > CITY.lon_e7
    assert moved.lat_e7 > CITY.lat_e7
    assert east == pytest.approx(509, abs=2)
    assert north == pytest.approx(270, abs=2)


@given(china, st.sampled_from(DATUMS))
def test_there_and_back_is_within_2e7(point: Point, datum: Datum) -> None:
    back = to_wgs84(from_wgs84(point, datum), datum)
    assert abs(back.lon_e7 - point.lon_e7) <= 2
    assert abs(back.lat_e7 - point.lat_e7) <= 2


@given(china, st.sampled_from(DATUMS))
def test_back_and_there_is_within_2e7(point: Point, datum: Datum) -> None:
    there = from_wgs84(to_wgs84(point, datum), datum)
    assert abs(there.lon_e7 - point.lon_e7) <= 2
    assert abs(there.lat_e7 - point.lat_e7) <= 2


@given(shenyang)
def test_mixing_up_datums_moves_a_point_by_half_a_kilometre(point: Point) -> None:
    assert 450 < distance_m(point, from_wgs84(point, "GCJ02")) < 750
    assert 800 < distance_m(point, from_wgs84(point, "BD09")) < 1800


@given(anywhere)
def test_cgcs2000_and_wgs84_are_one_at_this_precision(point: Point) -> None:
    assert to_wgs84(point, "CGCS2000") == point == from_wgs84(point, "CGCS2000") == to_wgs84(point, "WGS84")


@pytest.mark.parametrize("datum", SHIFTED)
@pytest.mark.parametrize(("lon", "lat"), [("0", "0"), ("-73.9857", "40.7484"), ("151.2153", "-33.8568")])
def test_nothing_moves_outside_the_rectangle(datum: Datum, lon: str, lat: str) -> None:
    point = Point.parse(lon, lat)
    assert from_wgs84(point, datum) == point == to_wgs84(point, datum)


def test_distance_of_known_lengths() -> None:
    """One degree of a meridian on the mean sphere is 111,195.08 m; on the parallel it shrinks with the cosine."""
    assert distance_m(Point(0, 0), Point(0, E7)) == pytest.approx(111_195.08, abs=0.01)
    assert distance_m(Point(0, 60 * E7), Point(E7, 60 * E7)) == pytest.approx(111_195.08 / 2, rel=1e-4)
    assert distance_m(Point(-180 * E7, 0), Point(180 * E7, 0)) == pytest.approx(0, abs=1e-6)


@given(anywhere, anywhere)
def test_distance_is_symmetric_and_never_beyond_half_the_globe(a: Point, b: Point) -> None:
    assert distance_m(a, b) == pytest.approx(distance_m(b, a))
    assert 0 <= distance_m(a, b) < 20_015_200
    assert distance_m(a, a) == 0


@given(st.integers(-180 * E7, 180 * E7))
def test_degrees_roundtrip(e7: int) -> None:
    assert parse_degrees(format_degrees(e7)) == e7


@pytest.mark.parametrize(
    ("text", "e7"),
    [
        ("123.4293041", 1_234_293_041),
        ("-0.0000001", -1),
        ("+41", 410_000_000),
        ("041.5", 415_000_000),
        ("0.00000005", 0),
        ("0.00000015", 2),
        ("179.99999999", 1_800_000_000),
    ],
)
def test_degrees_are_read_exactly(text: str, e7: int) -> None:
    assert parse_degrees(text) == e7


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 41",
        "41 ",
        "41\n",
        "nan",
        "inf",
        "1e2",
        "41,8",
        "41.",
        ".5",
        "４１.8",
        "٤١",
        "0x10",
        "1_0",
        "180.0000001",
        "999",
        "41°48'",
    ],
)
def test_degrees_near_misses_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="coordinate"):
        parse_degrees(text)


def test_swapped_longitude_and_latitude_are_told() -> None:
    with pytest.raises(BadInput, match="swapped"):
        Point.parse("41.8", "123.4")


def test_point_is_written_as_longitude_and_latitude() -> None:
    assert str(Point(1_234_315_000, -5)) == "123.4315000,-0.0000005"
    assert (CITY.lon, CITY.lat) == (123.4315, 41.8057)


@pytest.mark.parametrize(("text", "datum"), [("gcj-02", "GCJ02"), ("WGS 84", "WGS84"), ("bd_09", "BD09")])
def test_datum_names_are_taken_as_people_write_them(text: str, datum: Datum) -> None:
    assert parse_datum(text) == datum


def test_unknown_datum_is_told_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match=r"Beijing54.*WGS84, GCJ02, BD09, CGCS2000"):
        parse_datum("Beijing54")
