"""One epoch's sentences joined. Pure.

Sentences of one time of day belong together, with those without a time that come between. An epoch ends with a
sentence of another time, with one of a kind that it has already (a receiver whose time stands still), or by ``flush``
when the line is silent.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from wanmi.coords import Point, distance_m
from wanmi_hardware.gnss.sentences import Said

DAY = 86_400 * 1_000_000
ONCE = ("GGA", "RMC", "GLL", "GNS", "ZDA")
POSITIONS = ("GGA", "RMC", "GLL", "GNS")
AGREE_M = 60.0
"""Metres that positions of one epoch may lie apart: receivers round them differently. More: one of them is damaged."""


@dataclass(frozen=True)
class Epoch:
    """What a receiver said for one moment. ``made_at`` µs UTC, None without a date; ``arrived_at`` when it began to come.

    ``has_fix``: every sentence with a position says so. ``satellites`` counts what is in use, ``used`` by constellation.
    """

    arrived_at: int
    made_at: int | None = None
    has_fix: bool = False
    points: tuple[Point, ...] = ()
    how: str = ""
    dimensions: int | None = None
    altitude_cm: int | None = None
    speed_cm_s: int | None = None
    course_cdeg: int | None = None
    satellites: int | None = None
    hdop: int | None = None
    used: dict[str, int] = field(default_factory=dict)
    snrs: tuple[int, ...] = ()
    antenna: str = ""

    @property
    def disagrees(self) -> bool:
        """Whether its positions contradict each other."""
        return any(distance_m(self.points[0], point) > AGREE_M for point in self.points[1:])


class EpochBuilder:
    """Joins sentences to epochs; remembers the date, and carries it over midnight while only times come."""

    def __init__(self) -> None:
        self._said: list[Said] = []
        self._time: int | None = None
        self._arrived = 0
        self._day: int | None = None
        self._dated_time = 0

    def take(self, said: Said, arrived_at: int) -> Epoch | None:
        """Add a sentence; the epoch before it when this one begins another."""
        done = self.flush() if self._ends(said) else None
        if not self._said:
            self._arrived = arrived_at
        self._said.append(said)
        if said.time is not None:
            self._time = said.time
        return done

    def flush(self) -> Epoch | None:
        """What came until now as an epoch; None when it says nothing of a fix."""
        said, self._said = self._said, []
        time, self._time = self._time, None
        if not any(one.kind in POSITIONS for one in said):
            return None
        return _joined(said, self._arrived, self._moment(said, time))

    def _ends(self, said: Said) -> bool:
        if said.kind not in ONCE:
            return len(self._said) >= 64
        other = self._time is not None and said.time is not None and said.time != self._time
        return other or any(one.kind == said.kind for one in self._said)

    def _moment(self, said: list[Said], time: int | None) -> int | None:
        """Date and time; without a date the last one counts, a day later when the time of day fell back by half a day."""
        days = [one.day for one in said if one.day is not None]
        if time is None:
            return None
        if days:
            self._day = days[0] if len(set(days)) == 1 else None
        elif self._day is not None and time < self._dated_time - DAY // 2:
            self._day += 1
        self._dated_time = time
        return None if self._day is None else self._day * DAY + time


def _joined(said: list[Said], arrived_at: int, made_at: int | None) -> Epoch:
    words = [one.has_fix for one in said if one.has_fix is not None]
    dimensions = [one.dimensions for one in said if one.dimensions is not None]
    hows = [one.how for one in said if one.how]
    used = {one for each in said for one in each.used}
    systems: dict[str, int] = {}
    for system, _ in used:
        systems[system] = systems.get(system, 0) + 1
    best = max(dimensions, default=None)
    return Epoch(
        arrived_at, made_at,
        has_fix=all(words) and best != 0,
        points=tuple(Point(o.lon_e7, o.lat_e7) for o in said if o.lon_e7 is not None and o.lat_e7 is not None),
        how=_how(hows), dimensions=best,
        altitude_cm=_first(said, "altitude_cm"), speed_cm_s=_first(said, "speed_cm_s"),
        course_cdeg=_first(said, "course_cdeg"),
        satellites=_in_use(said, len(used)),
        hdop=_first(said, "hdop"), used=systems, snrs=tuple(snr for one in said for _, _, snr in one.heard),
        antenna=next((one.antenna for one in said if one.antenna), ""),
    )  # fmt: skip


def _how(hows: list[str]) -> str:
    """GGA's word says the most; a doubtful one (none, estimated, manual, simulated) of any sentence prevails."""
    doubtful = [one for one in hows if one in ("none", "estimated", "manual", "simulated")]
    return (doubtful or sorted(hows, key=lambda one: one == "plain") or ["plain"])[0]


def _in_use(said: list[Said], named: int) -> int | None:
    """GGA's count ends at 12 with many receivers; GSA's satellites by name may be more."""
    counted = _first(said, "satellites")
    return max(counted, named) if counted is not None else named or None


def _first(said: list[Said], name: str) -> int | None:
    return next((value for one in said if (value := getattr(one, name)) is not None), None)
