"""How a device is, with the reason in words; and when to try it again. Pure: from what happened and the time.

never_seen    added, and never said anything
fine          it speaks, and what it says can be
implausible   it speaks, and most of what it says cannot be
stale         it spoke once and has been silent for longer than its driver allows
unreachable   no way to it: no answer, no route, the port is gone
refused       it answers, and will not talk to us: password, community, approval
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

HealthState = Literal["never_seen", "fine", "implausible", "stale", "unreachable", "refused"]
SECOND = 1_000_000

WORDS: dict[HealthState, tuple[str, str]] = {
    "never_seen": ("从未上报", "never seen"),
    "fine": ("正常", "fine"),
    "implausible": ("数据不可信", "implausible"),
    "stale": ("数据过期", "stale"),
    "unreachable": ("无法连接", "unreachable"),
    "refused": ("拒绝访问", "refused"),
}
"""The states in both languages."""

MISSES = 2
"""Failures in a row before what was fine is called unreachable: one lost datagram is no outage."""


@dataclass(frozen=True)
class Contact:
    """What happened between us and a device; times µs UTC (0: never). ``fault`` is the last failure's state and reason."""

    seen_at: int = 0
    misses: int = 0
    fault: HealthState = "fine"
    reason: str = ""
    implausible: int = 0
    readings: int = 0

    def heard(self, now: int, readings: int, implausible: int) -> Contact:
        """It said ``readings`` values, of which so many cannot be."""
        return replace(self, seen_at=now, misses=0, fault="fine", reason="", readings=readings, implausible=implausible)

    def failed(self, state: Literal["unreachable", "refused"], reason: str) -> Contact:
        """It could not be asked."""
        return replace(self, misses=self.misses + 1, fault=state, reason=reason)


@dataclass(frozen=True)
class DeviceHealth:
    """A state and its reason, for people."""

    state: HealthState
    reason: str
    seen_at: int


def health_of(contact: Contact, now: int, stale_after: float) -> DeviceHealth:
    """How the device is at ``now``; ``stale_after`` in seconds."""
    if contact.fault != "fine" and (contact.misses >= MISSES or contact.fault == "refused"):
        return DeviceHealth(contact.fault, contact.reason, contact.seen_at)
    if not contact.seen_at:
        return DeviceHealth("never_seen", contact.reason or "it has not said anything yet", 0)
    silent = (now - contact.seen_at) / SECOND
    if silent > stale_after:
        return DeviceHealth("stale", f"silent for {silent:.0f} s", contact.seen_at)
    if contact.implausible * 2 > contact.readings:
        said = f"{contact.implausible} of {contact.readings} values cannot be"
        return DeviceHealth("implausible", said, contact.seen_at)
    return DeviceHealth("fine", "", contact.seen_at)


@dataclass(frozen=True)
class Pace:
    """When to try again: doubled from ``first`` to ``longest`` seconds, with a jitter of a quarter.

    After ``breaker`` failures in a row the circuit is open: only every ``longest`` seconds one try goes out.
    """

    first: float = 1.0
    longest: float = 300.0
    breaker: int = 8

    def delay(self, failures: int, luck: float) -> float:
        """Seconds to wait after so many failures in a row; ``luck`` in [0, 1) spreads devices apart."""
        if failures <= 0:
            return 0.0
        base = self.longest if failures >= self.breaker else min(self.first * 2 ** (failures - 1), self.longest)
        return base * (0.75 + 0.5 * luck)

    def is_open(self, failures: int) -> bool:
        """Whether the circuit is open."""
        return failures >= self.breaker
