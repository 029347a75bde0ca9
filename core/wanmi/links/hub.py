"""All links of one node: frames and commits in, frames out, effects carried out against journal and blobs.

The hub is driven by one loop (a ZeroMQ thread, or the simulator): ``received`` with frames, ``turn`` when woken or
due. What other threads have to say (a commit, a future) is put into an inbox and wakes the loop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

import structlog

from wanmi.clock import Clock
from wanmi.errors import WanmiError
from wanmi.ids import Ids
from wanmi.journal import Cursor, Journal
from wanmi.links.arrivals import Arrivals
from wanmi.links.directory import StoreDepot, StoreDirectory
from wanmi.links.effects import (
    Alarm,
    Apply,
    Arrived,
    Effect,
    Hold,
    NoteCosign,
    PeerDown,
    PeerUp,
    PutChunk,
    Release,
    Send,
)
from wanmi.links.holding import Holding
from wanmi.links.link import Link, LinkStatus
from wanmi.links.tail import Signer
from wanmi.links.terms import Ends, Face, Instant, Limits, Peer, Side, instant
from wanmi.models import ForkRow
from wanmi.registry import Stored
from wanmi.store import Blobs, Store, upsert_rows, vouchers_of

NEWS = 1000
"""Hints about commits that wait for the loop; what is beyond is found by the links' own looking."""
SNAPSHOT = 0.1
"""Seconds between two pictures of the links for pages and probes."""


class Carrier(Protocol):
    """The way to the peers: may lose, double and reorder frames."""

    def send(self, peer: str, frame: bytes) -> None:
        """Send a frame to a peer, or drop it."""
        ...


@dataclass(frozen=True)
class Surroundings:
    """What the hub needs of its node. ``pinned`` is the parent as the settings pin it."""

    face: Face
    parent: str | None
    pinned: Peer | None
    store: Store
    journal: Journal
    blobs: Blobs
    clock: Clock
    ids: Ids
    limits: Limits


