"""Real nodes without the node: SQLite files, keys, journal, blobs, and links over a transport that a test picks."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from wanmi.clock import SystemClock
from wanmi.identity import NodeKeys, z85_decode
from wanmi.ids import SystemIds
from wanmi.journal import Cursor, Journal, register_core
from wanmi.kinds import Attachment, ClockStepped, NodeAdmitted, NodeRevoked, ReportReceived, Role
from wanmi.links import LINK_ROWS, Face, Hub, Limits, Peer, Surroundings
from wanmi.registry import Draft, Registry
from wanmi.store import Blobs, Store
from wanmi_federation.loop import LinkLoop, Places
from wanmi_federation.sockets import CurveKeys

QUICK = Limits(linger=0.02, tick=0.3, dead=1.5, retransmit=1.0, open_first=0.1, open_most=0.5, hello_again=0.3)
"""The shipped limits with shorter timers."""


class Runner(Protocol):
    """What drives a hub."""

    hub: Hub

    def stop(self) -> None:
        """End it, as a killed process ends: nothing is said to anybody."""
        ...


@dataclass
class Site:
    """A node: what is on its disk, and what runs."""

    code: str
    role: Role
    dir: Path
    parent: Site | None = None
    keys: NodeKeys = field(init=False)
    runner: Runner | None = None
    endpoint: str = ""
    curve_parent: bytes = b""

    def __post_init__(self) -> None:
        """Make its keys and found its chain."""
        self.dir.mkdir(parents=True)
        self.keys = NodeKeys.create(self.dir, SystemIds())
        self.registry = Registry()
        with self.registry.filling("test", "0"):
            register_core(self.registry)
            self.registry.tables(*LINK_ROWS)
        self.open()
        self.journal.append(self.admission(None)).result()

    def open(self) -> None:
        """Open what is on disk."""
        self.store = Store.open(f"sqlite:///{self.dir}/journal.db", self.registry.rows.values())
        pinned = {self.parent.code: self.parent.keys.sign_public} if self.parent else None
        self.journal = Journal(
            self.code, self.store, self.registry, clock=SystemClock(), ids=SystemIds(), sign_key=self.keys.sign,
            pinned=pinned,
        )  # fmt: skip
        self.blobs = Blobs(
            self.store, self.dir / "blobs", local_key=self.keys.local, seal=self.keys.seal, clock=SystemClock(),
            ids=SystemIds(),
        )  # fmt: skip

    def close(self) -> None:
        """Stop and close."""
        if self.runner is not None:
            self.runner.stop()
            self.runner = None
        self.store.close()

    def admission(self, parent: str | None) -> Draft:
        """The entry that founds or admits this node."""
        body = NodeAdmitted(
            self.code, self.role, self.code, self.code[:6], parent, self.keys.sign_public.hex(),
            z85_decode(self.keys.curve_public).hex(), "",
        )  # fmt: skip
        return Draft("node.admitted", f"node:{self.code}", body)

    def admit(self, child: Site) -> None:
        """Let a child in."""
        self.journal.append(child.admission(self.code)).result()

    def revoke(self, child: Site) -> None:
        """Speak no more with a child."""
        body = NodeRevoked(child.code, "a test")
        self.journal.append(Draft("node.revoked", f"node:{child.code}", body)).result()

    def write(self, count: int, audience: str | tuple[str, ...] = "*") -> None:
        """Append some entries."""
        body = ClockStepped(1, "test")
        drafts = [Draft("clock.stepped", f"clock:{self.code}", body, audience) for _ in range(count)]
        self.journal.append(*drafts).result()

    def report(self, report_id: str, photo: bytes, audience: str | tuple[str, ...] = "*") -> str:
        """Append a report with a sealed photo; answers the blob."""
        sealed = self.blobs.seal(photo)
        attachment = Attachment("photo", "00" * 32, len(photo), "image/jpeg", sealed.blob)
        terminal = f"T{self.code[:6]}-0001"
        body = ReportReceived(terminal, report_id, "e30", "", "00" * 32, "event", "0102", 0, [attachment])
        draft = Draft("report.received", f"report:{self.code}:{terminal}:{report_id}", body, audience)
        self.journal.append(draft, also=lambda tx, _: self.blobs.add(tx, sealed)).result()
        return sealed.blob

    def around(self, limits: Limits) -> Surroundings:
        """What a hub gets."""
        face = Face(self.code, self.keys.sign, self.keys.curve_public, self.keys.seal_public)
        pinned = None
        if self.parent is not None:
            pinned = Peer(self.parent.code, None, self.parent.keys.sign_public, self.parent.keys.curve_public, True)
        parent = self.parent.code if self.parent else None
        return Surroundings(
            face, parent, pinned, self.store, self.journal, self.blobs, SystemClock(), SystemIds(), limits
        )

    def has(self, other: Site, origin: str | None = None) -> bool:
        """Whether this node holds another's chain (or one that it relays) as far as that one does."""
        of = origin or other.code
        return self.journal.cursor(of) == other.journal.cursor(of) != Cursor()


