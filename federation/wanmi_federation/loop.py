"""The thread that owns the sockets: frames to the hub, the hub's frames to the sockets, time to the links."""

from __future__ import annotations

import contextlib
import socket as sockets_of_os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import structlog
import zmq

from wanmi.errors import LinkError
from wanmi.links import Hub, Surroundings
from wanmi_federation.gate import Gate
from wanmi_federation.sockets import CurveKeys, dial, listen
from wanmi_federation.wire import Wire

LONGEST_WAIT = 1.0
"""Seconds after which the loop looks at the time, whatever the links say."""
SHORTEST_WAIT = 0.005
"""Seconds that the loop rests when only time has passed; frames and commits wake it at once."""
REDIAL_FIRST, REDIAL_MOST = 2.0, 30.0
"""Seconds before a parent that refused is dialled again: doubled, and up to half as much more at random."""
STOPPING = 10.0
"""Seconds that the thread gets to end."""
AT_ONCE = 64
"""Frames that are taken from a socket before time and commits have their turn."""


@dataclass(frozen=True)
class Places:
    """Where to listen ("" = nobody dials in) and whom to dial (None = no parent): endpoint, CURVE key."""

    listen: str
    parent: tuple[str, bytes] | None


class LinkLoop:
    """Runs one node's links until it is stopped. ``send`` is the hub's carrier; other threads only call
    ``wake``, ``ask`` and ``stop``.
    """

    def __init__(self, node: Surroundings, keys: CurveKeys, places: Places) -> None:
        self._node = node
        self._keys = keys
        self._places = places
        self._log = structlog.get_logger("wanmi.federation").bind(node=node.face.code)
        self._near, self._far = sockets_of_os.socketpair()
        self._near.setblocking(False)
        self._far.setblocking(False)
        self._asked: list[tuple[Callable[[], object], Future[object]]] = []
        self._lock = threading.Lock()
        self._awake = False
        self._stopping = threading.Event()
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context(io_threads=1)
        self._poller = zmq.Poller()
        self._router: zmq.Socket[bytes] | None = None
        self._dealer: zmq.Socket[bytes] | None = None
        self._monitor: zmq.Socket[bytes] | None = None
        self._gate: Gate | None = None
        self._routes: dict[str, bytes] = {}
        self._redial_at = float("inf")
        self._redial_wait = REDIAL_FIRST
        self.wire = Wire()
        self.paused: frozenset[str] = frozenset()
        self.endpoint = ""
        self.dropped = 0
        self.hub = Hub(node, self, self.wake)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="wanmi-links")
        self.ended: Future[None] = Future()

    def start(self) -> str:
        """Open the sockets and start the thread; the endpoint that children can dial. Raises LinkError."""
        self._poller.register(self._far, zmq.POLLIN)
        if self._places.listen:
            self._gate = Gate(self._context, lambda key: self.hub.directory.by_curve(key) is not None)
            try:
                self._router, self.endpoint = listen(self._context, self._places.listen, self._keys)
            except zmq.ZMQError as error:
                self._close()
                raise LinkError(f"link.listen {self._places.listen}: cannot listen there: {error}") from error
            self._poller.register(self._gate.socket, zmq.POLLIN)
            self._poller.register(self._router, zmq.POLLIN)
        self._dial()
        self.ended = self._executor.submit(self._run)
        return self.endpoint

    def stop(self) -> None:
        """End the thread and close the sockets."""
        self._stopping.set()
        self.wake()
        wait([self.ended], timeout=STOPPING)
        self._executor.shutdown(wait=False)

    def wake(self) -> None:
        """There is something to do (any thread)."""
        with self._lock:
            if self._awake:
                return
            self._awake = True
        with contextlib.suppress(OSError):
            self._near.send(b"!")

    def ask(self, what: Callable[[], object]) -> Future[object]:
        """Run something in the loop's thread (any thread)."""
        future: Future[object] = Future()
        with self._lock:
            self._asked.append((what, future))
        self.wake()
        return future

    def pause(self, peer: str) -> None:
        """Cut the link to a peer as if its cable were pulled (in the loop's thread)."""
        self.paused |= {peer}
        if peer == self._node.parent:
            self._hang_up()
        self.hub.lost(peer, "paused by a person")

    def resume(self, peer: str) -> None:
        """Let the link work again (in the loop's thread)."""
        self.paused -= {peer}
        if peer == self._node.parent and self._dealer is None:
            self._dial()

    def send(self, peer: str, frame: bytes) -> None:
        """The hub's carrier: what cannot go out at once is dropped and counted; the streams send it again."""
        if peer in self.paused:
            return
        try:
            if peer == self._node.parent:
                if self._dealer is not None:
                    self._dealer.send(frame, zmq.NOBLOCK)
            elif self._router is not None and peer in self._routes:
                self._router.send_multipart([self._routes[peer], frame], zmq.NOBLOCK)
        except zmq.ZMQError:
            self.dropped += 1

    # --- in the thread

    def _run(self) -> None:
        try:
            self.hub.start()
            while not self._stopping.is_set():
                self._turn()
        finally:
            self._close()

    def _turn(self) -> None:
        rest = min(max(self.hub.due() - self._node.clock.monotonic(), SHORTEST_WAIT), LONGEST_WAIT)
        ready = dict(self._poller.poll(int(rest * 1000)))
        if self._far.fileno() in ready:
            self._woken()
        if self._gate is not None and self._gate.socket in ready:
            self._gate.answer()
        if self._monitor is not None and self._monitor in ready:
            self._watch_wire(self._monitor)
        if self._router is not None and self._router in ready:
            self._take_children(self._router)
        if self._dealer is not None and self._dealer in ready:
            self._take_parent(self._dealer)
        if self._node.clock.monotonic() >= self._redial_at:
            self._redial()
        self.hub.turn()

    def _woken(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._far.recv(4096)
        with self._lock:
            self._awake = False
            asked, self._asked = self._asked, []
        for what, future in asked:
            future.set_result(what())

    def _take_children(self, router: zmq.Socket[bytes]) -> None:
        for _ in range(AT_ONCE):
            try:
                frames = router.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            if len(frames) == 2:
                self._take_child(frames[0].bytes, frames[1])

    def _take_child(self, route: bytes, frame: zmq.Frame) -> None:
        """Who speaks is whose CURVE key it is; a key that was revoked since it came in is not heard."""
        peer = self.hub.directory.by_curve(str(frame.get("User-Id")).encode())
        if peer is None:
            self.dropped += 1
        elif peer.code not in self.paused:
            self._routes[peer.code] = route
            self.hub.received(peer.code, frame.bytes)

    def _take_parent(self, dealer: zmq.Socket[bytes]) -> None:
        for _ in range(AT_ONCE):
            try:
                frame = dealer.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            if self._node.parent is not None:
                self.hub.received(self._node.parent, frame)

    def _watch_wire(self, monitor: zmq.Socket[bytes]) -> None:
        opened = self.wire.heard(monitor.recv_multipart())
        if self.wire.refused and self._redial_at == float("inf"):
            self._redial_at = self._node.clock.monotonic() + self._redial_wait * (1 + self._node.ids.token(1)[0] / 512)
            self._redial_wait = min(self._redial_wait * 2, REDIAL_MOST)
        if opened:
            self._redial_wait = REDIAL_FIRST
            self.hub.connected()
        elif opened is False and self._node.parent is not None:
            self.hub.lost(self._node.parent, self.wire.trouble)

    # --- sockets

    def _dial(self) -> None:
        if self._places.parent is None:
            return
        endpoint, key = self._places.parent
        self._dealer, self._monitor = dial(self._context, endpoint, self._keys, key)
        self._poller.register(self._dealer, zmq.POLLIN)
        self._poller.register(self._monitor, zmq.POLLIN)

    def _redial(self) -> None:
        """After a refusal: the parent may have admitted us since."""
        trouble = self.wire.trouble
        self._hang_up()
        self.wire = Wire(trouble=trouble)
        self._dial()

    def _hang_up(self) -> None:
        self._redial_at = float("inf")
        if self._dealer is not None and self._monitor is not None:
            self._poller.unregister(self._dealer)
            self._poller.unregister(self._monitor)
            self._dealer.disable_monitor()
            self._dealer.close(0)
            self._dealer = self._monitor = None
        self.wire = Wire(trouble="paused by a person")

    def _close(self) -> None:
        self._hang_up()
        if self._router is not None:
            self._router.close(0)
        if self._gate is not None:
            self._gate.close()
        self._context.destroy(0)
        self._near.close()
        self._far.close()
