"""Whether what a receiver says can be. Pure: from epochs and the node's time to fixes with a state and its reason.

valid         a position of now, from satellites, where the vehicle can be
no_fix        the receiver says that it has none; the position is None, never an old one and never (0, 0)
stale         its time stands still or lies behind the node's: an old position that it repeats
implausible   (0, 0), a jump, a time in the future, sentences that contradict each other, a simulator
"""

from __future__ import annotations

from dataclasses import dataclass

from wanmi.coords import Point, distance_m
from wanmi.devices import Fix, FixState
from wanmi_hardware.gnss.epochs import Epoch

SECOND = 1_000_000
WEEK = 7 * 86_400 * SECOND
ROLL_OVER = 1024 * WEEK
"""GPS counts weeks modulo 1024: an old receiver's date falls back by this, and by twice this."""
NULL_ISLAND_E7 = 10_000
"""1e-7 degree: nearer than 0.001 degree to (0, 0) is a receiver without a fix, not a vehicle in the Gulf of Guinea."""


@dataclass(frozen=True)
class Bounds:
    """What can be. Speed in m/s, ``slack_m`` metres that a position may wander, times in seconds.

    ``agree``: so many positions in a row that agree with each other are believed though they jumped away.
    """

    speed: float = 90.0
    slack_m: float = 150.0
    ahead: float = 60.0
    behind: float = 60.0
    frozen: float = 5.0
    agree: int = 5


class Judge:
    """Judges the epochs of one receiver, one after another."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._last: tuple[Point, int] | None = None
        self._doubted: list[tuple[Point, int]] = []
        self._newest = (0, 0)

    def judge(self, epoch: Epoch) -> Fix:
        """The epoch's fix. Its position is given when it is valid, and when it is what is implausible or stale."""
        made_at, note = unrolled(epoch)
        if not epoch.has_fix or epoch.how == "none" or not epoch.points:
            return _fix(epoch, made_at, "no_fix", note)
        if epoch.how == "estimated":
            return _fix(epoch, made_at, "no_fix", "its position is reckoned, not received")
        state, reason = self._found(epoch, made_at)
        return _fix(epoch, made_at, state, reason or note, epoch.points[0] if _can_show(epoch) else None)

    def _found(self, epoch: Epoch, made_at: int | None) -> tuple[FixState, str]:
        wrong = _impossible(epoch) or self._from_the_future(epoch, made_at)
        if wrong:
            return "implausible", wrong
        old = self._stands_still(epoch, made_at)
        if old:
            return "stale", old
        moved = self._jumped(epoch.points[0], epoch.arrived_at)
        return ("implausible", moved) if moved else ("valid", "")

    def _from_the_future(self, epoch: Epoch, made_at: int | None) -> str:
        ahead = (made_at - epoch.arrived_at) / SECOND if made_at is not None else 0.0
        return f"its time is {ahead:.0f} s ahead of this node's" if ahead > self._bounds.ahead else ""

    def _stands_still(self, epoch: Epoch, made_at: int | None) -> str:
        if made_at is None:
            return ""
        newest, since = self._newest
        if made_at != newest:
            self._newest = (made_at, epoch.arrived_at)
        elif epoch.arrived_at - since > self._bounds.frozen * SECOND:
            return f"its time stands still since {(epoch.arrived_at - since) / SECOND:.0f} s"
        behind = (epoch.arrived_at - made_at) / SECOND
        return f"its time is {behind:.0f} s behind this node's" if behind > self._bounds.behind else ""

    def _jumped(self, point: Point, at: int) -> str:
        """Against the last good position; a new place is believed once enough positions agree on it."""
        if self._last is None or self._reaches(self._last, point, at):
            self._last, self._doubted = (point, at), []
            return ""
        metres = distance_m(self._last[0], point)
        if self._doubted and not self._reaches(self._doubted[-1], point, at):
            self._doubted = []
        self._doubted.append((point, at))
        if len(self._doubted) < self._bounds.agree:
            return f"it jumped {metres:.0f} m in {(at - self._last[1]) / SECOND:.1f} s"
        self._last, self._doubted = (point, at), []
        return ""

    def _reaches(self, there: tuple[Point, int], point: Point, at: int) -> bool:
        seconds = max(0.0, (at - there[1]) / SECOND)
        return distance_m(there[0], point) <= self._bounds.slack_m + self._bounds.speed * seconds


def unrolled(epoch: Epoch) -> tuple[int | None, str]:
    """The epoch's time with lost spans of 1024 weeks added again, where that brings it to the node's day."""
    made_at = epoch.made_at
    if made_at is None:
        return None, ""
    spans = round((epoch.arrived_at - made_at) / ROLL_OVER)
    better = made_at + spans * ROLL_OVER
    if spans >= 1 and abs(better - epoch.arrived_at) < WEEK // 7:
        return better, f"week roll-over: its date is {spans * 1024} weeks too early"
    return made_at, ""


def _impossible(epoch: Epoch) -> str:
    point = epoch.points[0]
    if not _can_show(epoch):
        return "it says (0, 0)"
    if abs(point.lon_e7) > 180 * 10**7 or abs(point.lat_e7) > 90 * 10**7:
        return "its position is not on earth"
    if epoch.disagrees:
        return "its sentences give different positions for one moment"
    return f"its position is {epoch.how}" if epoch.how in ("manual", "simulated") else ""


def _can_show(epoch: Epoch) -> bool:
    return all(max(abs(one.lon_e7), abs(one.lat_e7)) > NULL_ISLAND_E7 for one in epoch.points)


def _fix(epoch: Epoch, made_at: int | None, state: FixState, reason: str, point: Point | None = None) -> Fix:
    has = point is not None
    return Fix(
        state, made_at,
        lon_e7=point.lon_e7 if point else None, lat_e7=point.lat_e7 if point else None,
        altitude_cm=epoch.altitude_cm if has else None, speed_cm_s=epoch.speed_cm_s if has else None,
        course_cdeg=epoch.course_cdeg if has else None, satellites=epoch.satellites, hdop=epoch.hdop,
        systems=tuple(sorted(epoch.used)), reason=reason,
    )  # fmt: skip
