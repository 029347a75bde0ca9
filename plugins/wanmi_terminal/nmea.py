"""From a receiver's bytes to fixes that can be trusted: framer, sentences, validity.

pynmea2 reads one clean sentence; receivers give noise, half lines, binary blocks and positions of (0, 0) while
they search. The framer finds sentences anywhere in the bytes, the validity layer says why a fix is not one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any, Literal

from wanmi.clock import SECOND
from wanmi.coords import E7, Point, distance_m

LONGEST = 120
"""Bytes of the longest sentence: the standard says 82, some receivers write more."""
METRES_A_HDOP = 3
"""Rough horizontal error of a civil receiver at HDOP 1, in metres."""
GGA_AGE = 2
"""Seconds for which a GGA's satellites and HDOP are good; many receivers write it after the RMC."""
DAY = 86_400

Doubt = Literal["no_fix", "null_island", "stale", "jump", "future"]


@dataclass(frozen=True)
class Fix:
    """A position from a receiver (WGS-84); ``at`` µs UTC by the receiver, None where it gave no date."""

    point: Point
    at: int | None
    satellites: int | None = None
    accuracy_cm: int | None = None


@dataclass(frozen=True)
class Sight:
    """What one position sentence said: a fix, or None while the receiver searches."""

    fix: Fix | None
    at: int | None


class Framer:
    """Cuts a stream of bytes into sentences; begins anew at every ``$`` or ``!``, also inside a line."""

    def __init__(self) -> None:
        self._buffer: bytearray | None = None
        self.dropped = 0
        """Bytes that belonged to no sentence."""

    def feed(self, data: bytes) -> list[str]:
        """The sentences that end in ``data``, without their line ends."""
        sentences = []
        for byte in data:
            if byte in b"$!":
                self._drop()
                self._buffer = bytearray((byte,))
            elif self._buffer is None:
                self.dropped += 1
            elif byte in b"\r\n":
                sentences.append(self._buffer.decode("ascii"))
                self._buffer = None
            elif 0x20 <= byte < 0x7F and len(self._buffer) < LONGEST:
                self._buffer.append(byte)
            else:
                self._drop()
                self.dropped += 1
        return sentences

    def _drop(self) -> None:
        if self._buffer is not None:
            self.dropped += len(self._buffer)
            self._buffer = None


class Reader:
    """Turns sentences into sights: position and validity from RMC, satellites and HDOP from the GGA beside it."""

    def __init__(self) -> None:
        self._gga: Any = None
        self.refused = 0
        """Sentences that were damaged or of a kind that pynmea2 does not know."""

    def read(self, sentence: str) -> Sight | None:
        """The sight in a sentence; None for sentences that carry no position."""
        from pynmea2 import ParseError, parse

        try:
            message = parse(sentence, check=True)
        except ParseError:
            self.refused += 1
            return None
        kind = getattr(message, "sentence_type", "")
        if kind == "GGA":
            self._gga = message
        return self._sight(message) if kind == "RMC" else None

    def _sight(self, rmc: Any) -> Sight:
        at = _time_of(rmc)
        gga, age = self._gga, _apart(self._gga, rmc)
        point = _point_of(rmc) if rmc.status == "A" else None
        if point is None or (age == 0 and not gga.gps_qual):
            return Sight(None, at)
        gga = gga if age <= GGA_AGE else None
        satellites = _number(gga.num_sats) if gga is not None else None
        hdop = _number(gga.horizontal_dil, 100 * METRES_A_HDOP) if gga is not None else None
        return Sight(Fix(point, at, satellites, hdop), at)


@dataclass
class FixFilter:
    """Says why a sight is not a usable fix; remembers the last good one.

    ``fastest`` metres a second between fixes (a collector rides a car at most), ``stale_us`` how old a fix may be,
    ``ahead_us`` how far a receiver may be ahead of ``now``.
    """

    fastest: int = 60
    stale_us: int = 30 * SECOND
    ahead_us: int = 300 * SECOND
    last: Fix | None = None

    def doubt(self, sight: Sight, now: int) -> Doubt | None:
        """Why the sight cannot be used, or None; ``now`` is µs UTC by the same clock as the fixes, or truer."""
        fix = sight.fix
        if fix is None:
            return "no_fix"
        if fix.point.lon_e7 == 0 and fix.point.lat_e7 == 0:
            return "null_island"
        if fix.at is not None and fix.at > now + self.ahead_us:
            return "future"
        if fix.at is not None and fix.at < now - self.stale_us:
            return "stale"
        if self._jumps(fix):
            self.last = fix
            return "jump"
        self.last = fix
        return None

    def _jumps(self, fix: Fix) -> bool:
        if self.last is None or self.last.at is None or fix.at is None:
            return False
        seconds = max(abs(fix.at - self.last.at) / SECOND, 1.0)
        return distance_m(self.last.point, fix.point) > self.fastest * seconds


def sights(chunks: Iterable[bytes]) -> Iterator[Sight]:
    """Every sight in a stream of bytes."""
    framer, reader = Framer(), Reader()
    for chunk in chunks:
        for sentence in framer.feed(chunk):
            sight = reader.read(sentence)
            if sight is not None:
                yield sight


def _time_of(rmc: Any) -> int | None:
    day, clock = rmc.datestamp, rmc.timestamp
    if not hasattr(day, "year") or not isinstance(clock, time):
        return None
    moment = datetime.combine(day, clock.replace(tzinfo=UTC))
    return int(moment.timestamp()) * SECOND + moment.microsecond


def _apart(gga: Any, rmc: Any) -> int:
    """Seconds between the two sentences' times of day; a day where one has none."""
    times = [getattr(sentence, "timestamp", None) for sentence in (gga, rmc)]
    if not all(isinstance(moment, time) for moment in times):
        return DAY
    a, b = (moment.hour * 3600 + moment.minute * 60 + moment.second for moment in times if moment is not None)
    return int(min(abs(a - b), DAY - abs(a - b)))


def _point_of(rmc: Any) -> Point | None:
    """The exact position: degrees and decimal minutes to 1e-7 degree, without floats on the way."""
    lat = _e7(rmc.lat, 2, rmc.lat_dir, "NS")
    lon = _e7(rmc.lon, 3, rmc.lon_dir, "EW")
    if lat is None or lon is None or abs(lat) > 90 * E7 or abs(lon) > 180 * E7:
        return None
    return Point(lon, lat)


def _e7(text: str, digits: int, direction: str, signs: str) -> int | None:
    if direction not in signs or not direction:
        return None
    try:
        degrees = int(text[:digits]) + Decimal(text[digits:]) / 60
    except (ValueError, InvalidOperation):
        return None
    value = int((degrees * E7).to_integral_value(ROUND_HALF_EVEN))
    return -value if direction == signs[1] else value


def _number(text: str | float | None, times: int = 1) -> int | None:
    try:
        value = Decimal(str(text)) * times
        return int(value) if value >= 0 else None
    except (InvalidOperation, ValueError):
        return None
