"""A network that loses, doubles, delays, reorders and cuts; seeded."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from wanmi.links.frames import decode


@dataclass(frozen=True)
class Weather:
    """How bad the network is: probabilities of loss, doubling and of a frame that comes very late."""

    loss: float = 0.0
    double: float = 0.0
    late: float = 0.0
    delay: float = 0.01
    jitter: float = 0.0


@dataclass
class Net:
    """Frames between nodes; ``schedule`` runs an action after some virtual seconds."""

    rng: random.Random
    schedule: Callable[[float, Callable[[], None]], None]
    deliver: Callable[[str, str, bytes], None]
    sent: Callable[[str, str, bytes], None]
    weather: Weather = field(default_factory=Weather)
    cut: set[frozenset[str]] = field(default_factory=set)
    frames: int = 0

    def send(self, source: str, target: str, frame: bytes) -> None:
        """A node sends a frame: it may arrive, once or twice, now or long after its session."""
        self.frames += 1
        self.sent(source, target, frame)
        copies = 1 + (self.rng.random() < self.weather.double)
        for _ in range(copies):
            if self.rng.random() >= self.weather.loss:
                self.schedule(self._delay(), lambda: self._arrive(source, target, frame))

    def _delay(self) -> float:
        if self.rng.random() < self.weather.late:
            return self.rng.uniform(2.0, 15.0)
        return self.weather.delay + self.rng.random() * self.weather.jitter

    def _arrive(self, source: str, target: str, frame: bytes) -> None:
        if frozenset((source, target)) not in self.cut:
            self.deliver(source, target, frame)


def session_of(frame: bytes) -> bytes:
    """The session that a frame belongs to."""
    return decode(frame).session
