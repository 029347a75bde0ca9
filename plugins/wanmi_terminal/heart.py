"""How a terminal is, said every few minutes, and whether that went the whole way to the district and back."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wanmi.reports import Receipt, Status, TrackFix
from wanmi.reports.envelope import MAX_INT

EVERY_S = 300.0
"""Seconds between two statuses; one also goes after each connection."""
REMEMBERED = 50
"""Statuses whose receipt is waited for; an outage forgets the oldest."""
_SUPPLIES = Path("/sys/class/power_supply")


@dataclass(frozen=True)
class Power:
    """The battery in percent and whether it charges, None where there is none."""

    battery: int | None = None
    charging: bool | None = None


def read_power(supplies: Path = _SUPPLIES) -> Power:
    """The first battery that Linux shows."""
    for capacity in sorted(supplies.glob("*/capacity")):
        try:
            level = int(capacity.read_text())
            state = (capacity.parent / "status").read_text().strip()
        except (OSError, ValueError):
            continue
        return Power(min(100, max(0, level)), state in ("Charging", "Full"))
    return Power()


@dataclass(frozen=True)
class Beat:
    """How a heart beats: where the battery is read, seconds between two statuses."""

    power: Callable[[], Power] = read_power
    every: float = EVERY_S


class Heart:
    """Makes statuses and recognises their receipts; its caller holds the terminal's lock."""

    def __init__(self, terminal: str, app: str, beat: Beat) -> None:
        self._terminal = terminal
        self._app = app
        self._power = beat.power
        self.every = beat.every
        self._waiting: OrderedDict[str, int] = OrderedDict()
        self.fix: TrackFix | None = None
        """The newest position, if the terminal tells positions at all."""
        self.confirmed_at: int | None = None
        self.round_trip_ms: int | None = None

    def beat(self, status_id: str, now: int, queue: int, refused: int, tasks: int) -> Status:
        """The status at ``now`` (µs UTC)."""
        self._waiting[status_id] = now
        while len(self._waiting) > REMEMBERED:
            self._waiting.popitem(last=False)
        power, fix = self._power(), self.fix
        return Status(
            v=1, terminal=self._terminal, status_id=status_id, made_at=now, app=self._app, battery=power.battery,
            charging=power.charging, queue=queue, refused=refused, tasks=tasks, lon_e7=fix.lon_e7 if fix else None,
            lat_e7=fix.lat_e7 if fix else None, fix_at=fix.at if fix else None, confirmed_at=self.confirmed_at,
            round_trip_ms=self.round_trip_ms,
        )  # fmt: skip

    def heard(self, receipt: Receipt, now: int) -> bool:
        """Whether a receipt (``safe``: its countersignature verified) is a status' own; it proves the way."""
        made_at = self._waiting.get(receipt.report_id or "")
        if made_at is None:
            return False
        if receipt.status == "safe":
            self.confirmed_at = now
            self.round_trip_ms = min(MAX_INT, max(0, now - made_at) // 1000)
            for earlier in [id for id, at in self._waiting.items() if at <= made_at]:
                del self._waiting[earlier]
        return True
