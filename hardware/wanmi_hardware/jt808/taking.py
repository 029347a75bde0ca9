"""From positions and media to samples: readings, fixes, events. Pure, but for the time as an argument."""

from __future__ import annotations

from collections.abc import Sequence

from wanmi.coords import Datum, Point, to_wgs84
from wanmi.devices import AlarmRule, Event, Fix, FixState, Quantity, Reading, Sample, Severity
from wanmi_hardware.jt808.messages import ALARMS, Location, MediaEvent

SECOND = 1_000_000
AHEAD = 120 * SECOND
"""µs that a terminal's time may be ahead of the node's."""
LATE = 120 * SECOND
"""µs behind which a position is one that was kept: it belongs to the track, and says nothing of now."""

ACC = Quantity("acc", "", "点火开关", "ignition", words={"on": ("开", "on"), "off": ("关", "off")})
ALARM = Quantity("alarm", "", "车载报警", "vehicle alarm", words={
    "none": ("无", "none"), **{name: (zh, en) for name, zh, en in ALARMS.values()},
})  # fmt: skip
ALARMED = Quantity("alarms", "", "全部车载报警", "all vehicle alarms")
MILEAGE = Quantity("mileage", "km", "里程", "mileage", 0)
FUEL = Quantity("fuel", "L", "油量", "fuel", 0, 2000)
SIGNAL = Quantity("signal", "", "无线信号强度", "radio signal", 0, 99)
USED = Quantity("satellites.used", "", "使用卫星数", "satellites in use", 0, 99)
CONNECTED = Quantity("vehicles.connected", "", "在线车载终端", "terminals connected", 0)
WAITING = Quantity("vehicles.waiting", "", "待批准车载终端", "terminals that wait for approval", 0)
GARBLED = Quantity("frames.garbled", "", "损坏帧数", "damaged frames", 0)
QUANTITIES = (ACC, ALARM, ALARMED, MILEAGE, FUEL, SIGNAL, USED, CONNECTED, WAITING, GARBLED)

RULES = (
    AlarmRule(
        "vehicles.waiting", "vehicles.waiting", "notice", "有车载终端待批准", "a vehicle's terminal waits for approval",
        above=0, after=5,
    ),
)  # fmt: skip

LATCHED: dict[str, Severity] = {
    "emergency": "critical", "stolen": "critical", "collision": "critical", "rollover": "critical",
    "danger": "warning", "ignition": "warning", "moved": "warning",
}  # fmt: skip
"""Alarms that stay until a person acknowledges them. A terminal takes bits 0, 3, 27 and 28 back as soon as it is answered
(JT/T 808, table of alarm flags), so that whoever looks a moment later would see nothing."""
PASSING: dict[str, Severity] = {
    "overspeed": "warning", "fatigue": "warning", "power_off": "warning", "driving_time": "warning",
    "off_route": "warning", "power_low": "notice", "gnss_module": "notice", "gnss_antenna_open": "notice",
    "gnss_antenna_short": "notice", "display": "notice", "speech": "notice", "camera": "notice",
    "parking_time": "notice",
}  # fmt: skip
"""Alarms that a terminal keeps up as long as it is so. Areas and routes of the terminal's own are events only: the edge
has fences."""
CALM_AFTER = 30.0
"""Seconds that one of those must be over before it is cleared."""


def _vehicle_rules() -> tuple[AlarmRule, ...]:
    rules = []
    for name, zh, en in ALARMS.values():
        severity = LATCHED.get(name) or PASSING.get(name)
        if severity is not None:
            latching = name in LATCHED
            rules.append(
                AlarmRule(
                    f"vehicle.{name}", ALARMED.name, severity, zh, en, is_one_of=(name,),
                    clear_after=0 if latching else CALM_AFTER, latching=latching,
                )
            )  # fmt: skip
    return tuple(rules)


VEHICLE_RULES = _vehicle_rules()
"""The rules of each vehicle at the port."""


