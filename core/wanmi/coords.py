"""Points and the datums they are given in: WGS-84, GCJ-02, BD-09, CGCS2000.

A coordinate is an int of 1e-7 degree (about 1 cm). Receivers give WGS-84; Chinese map data comes in GCJ-02 or BD-09, in
Shenyang some 500 m off, so every point from outside carries its datum and is turned to WGS-84 once, at the border.

Source of the formulas: the public reconstructions of the offsets, GCJ-02 after github.com/googollee/eviltransform and
BD-09 after github.com/wandergis/coordtransform (the former's BD-09 leaves out a factor and is up to 40 m off); their
published sample points are in the tests. Outside the rectangle around China (72.004-137.8347 E, 0.8293-55.8271 N)
nothing is moved.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from math import asin, atan2, cos, hypot, pi, radians, sin, sqrt
from typing import Final, Literal, get_args

from wanmi.errors import BadInput

__all__ = [
    "DATUMS",
    "E7",
    "Datum",
    "Point",
    "distance_m",
    "format_degrees",
    "from_wgs84",
    "parse_datum",
    "parse_degrees",
    "to_wgs84",
]

Datum = Literal["WGS84", "GCJ02", "BD09", "CGCS2000"]
DATUMS: Final[tuple[Datum, ...]] = get_args(Datum)
E7: Final = 10_000_000
"""Units of a coordinate in one degree."""

_DEGREES = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{1,20})?")
_KRASOVSKY_A = 6378245.0
_KRASOVSKY_EE = 0.00669342162296594323
_BD_TURN = pi * 3000.0 / 180.0
_MEAN_RADIUS_M = 6371008.8
_CLOSE_ENOUGH = 1e-10  # degree: far below the 1e-7 that is kept
_MOST_ROUNDS = 30

_Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Point:
    """A place: longitude and latitude in 1e-7 degree (int). The datum is WGS-84 unless the name says otherwise."""

    lon_e7: int
    lat_e7: int

    @classmethod
    def parse(cls, lon: str, lat: str) -> Point:
        """The point of two texts in decimal degrees; raises BadInput as parse_degrees, and for a latitude beyond 90."""
        lat_e7 = parse_degrees(lat)
        if abs(lat_e7) > 90 * E7:
            raise BadInput(f"latitude {lat!r}: outside -90..90; perhaps longitude and latitude are swapped")
        return cls(parse_degrees(lon), lat_e7)

    @property
    def lon(self) -> float:
        """Longitude in degrees, for geometry; never for entries."""
        return self.lon_e7 / E7

    @property
    def lat(self) -> float:
        """Latitude in degrees, for geometry; never for entries."""
        return self.lat_e7 / E7

    def __str__(self) -> str:
        return f"{format_degrees(self.lon_e7)},{format_degrees(self.lat_e7)}"


def parse_degrees(text: str) -> int:
    """Decimal degrees such as `123.4293041` to 1e-7 degree, exactly (half to even past the seventh place).

    Raises BadInput for anything else: blanks, exponents, degrees-minutes, non-ASCII digits, or beyond -180..180.
    """
    if not _DEGREES.fullmatch(text):
        raise BadInput(f"coordinate {text!r}: not decimal degrees; write it like 123.4293041")
    e7 = int((Decimal(text) * E7).to_integral_value(ROUND_HALF_EVEN))
    if abs(e7) > 180 * E7:
        raise BadInput(f"coordinate {text!r}: outside -180..180 degrees")
    return e7


def format_degrees(e7: int) -> str:
    """1e-7 degrees as decimal degrees with seven places; parse_degrees gives the same int back."""
    whole, rest = divmod(abs(e7), E7)
    return f"{'-' if e7 < 0 else ''}{whole}.{rest:07d}"


def parse_datum(text: str) -> Datum:
    """The datum of that name (any case, `-`, `_` and blanks ignored); raises BadInput for an unknown one."""
    name = re.sub(r"[-_ ]", "", text).upper()
    if name not in DATUMS:
        raise BadInput(f"datum {text!r}: unknown; one of {', '.join(DATUMS)}")
    return name


def to_wgs84(point: Point, datum: Datum) -> Point:
    """The point in WGS-84, given in `datum`. The inverse is found by iteration, to within 2e-7 degree.

    CGCS2000 differs from WGS-84 by centimetres at most and is taken as equal.
    """
    if datum in ("WGS84", "CGCS2000") or not _near_china(point.lon, point.lat):
        return point
    pair = (point.lon, point.lat)
    if datum == "BD09":
        pair = _solve(_gcj_to_bd, pair)
    return _rounded(_solve(_wgs_to_gcj, pair))


def from_wgs84(point: Point, datum: Datum) -> Point:
    """The WGS-84 point turned to `datum`, for handing out to maps that need it."""
    if datum in ("WGS84", "CGCS2000") or not _near_china(point.lon, point.lat):
        return point
    pair = _wgs_to_gcj((point.lon, point.lat))
    return _rounded(_gcj_to_bd(pair) if datum == "BD09" else pair)


def distance_m(a: Point, b: Point) -> float:
    """Metres along the great circle between two points of one datum (haversine, mean radius 6371008.8 m of the IUGG).

    Within 0.5 % of the ellipsoid's distance.
    """
    lat_a, lat_b = radians(a.lat), radians(b.lat)
    half_lat = sin((lat_b - lat_a) / 2)
    half_lon = sin(radians(b.lon - a.lon) / 2)
    chord = half_lat * half_lat + cos(lat_a) * cos(lat_b) * half_lon * half_lon
    return 2 * _MEAN_RADIUS_M * asin(sqrt(min(1.0, chord)))


def _near_china(lon: float, lat: float) -> bool:
    return 72.004 <= lon <= 137.8347 and 0.8293 <= lat <= 55.8271


def _rounded(pair: _Pair) -> Point:
    return Point(round(pair[0] * E7), round(pair[1] * E7))


def _wgs_to_gcj(pair: _Pair) -> _Pair:
    lon, lat = pair
    east, north = _gcj_shift_m(lon - 105.0, lat - 35.0)
    squash = 1 - _KRASOVSKY_EE * sin(radians(lat)) ** 2
    meridian = _KRASOVSKY_A * (1 - _KRASOVSKY_EE) / (squash * sqrt(squash))
    parallel = _KRASOVSKY_A / sqrt(squash) * cos(radians(lat))
    return lon + east * 180.0 / (parallel * pi), lat + north * 180.0 / (meridian * pi)


def _gcj_shift_m(x: float, y: float) -> _Pair:
    """The offset in metres (east, north) at x, y degrees from 105 E, 35 N."""
    ripple = 20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)
    waves_east = ripple + 20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)
    waves_east += 150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)
    waves_north = ripple + 20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)
    waves_north += 160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y / 30.0 * pi)
    root = sqrt(abs(x))
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + waves_east * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + waves_north * 2.0 / 3.0
    return east, north


def _gcj_to_bd(pair: _Pair) -> _Pair:
    lon, lat = pair
    reach = hypot(lon, lat) + 0.00002 * sin(lat * _BD_TURN)
    angle = atan2(lat, lon) + 0.000003 * cos(lon * _BD_TURN)
    return reach * cos(angle) + 0.0065, reach * sin(angle) + 0.006


def _solve(forward: Callable[[_Pair], _Pair], target: _Pair) -> _Pair:
    """The pair that `forward` turns into `target`: guess, see how far off, correct (a contraction, 4-6 rounds)."""
    lon, lat = target
    for _ in range(_MOST_ROUNDS):
        there = forward((lon, lat))
        off_lon, off_lat = target[0] - there[0], target[1] - there[1]
        lon, lat = lon + off_lon, lat + off_lat
        if abs(off_lon) < _CLOSE_ENOUGH and abs(off_lat) < _CLOSE_ENOUGH:
            break
    return lon, lat
