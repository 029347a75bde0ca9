"""What a bad line does to a packet: pure, seeded, the same for both relays."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Literal

Direction = Literal["up", "down"]
"""``up`` is from the child to its parent."""


@dataclass(frozen=True)
class Weather:
    """A line's state. Chances are 0 to 1 a packet; ``kbit`` 0 and ``largest`` 0 mean without limit.

    ``rtt_ms`` is there and back. ``queue`` is how many bytes wait for the line in front of its ``kbit``; what is
    beyond is dropped. ``largest`` drops longer packets without a word, as a black hole does.
    """

    rtt_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    double: float = 0.0
    reorder: float = 0.0
    kbit: float = 0.0
    queue: int = 128 * 1024
    largest: int = 0
    cut: Literal["", "up", "down", "both"] = ""

    def is_cut(self, direction: Direction) -> bool:
        """Whether nothing gets through that way."""
        return self.cut in ("both", direction)


@dataclass
class Lane:
    """One direction of a line: when a packet that enters now leaves it, if it does, and how often."""

    direction: Direction
    dice: random.Random
    weather: Weather = field(default_factory=Weather)
    _free_at: float = 0.0
    _last: float = 0.0

    def become(self, weather: Weather) -> None:
        """Change the weather; what is under way stays so."""
        self.weather = replace(weather)

    def leaves(self, now: float, size: int) -> list[float]:
        """When each copy of a packet of ``size`` bytes leaves (seconds); empty: it is lost."""
        w = self.weather
        if w.is_cut(self.direction) or (w.largest and size > w.largest):
            return []
        through = self._through_the_rate(now, size)
        if through is None or self.dice.random() < w.loss:
            return []
        times = [self._after_the_way(through)]
        if self.dice.random() < w.double:
            times.append(self._after_the_way(through))
        return times

    def _through_the_rate(self, now: float, size: int) -> float | None:
        """When the packet's last bit is on the line; None when the queue is full."""
        if not self.weather.kbit:
            return now
        bits = self.weather.kbit * 1000
        start = max(now, self._free_at)
        if (start - now) * bits / 8 > self.weather.queue:
            return None
        self._free_at = start + size * 8 / bits
        return self._free_at

    def _after_the_way(self, start: float) -> float:
        """Half the round trip later, in order; a reordered packet is late and those behind overtake it."""
        w = self.weather
        due = start + (w.rtt_ms / 2 + self.dice.random() * w.jitter_ms) / 1000
        if self.dice.random() < w.reorder:
            return due + max(w.rtt_ms / 2, 1.0) / 1000
        self._last = due = max(due, self._last)
        return due
