"""A network that loses, doubles, delays, reorders and cuts, in one direction or both, and has slow lines; seeded."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from wanmi.links.frames import decode

QUEUE = 4.0
"""Seconds of traffic that wait before a slow line; what comes then is dropped."""


@dataclass(frozen=True)
class Weather:
    """How bad the network is: probabilities of loss, doubling and of a frame that comes very late."""

    loss: float = 0.0
    double: float = 0.0
    late: float = 0.0
    delay: float = 0.01
    jitter: float = 0.0


Way = tuple[str, str]
"""From one node to another."""


@dataclass
class Net:
    """Frames between nodes; ``schedule`` runs an action after some virtual seconds, ``now`` is their count."""

    rng: random.Random
    now: Callable[[], float]
    schedule: Callable[[float, Callable[[], None]], None]
    deliver: Callable[[str, str, bytes], None]
    sent: Callable[[str, str, bytes], None]
    weather: Weather = field(default_factory=Weather)
    cut: set[Way] = field(default_factory=set)
    rates: dict[Way, float] = field(default_factory=dict)
    """Bytes a second of the slow lines."""
    frames: int = 0
    _busy: dict[Way, float] = field(default_factory=dict)

    def send(self, source: str, target: str, frame: bytes) -> None:
        """A node sends a frame: it may arrive, once or twice, now or long after its session."""
        self.frames += 1
        self.sent(source, target, frame)
        copies = 1 + (self.rng.random() < self.weather.double)
        for _ in range(copies):
            wait = self._queued((source, target), len(frame))
            if self.rng.random() >= self.weather.loss and wait <= QUEUE:
                self.schedule(wait + self._delay(), lambda: self._arrive(source, target, frame))

    def mend(self) -> None:
        """Good weather, no cut, no slow line."""
        self.weather = Weather(delay=0.02)
        self.cut.clear()
        self.rates.clear()

    def _queued(self, way: Way, size: int) -> float:
        rate = self.rates.get(way)
        if rate is None:
            return 0.0
        free = max(self._busy.get(way, 0.0), self.now()) + size / rate
        wait = free - self.now()
        if wait <= QUEUE:
            self._busy[way] = free
        return wait

    def _delay(self) -> float:
        if self.rng.random() < self.weather.late:
            return self.rng.uniform(2.0, 15.0)
        return self.weather.delay + self.rng.random() * self.weather.jitter

    def _arrive(self, source: str, target: str, frame: bytes) -> None:
        if (source, target) not in self.cut:
            self.deliver(source, target, frame)


def session_of(frame: bytes) -> bytes:
    """The session that a frame belongs to."""
    return decode(frame).session
