"""Was the collector there? Judged from an answer's fix, its distance to the place and the terminal's other fixes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from wanmi.coords import Datum, Point, distance_m, to_wgs84
from wanmi.reports.answers import Answer
from wanmi.reports.envelope import Report

Grade = Literal["fine", "doubtful", "absent"]
_ORDER: tuple[Grade, ...] = ("fine", "doubtful", "absent")
SECOND = 1_000_000


class Doubt(StrEnum):
    """Why presence is not plain; a code keeps its meaning for ever."""

    TOO_FAR = "too_far"
    NOT_NEAR = "not_near"
    NOT_GNSS = "not_gnss"
    POOR_ACCURACY = "poor_accuracy"
    FEW_SATELLITES = "few_satellites"
    OLD_FIX = "old_fix"
    FIX_AFTER = "fix_after"
    FAST = "fast"
    IMPOSSIBLE_SPEED = "impossible_speed"

    @property
    def grade(self) -> Grade:
        """How much the doubt weighs."""
        return "absent" if self in (Doubt.TOO_FAR, Doubt.IMPOSSIBLE_SPEED) else "doubtful"


@dataclass(frozen=True)
class Fix:
    """Where a terminal said it was: WGS-84, the fix's time and the time it was used (µs UTC), what is known of its quality."""

    point: Point
    at: int
    made_at: int
    accuracy_m: float = 0.0
    source: Literal["gnss", "network", "manual"] = "gnss"
    satellites: int | None = None


@dataclass(frozen=True)
class PresenceRules:
    """Metres, seconds and metres a second; beyond ``far_m`` and ``fastest_mps`` nobody was there."""

    near_m: int = 50
    far_m: int = 200
    accuracy_m: int = 50
    satellites: int = 4
    fix_age_s: int = 30
    ahead_s: int = 5
    fast_mps: int = 30
    fastest_mps: int = 60


@dataclass(frozen=True)
class Presence:
    """The judgement: whole metres, whole metres a second (None: nothing to compare with), the doubts in order."""

    grade: Grade
    distance_m: int
    speed_mps: int | None
    reasons: tuple[str, ...]


def fix_of(said: Answer | Report) -> Fix:
    """The fix in what a terminal signed."""
    datum: Datum = said.datum
    point = to_wgs84(Point(said.lon_e7, said.lat_e7), datum)
    accuracy = (said.accuracy_cm or 0) / 100
    return Fix(point, said.fix_at, said.made_at, accuracy, said.fix, said.satellites)


def judge_presence(
    fix: Fix, place: Point, others: tuple[Fix, ...] = (), rules: PresenceRules | None = None
) -> Presence:
    """Whether the terminal was at ``place`` (WGS-84); ``others`` are its fixes before and after, in any order.

    A distance counts less the accuracy that the receiver gave (at most ``rules.accuracy_m`` of it: a fix that claims to know
    nothing excuses nothing); a speed is that between two fixes less both accuracies, over at least a second.
    """
    rules = rules or PresenceRules()
    distance = distance_m(fix.point, place)
    speeds = [speed_between(fix, other, rules) for other in others]
    speed = max(speeds, default=None)
    doubts = [*_of_place(distance - min(fix.accuracy_m, rules.accuracy_m), rules), *_of_fix(fix, rules)]
    doubts += _of_speed(speed, rules)
    grade = max((doubt.grade for doubt in doubts), key=_ORDER.index) if doubts else "fine"
    return Presence(grade, round(distance), None if speed is None else round(speed), tuple(map(str, doubts)))


def speed_between(a: Fix, b: Fix, rules: PresenceRules) -> float:
    """Metres a second that the terminal must have moved at least, going straight from one fix to the other."""
    slack = min(a.accuracy_m, rules.accuracy_m) + min(b.accuracy_m, rules.accuracy_m)
    way = max(0.0, distance_m(a.point, b.point) - slack)
    return way / max(1.0, abs(a.at - b.at) / SECOND)


def _of_place(distance: float, rules: PresenceRules) -> list[Doubt]:
    if distance > rules.far_m:
        return [Doubt.TOO_FAR]
    return [Doubt.NOT_NEAR] if distance > rules.near_m else []


def _of_fix(fix: Fix, rules: PresenceRules) -> list[Doubt]:
    age = (fix.made_at - fix.at) / SECOND
    found = {
        Doubt.NOT_GNSS: fix.source != "gnss",
        Doubt.POOR_ACCURACY: fix.accuracy_m > rules.accuracy_m,
        Doubt.FEW_SATELLITES: fix.satellites is not None and fix.satellites < rules.satellites,
        Doubt.OLD_FIX: age > rules.fix_age_s,
        Doubt.FIX_AFTER: age < -rules.ahead_s,
    }
    return [doubt for doubt, holds in found.items() if holds]


def _of_speed(speed: float | None, rules: PresenceRules) -> list[Doubt]:
    if speed is None or speed <= rules.fast_mps:
        return []
    return [Doubt.IMPOSSIBLE_SPEED if speed > rules.fastest_mps else Doubt.FAST]
