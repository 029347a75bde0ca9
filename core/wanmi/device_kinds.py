"""Bodies of entries about devices: what stands at an edge, its alarms, its power. Data only.

The core registers them, so that every node shows them. Subjects: ``device:<edge>:<device>``,
``alarm:<edge>:<device>:<rule>``, ``power:<edge>:<device>``, ``told:<node>:<event>:<ref>``. Times µs UTC; a measured value is text with its unit, as it
was read: no floats in a journal. Secrets of a device's settings are never here.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from wanmi.kinds import Attachment

Severity = Literal["notice", "warning", "critical"]
PowerState = Literal["mains", "battery", "low", "bypass", "off", "unknown"]
FenceAlarm = Literal["none", "enter", "leave"]
Note = Annotated[str, msgspec.Meta(max_length=2000)]
"""Staff's words, at most 2,000 characters."""


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class DeviceSet(_Body, frozen=True):
    """``device.set``: a device as it stands from now on: added, renamed, set otherwise, switched off.

    ``device`` (``D0001``) never changes and is never given to another one. ``settings`` are those of its driver, secrets
    left out and named in ``secrets``. ``lon_e7``, ``lat_e7``: where it stands (WGS-84), where somebody said so.
    """

    device: str
    driver: str
    kind: str
    name: str
    enabled: bool
    settings: dict[str, str]
    secrets: list[str]
    lon_e7: int | None
    lat_e7: int | None


class DeviceRemoved(_Body, frozen=True):
    """``device.removed``: it is gone; its number stays its own."""

    device: str
    reason: Note


class DeviceHealthChanged(_Body, frozen=True):
    """``device.health_changed``: how the edge finds it, since ``since``; told when it has stayed so for a while."""

    device: str
    state: str
    reason: Note
    since: int


class AlarmRaised(_Body, frozen=True, omit_defaults=True):
    """``alarm.raised``: a rule says that something is wrong, for the ``occurrence``-th time.

    ``rule`` of a gateway's part ends in a colon and the part (``vehicle.emergency:13900000001``). ``lon_e7``, ``lat_e7``:
    where that is (WGS-84): a vehicle's newest good position, else where the device stands, where anybody knows.
    """

    device: str
    rule: str
    occurrence: int
    severity: Severity
    zh: str
    en: str
    reading: str
    value: str
    raw: str
    since: int
    lon_e7: int | None = None
    lat_e7: int | None = None


class EventTold(_Body, frozen=True):
    """``event.told``: a node tells edges below it of what happened in its work, for scenes that wait for it.

    ``event`` (``case.pressed``, ``case.overdue``) of the thing ``ref``; ``over``: it is over now. Nothing about a person.
    """

    event: str
    ref: str
    severity: Severity
    why: Note
    lon_e7: int | None
    lat_e7: int | None
    over: bool


class AlarmCleared(_Body, frozen=True, omit_defaults=True):
    """``alarm.cleared``: it is right again (``reading``, ``since`` then), was acknowledged after it was over, or what it
    watches is gone (``removed``): the device, the gateway's part, the fence.
    """

    device: str
    rule: str
    occurrence: int
    by: Literal["reading", "acknowledged", "removed"]
    value: str
    raw: str
    since: int | None = None


class AlarmOver(_Body, frozen=True, omit_defaults=True):
    """``alarm.over``: a latched alarm is right again, since ``since``, and stays until somebody acknowledges it."""

    device: str
    rule: str
    occurrence: int
    value: str
    raw: str
    since: int | None = None


class AlarmAcknowledged(_Body, frozen=True):
    """``alarm.acknowledged``: somebody has seen this occurrence; written by the node where they are."""

    edge: str
    device: str
    rule: str
    occurrence: int
    note: Note


class AlarmSilenced(_Body, frozen=True):
    """``alarm.silenced``: no screen shall shout about it before ``until``; it stays listed. Until now: shout again."""

    edge: str
    device: str
    rule: str
    occurrence: int
    until: int
    note: Note


