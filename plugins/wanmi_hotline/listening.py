"""The MQTT side of the protocol: events are acknowledged to the broker after they are durable here."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from wanmi.errors import BadInput, LinkError
from wanmi.mqtt import Address, Message, MqttClient, Session, read_address
from wanmi.settings import is_loopback
from wanmi_hotline import baresip
from wanmi_hotline.events import FILTER, MAX_EVENT, Event, decode_event, system_in

if TYPE_CHECKING:
    from wanmi.registry import NodeContext
    from wanmi_hotline.intake import Intake
    from wanmi_hotline.settings import HotlineSettings

BATCH = 50
WAIT = 0.5
"""Seconds that one look into the queue waits."""


class Listener:
    """Takes events from a broker until it is stopped."""

    def __init__(self, node: NodeContext, intake: Intake, settings: HotlineSettings) -> None:
        self._node = node
        self._intake = intake
        self._softphones = frozenset(baresip.topic_of(base) for base in settings.baresip)
        topics = (FILTER, *sorted(self._softphones))
        session = Session(f"wanmi-hotline-{node.code}", topics, window=BATCH, max_packet=MAX_EVENT + 1024)
        self.client = MqttClient(broker_address(settings), session)

    async def run(self) -> None:
        """Listen; a fault of the store ends it, what was not acknowledged comes again."""
        self.client.start()
        try:
            while True:
                await asyncio.to_thread(self.look)
        finally:
            self.client.stop()

    def look(self) -> None:
        """Take what has come, in order."""
        for message in self.client.take(BATCH, WAIT):
            self._take(message)
            message.ack()

    def _take(self, message: Message) -> None:
        try:
            event = self._event(message)
        except BadInput as error:
            self._intake.refuse(message.topic[:60], str(error))
            return
        if event is None:
            return
        try:
            self._intake.take(event)
        except BadInput:
            return  # counted and logged there; it will not get better by coming again

    def _event(self, message: Message) -> Event | None:
        if message.topic in self._softphones:
            return baresip.translate(message.payload, self._node.clock.now())
        event = decode_event(message.payload)
        if event.system != system_in(message.topic):
            raise BadInput(f"event of system {event.system} on a topic of another")
        return event


def broker_address(settings: HotlineSettings) -> Address:
    """Where the broker is; BadInput for plain MQTT off loopback."""
    address = read_address(settings.broker, Path(settings.ca_file) if settings.ca_file else None)
    if not address.tls and not is_loopback(address.host):
        raise BadInput(f"broker {address.url}: off loopback write mqtts://")
    if settings.password_file:
        password = _read_password(settings.password_file)
        return address.login(address.user or "", password)
    return address


def _read_password(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise LinkError(f"[hotline] password_file {file}: {error.strerror}") from error
