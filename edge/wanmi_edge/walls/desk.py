"""Where walls' statuses arrive and orders leave: one connection to the broker for all of them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

from wanmi.devices import walls
from wanmi.devices.walls import WallOrder, WallStatus
from wanmi.errors import DeviceGarbled, DeviceUnreachable
from wanmi.mqtt import Address, MqttClient, Session
from wanmi.registry import NodeContext

Ear = Callable[[WallStatus], None]
TICK = 0.25


class WallDesk:
    """The newest status of each wall; who waits for one is told in their own loop."""

    def __init__(self) -> None:
        self._statuses: dict[str, tuple[float, WallStatus]] = {}
        self.refused = 0
        self._client: MqttClient | None = None
        self._ears: dict[str, list[tuple[asyncio.AbstractEventLoop, Ear]]] = {}
        self._lock = threading.Lock()

    def run(self, node: NodeContext, address: Callable[[], Address | None], stop: threading.Event) -> None:
        """Stand at whichever broker the edge stands at, until ``stop``."""
        while not stop.is_set():
            here = address()
            if here is None:
                stop.wait(TICK)
                continue
            session = Session(f"{node.code}-walls", subscriptions=(walls.STATUS_FILTER,), expiry=0, retry_max=5)
            client = MqttClient(here, session)
            client.start()
            self._client = client
            try:
                while not stop.is_set() and address() == here:
                    self._take(client)
            finally:
                self._client = None
                client.stop()

    @property
    def connected(self) -> bool:
        """Whether the broker answers now."""
        return self._client is not None and self._client.connected

    def fresh(self) -> dict[str, WallStatus]:
        """The walls' statuses; what a wall said too long ago is left out."""
        oldest = time.monotonic() - walls.STATUS_SECONDS
        with self._lock:
            return {wall: status for wall, (at, status) in self._statuses.items() if at >= oldest}

    def listen(self, wall: str, ear: Ear) -> Callable[[], None]:
        """Have every status of a wall, the newest one at once, in the caller's loop; returns how to stop that."""
        entry = (asyncio.get_running_loop(), ear)
        with self._lock:
            self._ears.setdefault(wall, []).append(entry)
        known = self.fresh().get(wall)
        if known is not None:
            ear(known)

        def leave() -> None:
            with self._lock:
                self._ears[wall].remove(entry)

        return leave

    def order(self, wall: str, order: WallOrder) -> None:
        """Send an order; DeviceUnreachable when the broker is not there."""
        client = self._client
        sent = client is not None and client.publish(
            walls.ORDERS.format(wall), walls.encode(order), expiry=walls.ORDER_SECONDS
        )
        if not sent:
            raise DeviceUnreachable("the edge's broker cannot be reached now")

    def _take(self, client: MqttClient) -> None:
        for message in client.take(100, TICK):
            try:
                status = walls.read_status(message.topic, message.payload)
            except DeviceGarbled:
                self.refused += 1
            else:
                self._heard(status)
            message.ack()

    def _heard(self, status: WallStatus) -> None:
        with self._lock:
            self._statuses[status.wall] = (time.monotonic(), status)
            ears = list(self._ears.get(status.wall, ()))
        for loop, ear in ears:
            if not loop.is_closed():
                loop.call_soon_threadsafe(ear, status)
