"""What is known of each device now: contact, health, newest readings and fixes. In memory; the loop writes, anybody reads."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from wanmi.devices import Contact, DeviceHealth, Driver, Event, Fix, Identity, Reading, Sample, health_of

EVENTS_KEPT = 50
"""Events of a device that are shown; what matters of them are entries."""


@dataclass(frozen=True)
class Told:
    """A reading and when it came, µs UTC."""

    reading: Reading
    at: int


@dataclass
class Part:
    """A device itself (part "") or one of a gateway's: what it said last."""

    readings: dict[str, Told] = field(default_factory=dict)
    fix: Fix | None = None
    fix_at: int = 0
    identity: Identity | None = None
    events: deque[tuple[int, Event]] = field(default_factory=lambda: deque(maxlen=EVENTS_KEPT))


@dataclass
class Post:
    """What the board holds of one device. ``tries_again_at`` is 0 while it is being talked to."""

    driver: Driver
    contact: Contact = field(default_factory=Contact)
    parts: dict[str, Part] = field(default_factory=dict)
    failures: int = 0
    tries_again_at: int = 0
    samples: int = 0

    def health(self, now: int) -> DeviceHealth:
        """How the device is."""
        return health_of(self.contact, now, self.driver.stale_after)

    def put(self, sample: Sample, now: int) -> None:
        """Note what it said."""
        part = self.parts.setdefault(sample.part, Part())
        for reading in sample.readings:
            part.readings[reading.name] = Told(reading, now)
        for fix in sample.fixes:
            part.fix, part.fix_at = fix, now
        part.identity = sample.identity or part.identity
        part.events.extend((now, event) for event in sample.events)
        wrong = sum(one.quality == "implausible" for one in sample.readings)
        self.contact = self.contact.heard(now, len(sample.readings), wrong)
        self.failures, self.tries_again_at = 0, 0
        self.samples += 1


class Board:
    """One post for each device that is set."""

    def __init__(self) -> None:
        self._posts: dict[str, Post] = {}

    def open(self, device: str, driver: Driver) -> Post:
        """A new post: what was known of an earlier setting is not known of this one."""
        post = self._posts[device] = Post(driver)
        return post

    def close(self, device: str) -> None:
        """The device is gone or switched off."""
        self._posts.pop(device, None)

    def get(self, device: str) -> Post | None:
        """The post of a device that runs."""
        return self._posts.get(device)

    def posts(self) -> Mapping[str, Post]:
        """All of them, as they are now."""
        return dict(self._posts)
