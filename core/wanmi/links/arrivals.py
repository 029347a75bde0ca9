"""What a parent journals about its links: arrivals of its children's chains, links up and down. A child does not."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from wanmi.entries import EVERYONE, Audience
from wanmi.errors import WanmiError
from wanmi.journal import Cursor, Journal
from wanmi.kinds import ArrivalNoted, LinkChanged
from wanmi.links.directory import StoreDirectory
from wanmi.links.effects import Arrived
from wanmi.links.terms import Instant
from wanmi.registry import Draft

EVERY = 1.0
"""Seconds between two journaled arrivals of one origin."""


@dataclass(frozen=True)
class _Arrival:
    via: str
    cursor: Cursor
    at: int


class Arrivals:
    """Gathers arrivals and journals the newest of each origin at most once a second."""

    def __init__(self, me: str, parent: str | None, journal: Journal, directory: StoreDirectory, log: Any) -> None:
        self._audience: Audience = EVERYONE if parent is None else (parent,)
        self._me = me
        self._journal = journal
        self._directory = directory
        self._log = log
        self._waiting: dict[str, _Arrival] = {}
        self._next: dict[str, float] = {}
        self._noted: dict[str, int] = {}

    @property
    def waiting(self) -> bool:
        """Whether an arrival is not journaled yet."""
        return bool(self._waiting)

    def start(self, now: Instant) -> None:
        """After a start: links that a former run left as up are down until their children call."""
        self._noted = self._directory.noted()
        for peer in sorted(self._directory.links_up()):
            self.changed(peer, False, "this node was restarted", now)

    def arrived(self, via: str, arrival: Arrived) -> None:
        """More of a chain is durable here."""
        if arrival.cursor.seq > self._noted.get(arrival.origin, 0):
            self._waiting[arrival.origin] = _Arrival(via, arrival.cursor, arrival.at)

    def catch_up(self, via: str, now: Instant) -> None:
        """A child is back: what was applied before a crash and not noted is noted now."""
        for origin, cursor in self._journal.cursors().items():
            if origin != self._me and self._directory.through(via, origin):
                self.arrived(via, Arrived(origin, cursor, now.wall))

    def due(self) -> float:
        """The monotonic second of the next arrival to journal."""
        return min((self._next.get(origin, 0.0) for origin in self._waiting), default=float("inf"))

    def flush(self, now: Instant) -> None:
        """Journal what is due."""
        if self._journal.held is not None:
            return
        due = [origin for origin in self._waiting if now.mono >= self._next.get(origin, 0.0)]
        drafts = []
        for origin in due:
            arrival = self._waiting.pop(origin)
            self._next[origin] = now.mono + EVERY
            self._noted[origin] = arrival.cursor.seq
            body = ArrivalNoted(origin, arrival.via, arrival.cursor.seq, arrival.cursor.hash.hex(), arrival.at)
            drafts.append(Draft("arrival.noted", f"arrival:{origin}", body, self._audience))
        if drafts:
            self._append(*drafts)

    def changed(self, peer: str, up: bool, reason: str, now: Instant) -> None:
        """Journal that a child's link went up or down."""
        body = LinkChanged(peer, up, reason, now.wall)
        self._append(Draft("link.changed", f"link:{peer}", body, self._audience))

    def _append(self, *drafts: Draft) -> None:
        def done(future: Future[Any]) -> None:
            error = future.exception()
            if isinstance(error, WanmiError):
                self._log.warning("not journaled", what=drafts[0].kind, error=str(error))

        self._journal.append(*drafts).add_done_callback(done)
