"""``gnss-serial``: a receiver that speaks NMEA 0183 over a serial line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from wanmi.devices import DeviceSettings, Driver, Found, Identity, Place, Sample
from wanmi.errors import DeviceFault, DeviceGarbled, DeviceRefused
from wanmi_hardware.gnss.line import SerialLine, open_line
from wanmi_hardware.gnss.listening import Listening
from wanmi_hardware.gnss.quantities import QUANTITIES, RULES
from wanmi_hardware.gnss.settings import SerialSettings

BY_ID = Path("/dev/serial/by-id")
PAUSE = 0.25
"""Seconds of silence that end an epoch."""
NO_SENTENCE = 20_000
"""Bytes without one good sentence after which the baud rate must be wrong, or it is no receiver."""
PROBE_BAUDS = (9600, 115_200, 38_400, 4800)
PROBE_SECONDS = 1.3
NAMED_LIKE = ("gnss", "gps", "u-blox", "ublox", "beidou")


class SerialReceiver:
    """The session: listens, is never asked."""

    def __init__(self, line: SerialLine, settings: SerialSettings) -> None:
        self._line = line
        self._settings = settings
        self._listening = Listening(settings, settings.bare)

    async def identify(self) -> Identity:
        """A receiver does not say who it is; its port's stable name does."""
        return Identity(model=Path(self._settings.path).name)

    async def samples(self) -> AsyncIterator[Sample]:
        """A sample an epoch, at the settings' pace."""
        while True:
            chunk, came_at = await self._line.read(PAUSE)
            for sample in self._listening.feed(chunk, came_at) if chunk else self._listening.pause():
                yield sample
            if self._listening.silent_bytes > NO_SENTENCE:
                raise DeviceGarbled(
                    f"{self._settings.path}: {self._listening.silent_bytes} bytes came and no NMEA sentence among them; "
                    f"is {self._settings.baud} baud right, and is it a receiver?"
                )

    async def command(self, name: str, args: Mapping[str, str]) -> str:
        """There are none."""
        raise DeviceRefused(f"a receiver on a serial line takes no commands ({name})")


@asynccontextmanager
async def connect(place: Place, settings: DeviceSettings) -> AsyncIterator[SerialReceiver]:
    """Open the port by its stable name; unplugged and plugged in again it is found under the same."""
    assert isinstance(settings, SerialSettings)  # noqa: S101 - the book parses settings by the driver's own class
    async with open_line(settings.path, settings.baud, place.clock) as line:
        yield SerialReceiver(line, settings)


async def discover(place: Place, where: str) -> AsyncIterator[Found]:
    """Ports that speak NMEA or are named like receivers, under ``where`` (default /dev/serial/by-id). Only listens."""
    for port in await asyncio.to_thread(_ports, Path(where) if where else BY_ID):
        found = await _look(place, port)
        if found is not None:
            yield found


def _ports(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


async def _look(place: Place, port: Path) -> Found | None:
    identity = Identity(model=port.name)
    for baud in PROBE_BAUDS:
        settings = {"path": str(port), "baud": str(baud)}
        try:
            if await _speaks(place, str(port), baud):
                return Found("gnss-serial", port.name, settings, identity, f"speaks NMEA at {baud} baud")
        except DeviceFault as error:
            return Found("gnss-serial", port.name, settings, identity, str(error)) if _is_named(port) else None
    if _is_named(port):
        why = "is named like a receiver; nothing was understood at the usual baud rates"
        return Found("gnss-serial", port.name, {"path": str(port)}, identity, why)
    return None


async def _speaks(place: Place, path: str, baud: int) -> bool:
    listening = Listening(SerialSettings(path=path, baud=baud))
    until = place.clock.monotonic() + PROBE_SECONDS
    async with open_line(path, baud, place.clock) as line:
        while (left := until - place.clock.monotonic()) > 0 and not listening.heard:
            chunk, came_at = await line.read(left)
            listening.feed(chunk, came_at)
    return listening.heard > 0


def _is_named(port: Path) -> bool:
    return any(word in port.name.lower() for word in NAMED_LIKE)


GNSS_SERIAL = Driver(
    "gnss-serial", "gnss", "串口卫星定位接收机（NMEA）", "GNSS receiver on a serial line (NMEA)", SerialSettings, QUANTITIES,
    connect, rules=RULES, every=0, deadline=8.0, stale_after=15.0, discover=discover,
)  # fmt: skip
