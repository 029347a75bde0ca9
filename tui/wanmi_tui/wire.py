"""What nodes answer, as far as the screens need it. A key that is not known here is passed over: nodes may be newer.

Times µs UTC, coordinates 1e-7 degree, as the API has them.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class OwnNode(msgspec.Struct, frozen=True):
    """Which node answers."""

    code: str
    role: str
    parent: str | None = None
    now: int = 0
    version: str = ""


class HealthLine(msgspec.Struct, frozen=True):
    """A line of a node's health."""

    name: str
    state: str
    reason: str = ""
    facts: dict[str, str | int] = {}


class NodeLine(msgspec.Struct, frozen=True):
    """A node that is known there."""

    code: str
    role: str = ""
    name: str = ""
    parent: str | None = None
    sign_key: str = ""
    state: str = ""


class LinkState(msgspec.Struct, frozen=True):
    """A link as its parent journaled it."""

    by: str
    peer: str
    up: bool
    at: int = 0


class Arrival(msgspec.Struct, frozen=True):
    """How far a chain had reached ``by``."""

    by: str
    origin: str
    seq: int
    at: int = 0


class Links(msgspec.Struct, frozen=True):
    """GET /links."""

    links: list[LinkState] = []
    arrivals: list[Arrival] = []


class Chain(msgspec.Struct, frozen=True):
    """A chain as the node holds it."""

    origin: str
    seq: int
    hash: str


class SignedHead(msgspec.Struct, frozen=True):
    """A signed statement about a chain: hash and signature in hex."""

    origin: str
    by: str
    seq: int
    hash: str
    at: int
    sig: str


class Heads(msgspec.Struct, frozen=True):
    """GET /heads."""

    chains: list[Chain] = []
    heads: list[SignedHead] = []
    cosigns: list[SignedHead] = []
    forks: int = 0
    quarantined: int = 0


class Alarm(msgspec.Struct, frozen=True):
    """An alarm with what people did about it."""

    edge: str
    device: str
    rule: str
    occurrence: int
    severity: str
    zh: str
    en: str
    state: str
    raised_at: int
    since: int = 0
    device_name: str = ""
    reading: str = ""
    value: str = ""
    raw: str = ""
    cleared_at: int | None = None
    acknowledged_at: int | None = None
    acknowledged_by: str | None = None
    silenced_until: int = 0
    lon_e7: int | None = None
    lat_e7: int | None = None
    note: str = ""


class Alarms(msgspec.Struct, frozen=True):
    """GET /alarms."""

    as_of: int = 0
    alarms: list[Alarm] = []


class SetDevice(msgspec.Struct, frozen=True):
    """A device as its edge set it and finds it; every node above knows it."""

    edge: str
    device: str
    driver: str
    kind: str
    name: str
    enabled: bool = True
    settings: dict[str, str] = {}
    health: str = ""
    health_reason: str = ""
    health_since: int | None = None
    power: str | None = None
    power_at: int | None = None


class Equipment(msgspec.Struct, frozen=True):
    """GET /equipment."""

    devices: list[SetDevice] = []


class Identity(msgspec.Struct, frozen=True):
    """Who a device says it is."""

    maker: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""


class Reading(msgspec.Struct, frozen=True):
    """A value with its unit and words, raw beside cooked."""

    name: str
    value: float | str | None = None
    unit: str = ""
    quality: str = "good"
    raw: str = ""
    at: int = 0
    zh: str = ""
    en: str = ""
    word_zh: str = ""
    word_en: str = ""


class Fix(msgspec.Struct, frozen=True):
    """A position."""

    state: str
    made_at: int | None = None
    lon_e7: int | None = None
    lat_e7: int | None = None
    speed_cm_s: int | None = None
    course_cdeg: int | None = None
    satellites: int | None = None
    hdop: int | None = None
    systems: list[str] = []
    reason: str = ""


class Event(msgspec.Struct, frozen=True):
    """Something that a device said happened."""

    at: int
    kind: str
    facts: dict[str, str] = {}


class Part(msgspec.Struct, frozen=True):
    """The device itself (part "") or one of a gateway's."""

    part: str = ""
    identity: Identity | None = None
    readings: list[Reading] = []
    fix: Fix | None = None
    fix_at: int = 0
    events: list[Event] = []


class Device(msgspec.Struct, frozen=True):
    """A device of the edge that answers."""

    id: str
    name: str
    driver: str
    kind: str
    state: str
    enabled: bool = True
    reason: str = ""
    seen_at: int = 0
    tries_again_at: int = 0
    failures: int = 0
    samples: int = 0
    settings: dict[str, str] = {}
    commands: list[str] = []
    parts: list[Part] = []


class Devices(msgspec.Struct, frozen=True):
    """GET /devices."""

    as_of: int = 0
    devices: list[Device] = []


class Sample(msgspec.Struct, frozen=True):
    """What a device said at once."""

    at: int
    readings: list[Reading] = []


class Samples(msgspec.Struct, frozen=True):
    """GET /devices/{id}/samples, oldest first."""

    samples: list[Sample] = []


class Command(msgspec.Struct, frozen=True):
    """What a driver's devices can be told."""

    name: str
    zh: str = ""
    en: str = ""
    args: dict[str, str] = {}
    risky: bool = False


class Driver(msgspec.Struct, frozen=True):
    """A driver."""

    name: str
    zh: str = ""
    en: str = ""
    commands: list[Command] = []


class Drivers(msgspec.Struct, frozen=True):
    """GET /drivers."""

    drivers: list[Driver] = []


class RawEntry(msgspec.Struct, frozen=True):
    """An entry's bytes in base64 (None: not for this node), its digest and chain hash in hex."""

    seq: int
    audience: str | list[str]
    digest: str
    hash: str
    raw: str | None = None


class Entries(msgspec.Struct, frozen=True):
    """GET /entries: a piece of a chain; ``previous`` is the hash before it, ``next`` where the next piece begins."""

    origin: str
    previous: str
    entries: list[RawEntry] = []
    next: int | None = None


class Answered(msgspec.Struct, frozen=True):
    """What a device answered to a command."""

    answer: str = ""


class Hint(msgspec.Struct, frozen=True):
    """An entry that came."""

    pos: int
    kind: str = ""
    subject: str = ""


class Problem(msgspec.Struct, frozen=True):
    """RFC 9457."""

    title: str = ""
    detail: str = ""
    status: int = 0


Reach = Literal["connecting", "up", "lost", "refused"]
