"""When a vehicle has entered or left a fence. Pure: hysteresis in metres and in seconds.

In is on the line or inside it. Out is ``margin_m`` outside. Between them nothing changes. What it is must last for
``dwell_s`` seconds of the fixes' own time, so a single stray position crosses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from wanmi.coords import Point

Way = Literal["enter", "leave"]
SECOND = 1_000_000


@dataclass(frozen=True)
class Standing:
    """How a vehicle stands to a fence; ``turning`` is the first fix that says otherwise than ``inside``, and its time.

    ``crossed_at`` is when it crossed last, µs UTC by its own clock; 0: never.
    """

    inside: bool = False
    turning: tuple[int, Point] | None = None
    crossed_at: int = 0

    @property
    def word(self) -> str:
        """``inside``, ``left`` after it has been inside, or ``outside``."""
        return "inside" if self.inside else "left" if self.crossed_at else "outside"


def step(
    standing: Standing, beyond_m: float, margin_m: int, dwell_s: int, at: int, point: Point
) -> tuple[Standing, tuple[Way, int, Point] | None]:
    """The standing after a fix at ``at`` (µs UTC) that lies ``beyond_m`` outside; the crossing if it has become one."""
    turned = beyond_m >= margin_m if standing.inside else beyond_m <= 0
    if not turned or (margin_m == 0 and beyond_m == 0 and standing.inside):
        return replace(standing, turning=None), None
    since, first = standing.turning if standing.turning is not None else (at, point)
    if at - since < dwell_s * SECOND:
        return replace(standing, turning=(since, first)), None
    return Standing(not standing.inside, crossed_at=since), ("leave" if standing.inside else "enter", since, first)
