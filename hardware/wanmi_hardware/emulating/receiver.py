"""A GNSS receiver that is not there: NMEA 0183 sentences of a walk around a place, written to a pseudo terminal."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

METERS_A_DEGREE = 111_320.0


@dataclass(frozen=True)
class Walk:
    """A round of ``radius`` metres about a place (degrees WGS-84), one in ``seconds``."""

    lon: float
    lat: float
    radius: float = 120.0
    seconds: float = 240.0

    def at(self, second: float) -> tuple[float, float, float, float]:
        """Longitude, latitude (degrees), speed (m/s), course (degrees) after so many seconds."""
        angle = 2 * math.pi * second / self.seconds
        north, east = self.radius * math.cos(angle), self.radius * math.sin(angle)
        lat = self.lat + north / METERS_A_DEGREE
        lon = self.lon + east / (METERS_A_DEGREE * math.cos(math.radians(self.lat)))
        speed = 2 * math.pi * self.radius / self.seconds
        return lon, lat, speed, (math.degrees(angle) + 90) % 360


def sentence(body: str) -> bytes:
    """A sentence with its checksum (XOR of the characters between ``$`` and ``*``) and line end."""
    check = 0
    for character in body.encode("ascii"):
        check ^= character
    return f"${body}*{check:02X}\r\n".encode("ascii")


def epoch(walk: Walk, second: float, now_us: int) -> bytes:
    """What a receiver says in one second: GGA, RMC, GSA for GPS and BeiDou, time UTC."""
    lon, lat, speed, course = walk.at(second)
    at = datetime.fromtimestamp(now_us / 1_000_000, UTC)
    clock, day = at.strftime("%H%M%S") + f".{at.microsecond // 10_000:02d}", at.strftime("%d%m%y")
    where = f"{_dm(abs(lat), 2)},{'N' if lat >= 0 else 'S'},{_dm(abs(lon), 3)},{'E' if lon >= 0 else 'W'}"
    knots = speed / 0.514444
    bodies = (
        f"GNGGA,{clock},{where},1,14,0.80,45.0,M,7.0,M,,",
        f"GNRMC,{clock},A,{where},{knots:.2f},{course:.1f},{day},,,A",
        "GPGSA,A,3,02,05,07,13,15,20,29,,,,,,1.4,0.8,1.1",
        "BDGSA,A,3,06,09,16,21,22,26,36,,,,,,1.4,0.8,1.1",
    )
    return b"".join(sentence(body) for body in bodies)


def _dm(degrees: float, width: int) -> str:
    """Degrees and decimal minutes as NMEA writes them: ddmm.mmmmm."""
    hundred_thousandths = round(degrees * 60 * 100_000)
    whole, rest = divmod(hundred_thousandths, 60 * 100_000)
    return f"{whole:0{width}d}{rest // 100_000:02d}.{rest % 100_000:05d}"


class Receiver:
    """A receiver on a pseudo terminal: ``path`` is what a driver opens; ``link`` a name that stays the same."""

    def __init__(self, link: Path) -> None:
        self._master, slave = os.openpty()
        self._slave = slave
        self.path = os.ttyname(slave)
        self.link = link
        _raw(slave)
        os.set_blocking(self._master, False)
        link.unlink(missing_ok=True)
        link.symlink_to(self.path)

    def say(self, data: bytes) -> bool:
        """Send bytes; False when nobody reads and the line is full, as a serial line drops them."""
        try:
            return os.write(self._master, data) == len(data)
        except BlockingIOError:
            return False

    def unplug(self) -> None:
        """The cable is pulled: the port is gone."""
        self.link.unlink(missing_ok=True)
        os.close(self._slave)
        os.close(self._master)


def _raw(terminal: int) -> None:
    import tty

    tty.setraw(terminal)


def walked(walk: Walk, start_us: int) -> Iterator[tuple[int, bytes]]:
    """Every second's bytes, with the time at which they are due (µs UTC), for ever."""
    second = 0
    while True:
        due = start_us + second * 1_000_000
        yield due, epoch(walk, float(second), due)
        second += 1