class Hub:
    """One node's links."""

    link_class: type[Link] = Link

    def __init__(self, node: Surroundings, carrier: Carrier, wake: Callable[[], None]) -> None:
        self._node = node
        self._carrier = carrier
        self._wake = wake
        self._log = structlog.get_logger("wanmi.links").bind(node=node.face.code)
        self.directory = StoreDirectory(node.store, node.face.code)
        self.depot = StoreDepot(node.store, node.blobs, vouchers_of(node.face.code, node.parent))
        self.alarms: deque[Alarm] = deque(maxlen=100)
        self._links: dict[str, Link] = {}
        self._inbox: deque[Callable[[Instant], None]] = deque()
        self._news: deque[tuple[frozenset[str], bool]] = deque(maxlen=NEWS)
        self._arrivals = Arrivals(node.face.code, node.parent, node.journal, self.directory, self._log)
        self._holding = Holding(node.journal, node.store, Signer(node.face.sign, node.clock))
        self._snapshot: tuple[LinkStatus, ...] = ()
        self._snapshot_at = 0.0
        node.journal.listen(self._told)
        if node.parent is not None:
            self._links[node.parent] = self._new_link(node.parent, "child", node.pinned)

    # --- what the transport tells

    def start(self) -> None:
        """Before the first frame: what a former run left open is journaled."""
        self._arrivals.start(self._now())

    def connected(self) -> None:
        """Child: the way to the parent is open."""
        if self._node.parent is not None:
            self._do(self._links[self._node.parent], self._links[self._node.parent].opened(self._now()))

    def received(self, peer: str, frame: bytes) -> None:
        """A frame came from a peer (for children: one whose CURVE key is admitted)."""
        link = self._links.get(peer)
        if link is None:
            link = self._links[peer] = self._new_link(peer, "parent", None)
        self._do(link, link.on(frame, self._now()))

    def lost(self, peer: str, reason: str) -> None:
        """The way to a peer is gone, or its link is paused."""
        link = self._links.get(peer)
        if link is not None:
            self._do(link, link.closed(reason, self._now()))

    def turn(self) -> None:
        """Take in what other threads said, let time pass in every link, journal what is due."""
        while self._inbox or self._news:
            self._take_in()
        now = self._now()
        for link in list(self._links.values()):
            if now.mono >= link.due():
                self._do(link, link.tick(now))
        self._arrivals.flush(now)
        if now.mono >= self._snapshot_at:
            self._snapshot_at = now.mono + SNAPSHOT
            self._snapshot = tuple(link.status() for link in self._links.values())

    def due(self) -> float:
        """The monotonic second at which ``turn`` is to be called at the latest."""
        if self._inbox or self._news:
            return self._node.clock.monotonic()
        return min([self._arrivals.due(), *(link.due() for link in self._links.values())])

    def status(self) -> tuple[LinkStatus, ...]:
        """Every link as the last turn left it (thread safe)."""
        return self._snapshot

    @property
    def held(self) -> str:
        """Why this node writes nothing now; empty when it does."""
        return next(iter(self._holding.peers.values()), "")

    @property
    def waits_for(self) -> dict[str, str]:
        """Who is to be heard before this node writes, and why; empty when it writes."""
        return self._holding.peers

    @property
    def lacking(self) -> list[int]:
        """Own entries that are proved to have been and whose bytes nobody has given back."""
        return self._holding.lacking

    def give_up(self, reason: str, actor: str | None) -> Future[list[Stored]]:
        """In the loop's thread: a person ends the wait for this node's own lost entries; see ``Holding.give_up``."""
        return self._holding.give_up(reason, actor)

    @property
    def links(self) -> dict[str, Link]:
        """The links by peer."""
        return self._links

    # --- inside

    def _new_link(self, peer: str, side: Side, pinned: Peer | None) -> Link:
        node = self._node
        ends = Ends(node.face, node.journal, self.directory, self.depot, node.ids, node.limits)
        link = self.link_class(ends, peer, side, pinned)
        if peer in self._holding.peers:
            link.remember_lost_tail()
        return link

    def _now(self) -> Instant:
        return instant(self._node.clock)

    def _told(self, new: Sequence[Stored]) -> None:
        """In the writer's thread, after a commit."""
        self._news.append((frozenset(stored.origin for stored in new), self.directory.told(new)))
        self._wake()

    def _take_in(self) -> None:
        now = self._now()
        while self._inbox:
            self._inbox.popleft()(now)
        grown: set[str] = set()
        nodes_changed = False
        while self._news:
            origins, about_nodes = self._news.popleft()
            grown |= origins
            nodes_changed |= about_nodes
        for link in list(self._links.values()):
            if nodes_changed:
                self._do(link, link.tick(now))
            for origin in sorted(grown):
                self._do(link, link.advanced(origin, now))

    def _later(self, what: Callable[[Instant], None]) -> None:
        self._inbox.append(what)
        self._wake()

    def _do(self, link: Link, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send():
                    self._carrier.send(link.peer, effect.frame)
                case Apply():
                    self._apply(link, effect)
                case NoteCosign():
                    self._node.journal.note_cosign(effect.cosign)
                case PutChunk():
                    self._put_chunk(link, effect)
                case Arrived():
                    self._arrivals.arrived(link.peer, effect)
                case PeerUp() | PeerDown():
                    self._changed(link, effect)
                case Hold() | Release():
                    self._hold_or_release(link, effect)
                case Alarm():
                    self._alarm(link, effect)

    def _hold_or_release(self, link: Link, effect: Hold | Release) -> None:
        if isinstance(effect, Release):
            self._holding.release(link.peer)
            self._log.warning("this peer gave back what it holds of our chain", peer=link.peer, held=self.held)
            return
        self._log.error("this node lost its own tail; nothing is written until it is back", peer=link.peer)
        peers = [self._node.parent] if self._node.parent is not None else []
        self._holding.hold(link.peer, effect.reason, [*peers, *(child.code for child in self.directory.children())])
        self._remember_held()

    def _remember_held(self) -> None:
        """Links to peers that are to be heard say when they were: also those that stood already."""
        for peer in self._holding.peers:
            if peer in self._links:
                self._links[peer].remember_lost_tail()

    def _apply(self, link: Link, effect: Apply) -> None:
        def done(future: Future[Cursor]) -> None:
            error = future.exception()
            result = future.result() if error is None else error
            if isinstance(result, Exception | Cursor):
                self._later(lambda now: self._do(link, link.committed(effect, result, now)))

        if effect.own:
            future = self._holding.take(effect.batch, link.peer)
            self._remember_held()
        else:
            future = self._node.journal.apply(effect.batch, link.peer)
        future.add_done_callback(done)

    def _put_chunk(self, link: Link, effect: PutChunk) -> None:
        blobs, blob = self._node.blobs, effect.blob
        try:
            at = blobs.receive(blob, effect.offset, effect.data)
            if at < effect.size or not effect.key:
                self._do(link, link.blob_at(blob, at, self._now()))
                return
            future = blobs.finish(blob, effect.key)
        except (WanmiError, OSError) as error:
            self._log.warning("a blob could not be stored; it is fetched again", blob=blob, error=str(error))
            self._do(link, link.blob_done(blob, error, self._now()))
            return

        def done(finished: Future[None]) -> None:
            error = finished.exception()
            problem = error if isinstance(error, Exception) else None
            self._later(lambda now: self._do(link, link.blob_done(blob, problem, now)))

        future.add_done_callback(done)

    def _changed(self, link: Link, effect: PeerUp | PeerDown) -> None:
        self._snapshot_at = 0.0
        up = isinstance(effect, PeerUp)
        reason = effect.reason if isinstance(effect, PeerDown) else ""
        self._log.info("link up" if up else "link down", peer=link.peer, reason=reason)
        if link.side == "parent":
            self._arrivals.changed(link.peer, up, reason, self._now())
            if up:
                self._arrivals.catch_up(link.peer, self._now())

    def _alarm(self, link: Link, alarm: Alarm) -> None:
        self.alarms.append(alarm)
        self._log.error("link alarm", peer=link.peer, kind=alarm.kind, text=alarm.text)
        if alarm.kind == "fork" and alarm.origin and alarm.seq:
            row = (alarm.origin, alarm.seq, alarm.hash, None, alarm.evidence or None, link.peer, self._now().wall)
            self._node.store.write(lambda tx: upsert_rows(tx, ForkRow, [row]))
