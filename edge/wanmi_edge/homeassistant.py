"""Home Assistant finds the edge's devices by MQTT discovery: opt-in, ``[edge.homeassistant] enabled = true``.

A sensor for each reading, a problem sensor for each device. A sensor is available while this edge is: the broker says
``offline`` for it by last will. Read-only: nothing is taken from Home Assistant.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator

from wanmi.mqtt import Address, MqttClient, Session
from wanmi.query.alarms import list_alarms
from wanmi.registry import NodeContext
from wanmi_edge.devices.devices import Devices
from wanmi_edge.devices.views import DeviceView, ReadingView, view_device
from wanmi_edge.settings import EdgeSettings

ONLINE, OFFLINE = b"online", b"offline"
_UNSAFE = re.compile(r"[^a-zA-Z0-9_-]+")

Topics = Iterator[tuple[str, bytes]]


class Announcer:
    """What was published and is not to be published again until it changes, or the connection is a new one."""

    def __init__(self, node: NodeContext, devices: Devices, prefix: str) -> None:
        self._node = node
        self._devices = devices
        self._prefix = prefix
        self._sent: dict[str, bytes] = {}
        self._connection = 0
        self.availability = f"wanmi/ha/{node.code}/available"

    def step(self, client: MqttClient) -> int:
        """Publish what is new; how many messages that were."""
        if not client.connected:
            return 0
        if client.connections != self._connection:
            self._connection, self._sent = client.connections, {}
        now = dict(self._messages())
        gone = {topic: b"" for topic in self._sent if topic not in now and topic.startswith(self._prefix)}
        fresh = {topic: payload for topic, payload in {**now, **gone}.items() if self._sent.get(topic) != payload}
        for topic, payload in fresh.items():
            if not client.publish(topic, payload, retain=True):
                return len(fresh)
            self._sent[topic] = payload
        for topic in gone:
            self._sent.pop(topic, None)
        return len(fresh)

    def _messages(self) -> Topics:
        yield self.availability, ONLINE
        with self._node.store.reader() as tx:
            wrong = {alarm.device for alarm in list_alarms(tx, "open") if alarm.edge == self._node.code}
        if self._devices.book is None:
            return
        for device in self._devices.book.all():
            yield from self._device(view_device(self._node, self._devices, device), device.id in wrong)

    def _device(self, device: DeviceView, wrong: bool) -> Topics:
        yield from self._sensor(
            "binary_sensor", device, "problem", b"ON" if wrong else b"OFF", {"device_class": "problem"}
        )
        for part in device.parts:
            for reading in part.readings:
                name = f"{part.part}_{reading.name}" if part.part else reading.name
                unit = {"unit_of_measurement": reading.unit} if reading.unit else {}
                yield from self._sensor("sensor", device, name, _value(reading), unit)

    def _sensor(self, kind: str, device: DeviceView, name: str, state: bytes, more: dict[str, str]) -> Topics:
        id = _UNSAFE.sub("_", f"wanmi_{self._node.code}_{device.id}_{name}")
        topic = f"wanmi/ha/{self._node.code}/{device.id}/{_UNSAFE.sub('_', name)}"
        told = {
            "unique_id": id,
            "name": name,
            "state_topic": topic,
            "availability_topic": self.availability,
            "device": {
                "identifiers": [f"wanmi_{self._node.code}_{device.id}"],
                "name": device.name,
                "model": device.driver,
            },
            **more,
        }
        yield f"{self._prefix}/{kind}/{id}/config", json.dumps(told, ensure_ascii=False, sort_keys=True).encode()
        yield topic, state


def _value(reading: ReadingView) -> bytes:
    """A value, or what Home Assistant takes for unknown."""
    return b"None" if reading.value is None or reading.quality != "good" else str(reading.value).encode()


async def announce(devices: Devices, address: Callable[[], Address | None], node: NodeContext) -> None:
    """The supervised task: a connection of its own, for the last will; a broker that moved is followed."""
    settings = node.settings.section("edge", EdgeSettings).homeassistant
    if not settings.enabled:
        return
    announcer = Announcer(node, devices, settings.prefix)
    session = Session(f"{node.code}-ha", will=(announcer.availability, OFFLINE))
    while True:
        where = address()
        if where is None:
            await asyncio.sleep(0.5)
            continue
        client = MqttClient(where, session)
        client.start()
        try:
            while address() == where:
                announcer.step(client)
                await asyncio.sleep(settings.every)
        finally:
            client.publish(announcer.availability, OFFLINE, retain=True)
            await asyncio.to_thread(client.stop)
