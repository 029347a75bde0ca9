"""What gpsd says: lines of JSON to epochs. Pure, for protocol 3 (gpsd 3.x).

Source: gpsd_json(5). Unknown classes and keys are passed over; a line that is not JSON is DeviceGarbled and the next one
is looked at as if nothing had been.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec

from wanmi.coords import Point
from wanmi.devices import Identity
from wanmi.errors import DeviceGarbled
from wanmi_hardware.gnss.epochs import Epoch

LONGEST = 65_536
"""Bytes of a line; a longer one is passed over up to its end, so memory is bounded."""
_SYSTEMS = {0: "GP", 1: "SB", 2: "GA", 3: "BD", 5: "QZ", 6: "GL", 7: "NI"}
_HOW = {1: "plain", 2: "differential", 3: "rtk", 4: "rtk_float", 5: "estimated", 6: "estimated", 7: "manual", 8: "simulated"}  # fmt: skip

Degrees = Annotated[float, msgspec.Meta(ge=-180, le=180)]


class Satellite(msgspec.Struct, frozen=True):
    """One of SKY's satellites."""

    gnssid: int | None = None
    ss: float | None = None
    used: bool = False


class Device(msgspec.Struct, frozen=True):
    """One of DEVICES' devices."""

    path: str = ""
    driver: str = ""
    subtype: str = ""
    bps: int | None = None
    activated: str | float | None = None


class Message(msgspec.Struct, frozen=True):
    """Any of gpsd's messages, with the keys that are used here."""

    class_: str = msgspec.field(name="class", default="")
    device: str = ""
    mode: int = 0
    status: int = 1
    time: str | None = None
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    lon: Degrees | None = None
    altMSL: float | None = None  # noqa: N815 - gpsd's name
    alt: float | None = None
    speed: float | None = None
    track: float | None = None
    hdop: float | None = None
    satellites: tuple[Satellite, ...] | None = None
    devices: tuple[Device, ...] = ()
    message: str = ""
    release: str = ""


_decoder = msgspec.json.Decoder(Message)


class Lines:
    """Cuts a stream into lines, however it comes; what is too long is left out."""

    def __init__(self) -> None:
        self._held = b""
        self._skips = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that ``chunk`` ends, without their ends; empty ones are left out."""
        *ended, rest = (self._held + chunk).split(b"\n")
        if ended and self._skips:
            ended, self._skips = ended[1:], False
        self._held = rest
        if len(rest) > LONGEST or self._skips:
            self._held, self._skips = b"", True
        return [line.strip() for line in ended if line.strip() and len(line) <= LONGEST]


def read_message(line: bytes) -> Message:
    """One line's message; DeviceGarbled when it is none."""
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DeviceGarbled(f"gpsd: {error}: {line[:60]!r}") from error


def identity_of(version: Message, devices: tuple[Device, ...]) -> Identity:
    """Who speaks: gpsd's release, and the receiver that it has."""
    first = devices[0] if devices else Device()
    return Identity(
        maker="gpsd", model=f"{first.driver} {first.path}".strip(), firmware=first.subtype or version.release
    )


class Sky:
    """The newest SKY of a receiver, put beside the positions that follow."""

    def __init__(self) -> None:
        self._hdop: int | None = None
        self._used: dict[str, int] = {}
        self._satellites: int | None = None
        self._snrs: tuple[int, ...] = ()

    def take(self, message: Message) -> None:
        """Note a SKY; one without satellites (only dilutions) leaves them as they were."""
        if message.hdop is not None and 0 <= message.hdop < 1000:
            self._hdop = round(message.hdop * 100)
        if message.satellites is None:
            return
        used = [one for one in message.satellites if one.used]
        self._used = {}
        for one in used:
            system = _SYSTEMS.get(-1 if one.gnssid is None else one.gnssid, "GP")
            self._used[system] = self._used.get(system, 0) + 1
        self._satellites = len(used)
        self._snrs = tuple(round(one.ss) for one in message.satellites if one.ss is not None and 0 < one.ss < 100)

    def epoch(self, tpv: Message, arrived_at: int) -> Epoch:
        """The epoch of a TPV."""
        has = tpv.mode >= 2 and tpv.lat is not None and tpv.lon is not None
        point = (Point(round((tpv.lon or 0) * 1e7), round((tpv.lat or 0) * 1e7)),) if has else ()
        return Epoch(
            arrived_at, time_of(tpv.time), has_fix=has, points=point, how=_HOW.get(tpv.status, "plain") if has else "none",
            dimensions=tpv.mode if tpv.mode in (2, 3) else 0, altitude_cm=_scaled(tpv.altMSL or tpv.alt),
            speed_cm_s=_scaled(tpv.speed), course_cdeg=_scaled(tpv.track), satellites=self._satellites, hdop=self._hdop,
            used=dict(self._used), snrs=self._snrs,
        )  # fmt: skip


def time_of(text: str | None) -> int | None:
    """An ISO time with Z in µs UTC; None when there is none or it is not one."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _scaled(value: float | None) -> int | None:
    return round(value * 100) if value is not None and abs(value) < 1e7 else None
