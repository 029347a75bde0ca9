"""What devices say: readings with raw beside cooked, fixes, events; and what their values mean.

Readings are local to a node and age out (they are floats where a device measures); what a score or a dispute may need
(alarms, power, tracks) becomes an entry, in integers and words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

Quality = Literal["good", "implausible", "unknown"]
"""``unknown``: the device was asked and did not say; ``implausible``: it said what cannot be. Age is judged later."""

Value = float | str | None
"""A measure in its quantity's unit, a word of the quantity's words, or None: unknown."""

FixState = Literal["valid", "no_fix", "stale", "implausible"]


class Reading(msgspec.Struct, frozen=True):
    """One value of a device. ``name`` is its quantity's (``battery.charge``); ``raw`` is what the device said, as text."""

    name: str
    value: Value
    raw: str = ""
    quality: Quality = "good"


class Fix(msgspec.Struct, frozen=True):
    """A position as a receiver gave it. Coordinates 1e-7 degree WGS-84 (CGCS2000 is the same here), times µs UTC.

    ``made_at`` is the receiver's own time, None where it gave none; position is None unless it had one. Speed in cm/s,
    course in 1/100 degree, altitude in cm, ``hdop`` in 1/100. ``systems`` are constellations in use (GP, BD, GL, GA …).
    """

    state: FixState
    made_at: int | None = None
    lon_e7: int | None = None
    lat_e7: int | None = None
    altitude_cm: int | None = None
    speed_cm_s: int | None = None
    course_cdeg: int | None = None
    satellites: int | None = None
    hdop: int | None = None
    systems: tuple[str, ...] = ()
    reason: str = ""


class Event(msgspec.Struct, frozen=True):
    """Something that a device said happened, on its own (a trap, a panic button, a photo); ``facts`` are plain words."""

    kind: str
    facts: Mapping[str, str] = {}
    at: int | None = None


class Identity(msgspec.Struct, frozen=True):
    """Who a device says it is; empty where it does not say."""

    maker: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""


class Sample(msgspec.Struct, frozen=True):
    """What came of a device at once. ``part``: which of a gateway's devices it is about (a vehicle's number), "" itself.

    ``addresses``: further names that the part goes by; ``identity`` where it was learned.
    """

    readings: tuple[Reading, ...] = ()
    fixes: tuple[Fix, ...] = ()
    events: tuple[Event, ...] = ()
    identity: Identity | None = None
    part: str = ""


@dataclass(frozen=True)
class Quantity:
    """What a reading of this name means: its unit, what is plausible, its words in both languages.

    ``low`` and ``high`` are bounds of what can be (a reading outside them is kept raw and marked implausible), not of
    what is good. ``words`` are the values of a quantity that has no unit, each with its (zh, en).
    """

    name: str
    unit: str
    zh: str
    en: str
    low: float | None = None
    high: float | None = None
    words: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def read(self, value: Value, raw: str) -> Reading:
        """A reading of this quantity, its plausibility judged."""
        if value is None:
            return Reading(self.name, None, raw, "unknown")
        return Reading(self.name, value, raw, "good" if self.is_plausible(value) else "implausible")

    def is_plausible(self, value: float | str) -> bool:
        """Whether ``value`` can be: within the bounds, or one of the words."""
        if isinstance(value, str):
            return not self.words or value in self.words
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)