class Transport(Protocol):
    """How the sites of a test are joined."""

    def start(self, site: Site, limits: Limits = QUICK) -> None:
        """Run a site's links."""
        ...

    def cut(self, child: Site) -> None:
        """Cut the child's link to its parent."""
        ...

    def heal(self, child: Site) -> None:
        """Let it work again."""
        ...


class MemoryRunner:
    """Drives a hub from a queue in a thread: the memory transport."""

    def __init__(self, site: Site, limits: Limits, network: MemoryNetwork) -> None:
        self.code = site.code
        self.parent = site.parent.code if site.parent else None
        self.inbox: queue.SimpleQueue[tuple[str, bytes] | None] = queue.SimpleQueue()
        self._clock = SystemClock()
        self._network = network
        self._stopping = False
        self.hub = Hub(site.around(limits), self, lambda: self.inbox.put(None))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def send(self, peer: str, frame: bytes) -> None:
        """The hub's carrier."""
        self._network.carry(self.code, peer, frame)

    def stop(self) -> None:
        """End the thread."""
        self._stopping = True
        self.inbox.put(None)
        self._thread.join(10.0)

    def _run(self) -> None:
        self.hub.start()
        self.hub.connected()
        while not self._stopping:
            wait = min(max(self.hub.due() - self._clock.monotonic(), 0.005), 0.5)
            try:
                got = self.inbox.get(timeout=wait)
                while got is not None:
                    self._take(*got)
                    got = self.inbox.get_nowait()
            except queue.Empty:
                pass
            self.hub.turn()

    def _take(self, peer: str, frame: bytes) -> None:
        known = self.hub.directory.peer(peer)
        if peer == self.parent or (known is not None and known.active):
            self.hub.received(peer, frame)


class MemoryNetwork:
    """Transport: frames go from queue to queue; who is not admitted is not heard, as with CURVE."""

    def __init__(self) -> None:
        self._runners: dict[str, MemoryRunner] = {}
        self._cut: set[str] = set()

    def start(self, site: Site, limits: Limits = QUICK) -> None:
        site.runner = self._runners[site.code] = MemoryRunner(site, limits, self)

    def cut(self, child: Site) -> None:
        self._cut.add(child.code)

    def heal(self, child: Site) -> None:
        self._cut.discard(child.code)

    def carry(self, source: str, target: str, frame: bytes) -> None:
        """Put a frame into the target's queue, unless a wire is cut."""
        child = max(source, target, key=len) if len(source) != len(target) else max(source, target)
        if child not in self._cut and target in self._runners:
            self._runners[target].inbox.put((source, frame))


class ZmqNetwork:
    """Transport: the shipped sockets on loopback."""

    def start(self, site: Site, limits: Limits = QUICK) -> None:
        listen = "" if site.role == "edge" else site.endpoint or "tcp://127.0.0.1:0"
        parent = None
        if site.parent is not None:
            parent = (site.parent.endpoint, site.curve_parent or site.parent.keys.curve_public)
        keys = CurveKeys(site.keys.curve_public, site.keys.curve_secret)
        loop = LinkLoop(site.around(limits), keys, Places(listen, parent))
        site.endpoint = loop.start()
        site.runner = loop

    def cut(self, child: Site) -> None:
        loop, parent = zmq_loop(child), child.parent
        assert parent is not None
        loop.ask(lambda: loop.pause(parent.code)).result(5.0)

    def heal(self, child: Site) -> None:
        loop, parent = zmq_loop(child), child.parent
        assert parent is not None
        loop.ask(lambda: loop.resume(parent.code)).result(5.0)


def zmq_loop(site: Site) -> LinkLoop:
    """The shipped loop of a site."""
    assert isinstance(site.runner, LinkLoop)
    return site.runner


def wait_until(what: Callable[[], bool], seconds: float = 15.0, told: Callable[[], object] = lambda: "") -> None:
    """Poll until something holds; fails with what ``told`` says."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"not within {seconds:g} s: {told()}"
        time.sleep(0.01)
