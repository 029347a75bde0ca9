"""Walks: the positions that a terminal passes, from a GPX track or a receiver's log, moved where they are wanted."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wanmi.coords import E7, Point, distance_m
from wanmi.errors import BadInput
from wanmi_terminal.nmea import Fix, FixFilter, sights

CHUNK = 4096


@dataclass(frozen=True)
class Track:
    """Legs of a walk, each with at least one fix; between legs the walker was not seen."""

    legs: tuple[tuple[Fix, ...], ...]

    @property
    def start(self) -> Point:
        """Where the walk begins."""
        return self.legs[0][0].point


def read_gpx(path: Path) -> Track:
    """The legs of a GPX file. Its times are not used (many are missing or odd), empty segments are passed over."""
    import gpxpy
    from gpxpy.gpx import GPXException

    try:
        parsed = gpxpy.parse(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, GPXException) as error:
        raise BadInput(f"{path}: not a GPX file: {error}") from error
    lines = [[_point(p.longitude, p.latitude) for p in s.points] for track in parsed.tracks for s in track.segments]
    lines += [[_point(p.longitude, p.latitude) for p in route.points] for route in parsed.routes]
    return _track([[Fix(point, None) for point in line if _somewhere(point)] for line in lines], path)


def read_nmea(path: Path) -> Track:
    """The legs of a receiver's log: only fixes that pass the validity layer; a gap in them begins a new leg."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
    check, legs = FixFilter(), [[]]  # type: tuple[FixFilter, list[list[Fix]]]
    now = 0
    for sight in sights(data[at : at + CHUNK] for at in range(0, len(data), CHUNK)):
        now = sight.at if sight.at is not None else now
        if check.doubt(sight, now) is None and sight.fix is not None:
            legs[-1].append(sight.fix)
        elif legs[-1]:
            legs.append([])
    return _track(legs, path)


def shifted(track: Track, to: Point) -> Track:
    """The same walk beginning at ``to``: shape and size on the ground stay, so do satellites and accuracy."""
    start = track.start
    squeeze = math.cos(math.radians(start.lat)) / max(math.cos(math.radians(to.lat)), 0.01)

    def move(fix: Fix) -> Fix:
        lon = to.lon_e7 + round((fix.point.lon_e7 - start.lon_e7) * squeeze)
        return replace(fix, point=Point(lon, to.lat_e7 + fix.point.lat_e7 - start.lat_e7))

    return Track(tuple(tuple(move(fix) for fix in leg) for leg in track.legs))


def walk(track: Track, step_m: float) -> Iterator[Fix]:
    """Positions every ``step_m`` metres along the legs, there and back again, for ever."""
    while True:
        for leg in track.legs:
            yield from _along(leg, step_m)
        for leg in reversed(track.legs):
            yield from _along(leg[::-1], step_m)


def _along(leg: Sequence[Fix], step_m: float) -> Iterator[Fix]:
    """Positions on a leg, its first point included."""
    yield leg[0]
    left = step_m
    for a, b in itertools.pairwise(leg):
        length = distance_m(a.point, b.point)
        at = left
        while at <= length:
            yield replace(a, point=_between(a.point, b.point, at / length))
            at += step_m
        left = at - length


def _between(a: Point, b: Point, share: float) -> Point:
    return Point(a.lon_e7 + round((b.lon_e7 - a.lon_e7) * share), a.lat_e7 + round((b.lat_e7 - a.lat_e7) * share))


def _track(legs: Sequence[Sequence[Fix]], path: Path) -> Track:
    seen = tuple(tuple(leg) for leg in legs if leg)
    if not seen:
        raise BadInput(f"{path}: no usable position in it")
    return Track(seen)


def _point(lon: float, lat: float) -> Point:
    return Point(round(lon * E7), round(lat * E7))


def _somewhere(point: Point) -> bool:
    return (point.lon_e7, point.lat_e7) != (0, 0)