class PowerChanged(_Body, frozen=True, omit_defaults=True):
    """``power.changed``: where the power comes from, since ``since``; evidence for clocks and scores.

    ``charge`` in percent and ``minutes`` left on battery, null where the UPS does not say. The entry's own time is later
    than ``since`` where it could not be written at once (a full disk).
    """

    device: str
    state: PowerState
    was: PowerState
    charge: int | None
    minutes: int | None
    raw: str
    since: int | None = None


class ClockOffset(_Body, frozen=True):
    """``clock.offset``: the node's clock against a receiver's: ``offset`` is receiver minus node, ``uncertainty`` its error.

    µs both. Written when the source changes, when the offset leaves or comes back within the edge's bound, and hourly.
    ``source`` none: no receiver has told the time for a while; offset and uncertainty are 0 then.
    """

    source: Literal["gnss", "none"]
    device: str
    offset: int
    uncertainty: int
    within: bool


class VehicleTrackSealed(_Body, frozen=True):
    """``vehicle.track_sealed``: where a vehicle was from ``start`` to ``end``; unsigned, as its device said.

    ``part`` is the vehicle at a gateway (a terminal's number), "" for a receiver of its own. ``way`` is the sealed
    content: a JSON array ``[at, lon_e7, lat_e7, null]`` a line, WGS-84.
    """

    device: str
    part: str
    start: int
    end: int
    fixes: int
    distance_m: int
    west: int
    south: int
    east: int
    north: int
    way: Attachment


class FenceSet(_Body, frozen=True, omit_defaults=True):
    """``fence.set``: a fence as it stands from now on. ``points`` are [lon_e7, lat_e7], WGS-84.

    A circle has one point and ``radius_m``; a polygon three or more points, closed by itself. ``vehicles`` that it is
    about (``D0003`` or ``D0003:13900000001``); empty: all. A vehicle has left once it is ``margin_m`` outside, and is
    believed after ``dwell_s`` seconds. ``alarm``: a vehicle that has entered (or left) it raises an alarm of that
    ``severity``, until it is outside (inside) again.
    """

    fence: str
    name: str
    shape: Literal["circle", "polygon"]
    points: list[tuple[int, int]]
    radius_m: int
    margin_m: int
    dwell_s: int
    vehicles: list[str]
    enabled: bool
    alarm: FenceAlarm = "none"
    severity: Severity = "warning"


class FenceRemoved(_Body, frozen=True):
    """``fence.removed``: it is gone; its number stays its own."""

    fence: str
    reason: Note


class FenceCrossed(_Body, frozen=True):
    """``fence.crossed``: a vehicle has entered or left, since ``since``; the position is the first one beyond the line."""

    fence: str
    device: str
    part: str
    way: Literal["enter", "leave"]
    since: int
    lon_e7: int
    lat_e7: int


def vehicle_id(device: str, part: str) -> str:
    """A vehicle's name in URLs and fences: its device, with the part of a gateway."""
    return f"{device}:{part}" if part else device


def clock_subject(node: str) -> str:
    """The subject of a node's clock."""
    return f"clock:{node}"


def vehicle_subject(edge: str, device: str, part: str) -> str:
    """The subject of a vehicle."""
    return f"vehicle:{edge}:{vehicle_id(device, part)}"


def fence_subject(edge: str, fence: str) -> str:
    """The subject of a fence."""
    return f"fence:{edge}:{fence}"


def device_subject(edge: str, device: str) -> str:
    """The subject of a device."""
    return f"device:{edge}:{device}"


def alarm_subject(edge: str, device: str, rule: str) -> str:
    """The subject of an alarm: one rule of one device."""
    return f"alarm:{edge}:{device}:{rule}"


def told_subject(node: str, event: str, ref: str) -> str:
    """The subject of what a node tells its edges of a thing."""
    return f"told:{node}:{event}:{ref}"


def power_subject(edge: str, device: str) -> str:
    """The subject of a UPS's power."""
    return f"power:{edge}:{device}"