class Vehicle:
    """What is remembered of one terminal: so that an alarm or the ignition is told when it changes, and what is old."""

    def __init__(self) -> None:
        self.alarms: frozenset[str] = frozenset()
        self.acc: bool | None = None
        self.newest = 0

    def missed(self, kept: Sequence[Location]) -> tuple[str, ...]:
        """Alarms that a person must see, of kept positions (oldest first) newer than all that it told before."""
        newer = [one for one in kept if (one.made_at or 0) > self.newest]
        self.newest = max((one.made_at or 0 for one in newer), default=self.newest)
        return tuple(name for name in LATCHED if any(name in one.alarms for one in newer))

    def told(self, location: Location, at: int) -> tuple[Event, ...]:
        """Events since the last position."""
        now = frozenset(location.alarms)
        events = [Event("alarm.began", {"alarm": name}, location.made_at or at) for name in sorted(now - self.alarms)]
        events += [Event("alarm.ended", {"alarm": name}, location.made_at or at) for name in sorted(self.alarms - now)]
        if self.acc is not None and self.acc != location.acc_on:
            events.append(Event("acc.on" if location.acc_on else "acc.off", {}, location.made_at or at))
        self.alarms, self.acc = now, location.acc_on
        self.newest = max(self.newest, location.made_at or 0)
        return tuple(events)


def fix_of(location: Location, datum: Datum, now: int, kept: bool = False) -> Fix:
    """The position in WGS-84, judged; ``kept``: from a batch, so being late is no fault."""
    if location.lon_e7 is None or location.lat_e7 is None:
        return Fix("no_fix", location.made_at, systems=location.systems, satellites=location.satellites)
    state, reason = _state(location, now, kept)
    if state == "implausible" and (location.encrypted or not (location.lon_e7 or location.lat_e7)):
        return Fix(state, location.made_at, systems=location.systems, reason=reason)
    point = to_wgs84(Point(location.lon_e7, location.lat_e7), datum)
    return Fix(
        state, location.made_at, point.lon_e7, point.lat_e7, location.altitude_m * 100, location.speed_cm_s,
        location.course_cdeg, location.satellites, None, location.systems, reason,
    )  # fmt: skip


def _state(location: Location, now: int, kept: bool) -> tuple[FixState, str]:
    if location.encrypted:
        return "implausible", "its position is encrypted by a plug-in"
    if not (location.lon_e7 or location.lat_e7):
        return "implausible", "it says (0, 0)"
    if location.made_at is None:
        return "implausible", "its clock was never set"
    if location.made_at > now + AHEAD:
        return "implausible", f"its time is {(location.made_at - now) / SECOND:.0f} s ahead of this node's"
    if not kept and location.made_at < now - LATE:
        return "stale", f"its time is {(now - location.made_at) / SECOND:.0f} s behind this node's"
    return "valid", ""


def sample_of(phone: str, vehicle: Vehicle, location: Location, datum: Datum, now: int) -> Sample:
    """A position as it came."""
    events = vehicle.told(location, now)
    return Sample(readings_of(location), (fix_of(location, datum, now),), events, part=phone)


def batch_of(phone: str, vehicle: Vehicle, locations: tuple[Location, ...], datum: Datum, now: int) -> Sample:
    """Positions that were kept on the vehicle, oldest first: they say nothing of now, but for a button pressed meanwhile."""
    ordered = sorted(locations, key=lambda one: one.made_at or 0)
    fixes = tuple(fix_of(one, datum, now, kept=True) for one in ordered)
    missed = vehicle.missed(ordered)
    readings = (_alarmed((*missed, *vehicle.alarms)),) if missed else ()
    return Sample(readings, fixes, part=phone)


def _alarmed(names: Sequence[str]) -> Reading:
    words = " ".join(dict.fromkeys(names))
    return ALARMED.read(words or "none", words)


def readings_of(location: Location) -> tuple[Reading, ...]:
    """What a position says beside the place; one alarm word, the gravest (lowest bit) first."""
    alarms = " ".join(location.alarms)
    found = [
        ACC.read("on" if location.acc_on else "off", str(int(location.acc_on))),
        ALARM.read(location.alarms[0] if location.alarms else "none", alarms),
        _alarmed(location.alarms),
    ]
    for quantity, value, scale in (
        (MILEAGE, location.mileage, 10), (FUEL, location.fuel, 10), (SIGNAL, location.signal, 1),
        (USED, location.satellites, 1),
    ):  # fmt: skip
        if value is not None:
            found.append(quantity.read(value / scale, str(value)))
    return tuple(found)


def media_event(media: MediaEvent, at: int, **facts: str) -> Event:
    """A photo, sound or film as an event."""
    told = {"id": str(media.media_id), "kind": media.kind, "format": media.format, "event": str(media.event)}
    return Event("media", {**told, "channel": str(media.channel), **facts}, at)
