"""OwnTracks messages to samples. Pure. Source: owntracks.org/booklet, "JSON" (tst in seconds, vel km/h, alt and acc m)."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from wanmi.devices import Fix, FixState, Quantity, Sample
from wanmi.errors import DeviceGarbled

SECOND = 1_000_000
AHEAD = 120 * SECOND
PART_MOST = 40
COARSE_M = 500
"""Metres of accuracy beyond which a position comes from a cell or a network, not from satellites."""

ACCURACY = Quantity("accuracy", "m", "定位精度", "accuracy", 0, 100_000)
BATTERY = Quantity("battery", "%", "电量", "battery", 0, 100)
QUANTITIES = (ACCURACY, BATTERY)

_TOPIC = re.compile(r"owntracks/([^/+#\x00-\x1f]{1,38})/([^/+#\x00-\x1f]{1,38})")


class Location(msgspec.Struct, frozen=True):
    """``_type: location``; further keys are passed over."""

    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    tst: Annotated[int, msgspec.Meta(ge=0, le=2**33)]
    acc: float | None = None
    alt: float | None = None
    vel: float | None = None
    cog: float | None = None
    batt: float | None = None


class _Typed(msgspec.Struct, frozen=True):
    type: str = msgspec.field(name="_type", default="")


_typed = msgspec.json.Decoder(_Typed)
_location = msgspec.json.Decoder(Location)


def part_of(topic: str) -> str:
    """``user/device`` of a topic; DeviceGarbled when it is none, or too long to keep."""
    found = _TOPIC.fullmatch(topic)
    part = f"{found.group(1)}/{found.group(2)}" if found else ""
    if not part or len(part) > PART_MOST:
        raise DeviceGarbled(f"topic {topic[:80]!r} is not owntracks/user/device of {PART_MOST} characters at most")
    return part


def read_message(topic: str, payload: bytes, now: int) -> Sample | None:
    """The sample of a message; None when it is of a kind that says no place (lwt, status, waypoint, transition …)."""
    part = part_of(topic)
    try:
        if _typed.decode(payload).type != "location":
            return None
        said = _location.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DeviceGarbled(f"{topic}: {error}") from error
    readings = [
        quantity.read(value, f"{value:g}")
        for quantity, value in ((ACCURACY, said.acc), (BATTERY, said.batt)) if value is not None
    ]  # fmt: skip
    return Sample(tuple(readings), (fix_of(said, now),), part=part)


def fix_of(said: Location, now: int) -> Fix:
    """The fix. Telephones keep positions while they are offline: an old one is valid and belongs to the track."""
    lon, lat, made_at = round(said.lon * 1e7), round(said.lat * 1e7), said.tst * SECOND
    state, reason = _state(said, lon, lat, made_at, now)
    if state == "implausible" and not (lon or lat):
        return Fix(state, made_at, reason=reason)
    return Fix(
        state, made_at, lon, lat, _scaled(said.alt, 100), _scaled(said.vel, 1000 / 36), _scaled(said.cog, 100),
        reason=reason,
    )  # fmt: skip


def _state(said: Location, lon: int, lat: int, made_at: int, now: int) -> tuple[FixState, str]:
    if not (lon or lat):
        return "implausible", "it says (0, 0)"
    if made_at > now + AHEAD:
        return "implausible", f"its time is {(made_at - now) / SECOND:.0f} s ahead of this node's"
    if said.acc is not None and not 0 <= said.acc <= COARSE_M:
        return "implausible", f"it is accurate to {said.acc:g} m only"
    return "valid", ""


def _scaled(value: float | None, by: float) -> int | None:
    return round(value * by) if value is not None and abs(value) < 1e7 else None
