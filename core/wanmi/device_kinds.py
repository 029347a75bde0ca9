"""Bodies of entries about devices: what stands at an edge, its alarms, its power. Data only.

The core registers them, so that every node shows them. Subjects: ``device:<edge>:<device>``,
``alarm:<edge>:<device>:<rule>``, ``power:<edge>:<device>``. Times µs UTC; a measured value is text with its unit, as it
was read: no floats in a journal. Secrets of a device's settings are never here.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Severity = Literal["notice", "warning", "critical"]
PowerState = Literal["mains", "battery", "low", "bypass", "off", "unknown"]
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


class AlarmRaised(_Body, frozen=True):
    """``alarm.raised``: a rule says that something is wrong, for the ``occurrence``-th time."""

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


class AlarmCleared(_Body, frozen=True):
    """``alarm.cleared``: it is right again (``reading``), was acknowledged after it was over, or its device is gone."""

    device: str
    rule: str
    occurrence: int
    by: Literal["reading", "acknowledged", "removed"]
    value: str
    raw: str


class AlarmOver(_Body, frozen=True):
    """``alarm.over``: a latched alarm is right again and stays until somebody acknowledges it."""

    device: str
    rule: str
    occurrence: int
    value: str
    raw: str


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


class PowerChanged(_Body, frozen=True):
    """``power.changed``: where the power comes from; evidence for clocks and scores.

    ``charge`` in percent and ``minutes`` left on battery, null where the UPS does not say.
    """

    device: str
    state: PowerState
    was: PowerState
    charge: int | None
    minutes: int | None
    raw: str


def device_subject(edge: str, device: str) -> str:
    """The subject of a device."""
    return f"device:{edge}:{device}"


def alarm_subject(edge: str, device: str, rule: str) -> str:
    """The subject of an alarm: one rule of one device."""
    return f"alarm:{edge}:{device}:{rule}"


def power_subject(edge: str, device: str) -> str:
    """The subject of a UPS's power."""
    return f"power:{edge}:{device}"
