"""What terminals say of themselves: the newest in memory, told to the district in one entry a minute for all of them.

Nothing is promised by a status, so none is on disk here before its entry: a terminal says it again in a few minutes. The
entry's countersignature goes back as the status' ``safe`` receipt: the heartbeat's way through the district.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from wanmi.clock import SECOND
from wanmi.registry import Draft, NodeContext
from wanmi.reports.statuses import HeardTerminal, Status, TerminalsHeard, heard_of, heard_subject

AT_ONCE = 100
"""Terminals in one entry: about 30 KB."""


class StatusDesk:
    """Takes statuses from the intake's thread; ``step`` is called by the tasks' thread."""

    def __init__(self, node: NodeContext, every: int) -> None:
        self._node = node
        self._every = every * SECOND
        self._by = f"edge@{node.registry.plugins.get('edge', '0')}"
        self._lock = threading.Lock()
        self._newest: dict[str, tuple[Status, int]] = {}
        self._untold: dict[str, HeardTerminal] = {}
        self._told_at = 0.0

    def heard(self, status: Status) -> None:
        """A terminal said how it is; older than what is known (a broker brought it late) changes nothing."""
        now = self._node.clock.now()
        with self._lock:
            known = self._newest.get(status.terminal)
            if known is None or status.made_at > known[0].made_at:
                self._newest[status.terminal] = (status, now)
                self._untold[status.terminal] = heard_of(status, now)

    def newest(self) -> Mapping[str, tuple[Status, int]]:
        """The newest status of each terminal since the start, and when it came (µs UTC)."""
        with self._lock:
            return dict(self._newest)

    def step(self) -> None:
        """Tell the district, at most once in the time between; durable when it returns."""
        now = self._node.clock.monotonic()
        with self._lock:
            due = self._untold and (not self._told_at or now - self._told_at >= self._every / SECOND)
            told = list(self._untold.values())[:AT_ONCE] if due else []
        if not told:
            return
        self._told_at = now
        audience = (self._node.parent,) if self._node.parent else (self._node.code,)
        draft = Draft("terminals.heard", heard_subject(self._node.code), TerminalsHeard(told), audience, by=self._by)
        self._node.journal.append(draft).result()
        with self._lock:
            for one in told:
                if self._untold.get(one.terminal) == one:
                    del self._untold[one.terminal]
