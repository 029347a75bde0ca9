"""When which report is sent next: in the order in which they were made, again with growing pauses. Pure.

One schedule a broker. A report is *waiting* (due at some time) or *flying* (handed over, not yet taken by the broker).
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Retry:
    """Pauses in seconds. Those between tries double up to ``longest``."""

    unkept: float = 10.0
    """After sending, until the edge says that it keeps the report."""
    kept: float = 60.0
    """While the edge keeps it and the district has not countersigned."""
    later: float = 60.0
    """After a refusal that may pass."""
    longest: float = 600.0
    settle: float = 0.3
    """After a connection came back, to let receipts arrive that waited at the broker."""
    reconnect: float = 0.5
    """Before the second attempt to connect; doubles up to ``reconnect_longest``, give or take 30 %."""
    reconnect_longest: float = 30.0


@dataclass
class Item:
    """One report in the schedule."""

    n: int
    report_id: str
    kept: bool
    tries: int = 0
    wants: int = 0
    want: tuple[str, ...] = ()
    stamp: int = 0
    flying: bool = False
    sent: bool = False


@dataclass
class Schedule:
    """What to send next over one connection; times are seconds of a monotonic clock."""

    retry: Retry
    items: dict[str, Item] = field(default_factory=dict)
    _ready: list[tuple[int, int, str]] = field(default_factory=list)
    _timers: list[tuple[float, int, int, str]] = field(default_factory=list)

    def add(self, n: int, report_id: str, kept: bool, now: float) -> None:
        """A report to be sent: at once if nobody keeps it, else after a pause."""
        if report_id not in self.items:
            item = self.items[report_id] = Item(n, report_id, kept)
            self._wait(item, now + (self.retry.kept if kept else 0))

    def next_due(self, now: float) -> Item | None:
        """The earliest-made report that is due, now flying; None when none is."""
        while self._timers and self._timers[0][0] <= now:
            _, n, stamp, report_id = heapq.heappop(self._timers)
            heapq.heappush(self._ready, (n, stamp, report_id))
        while self._ready:
            _, stamp, report_id = heapq.heappop(self._ready)
            item = self.items.get(report_id)
            if item is not None and item.stamp == stamp:
                item.stamp += 1
                item.flying = True
                return item
        return None

    def sent(self, item: Item, now: float) -> None:
        """The broker has taken it: wait for the edge's answer (which may have come before the broker's)."""
        if item.flying and self.items.get(item.report_id) is item:
            pause = self._pause(self.retry.kept if item.kept else self.retry.unkept, item.tries)
            item.tries += 1
            item.sent = True
            self._wait(item, now + pause)

    def kept(self, report_id: str, now: float) -> None:
        """An edge keeps it: the next try has time. If that was another edge, this one still gets it once."""
        item = self.items.get(report_id)
        if item is not None and not item.kept:
            item.kept, item.tries = True, 0
            if item.sent and not item.flying:
                self._wait(item, now + self.retry.kept)

    def later(self, report_id: str, now: float) -> None:
        """Refused for now: try again after a long pause."""
        item = self.items.get(report_id)
        if item is not None:
            item.tries += 1
            self._wait(item, now + self._pause(self.retry.later, item.tries - 1))

    def want(self, report_id: str, digests: tuple[str, ...], now: float) -> None:
        """The edge misses parts: send them and the report, at once the first time, then with pauses."""
        item = self.items.get(report_id)
        if item is not None:
            pause = self._pause(1.0, item.wants - 1) if item.wants else 0.0
            item.wants += 1
            item.want = digests
            self._wait(item, now + pause)

    def drop(self, report_id: str) -> None:
        """Safe, refused or deleted: nothing more to send."""
        self.items.pop(report_id, None)

    def reconnected(self, now: float) -> None:
        """A connection came up: what nobody keeps is due, in order; what flew is taken back."""
        for item in self.items.values():
            if not item.kept:
                item.tries = 0
                self._wait(item, now)
            elif item.flying:
                self._wait(item, now + self.retry.kept)

    def _pause(self, first: float, tries: int) -> float:
        return float(min(first * 2 ** min(tries, 16), max(self.retry.longest, first)))

    def _wait(self, item: Item, due: float) -> None:
        item.stamp += 1
        item.flying = False
        heapq.heappush(self._timers, (due, item.n, item.stamp, item.report_id))
