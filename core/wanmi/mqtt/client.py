"""MQTT 5 for nodes and terminals: a client with manual acknowledgements, a bounded window and an honest probe.

The only place in the core that imports paho, and late. What the broker may be trusted with is little: its PUBACK
is not durability, so a consumer acknowledges after its own commit and says so in its own receipts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from wanmi.errors import LinkError
from wanmi.mqtt.address import Address, Session
from wanmi.mqtt.paho_parts import connect_properties, make_client, publish_properties, subscribe_options

if TYPE_CHECKING:
    from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode


@dataclass(frozen=True)
class Message:
    """One message for the consumer; until ``ack`` is called the broker will bring it again."""

    topic: str
    payload: bytes
    content_type: str
    mid: int
    generation: int
    _acknowledge: Callable[[Message], None] = field(repr=False, compare=False)

    def ack(self) -> None:
        """Tell the broker that the message is dealt with; without effect when its connection is gone."""
        self._acknowledge(self)


class MqttClient:
    """A connection that keeps itself up: started once, it reconnects with back-off until stopped.

    Messages wait in a queue for one consumer thread (``take``), at most two windows of them; then nothing more is read
    from the connection, which holds the broker back. Publishing is
    allowed from any thread and refused while there is no connection: nothing is promised by a queue in memory.
    """

    def __init__(self, address: Address, session: Session) -> None:
        self.address = address
        self.session = session
        self.last_error = "not connected yet"
        self.connections = 0
        self._queue: SimpleQueue[Message] = SimpleQueue()
        self._drained = threading.Event()
        self._stopping = False
        self._overflow = 0
        self._connected = threading.Event()
        self._lock = threading.Lock()
        self._generation = 0
        self._awaited: dict[int, Future[int]] = {}
        self._early: dict[int, int] = {}
        self._sending = 0
        self._echo = _Echo(f"wanmi/probe/{session.client_id}")
        self._client = make_client(address, session)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = lambda *_: self._gone("cannot be reached")
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_publish

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted the connection that stands now."""
        return self._connected.is_set()

    @property
    def waiting(self) -> int:
        """Messages in the queue, not yet taken."""
        return self._queue.qsize()

    @property
    def dropped(self) -> int:
        """QoS 0 messages that came when the queue was full."""
        return self._overflow

    def start(self) -> None:
        """Begin to connect; returns at once."""
        session = self.session
        self._client.connect_async(
            self.address.host,
            self.address.port,
            keepalive=session.keepalive,
            clean_start=session.expiry == 0,
            properties=connect_properties(session),
        )
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect, keeping the session at the broker, and end the network thread."""
        self._stopping = True
        self._drained.set()
        self._client.disconnect()
        self._client.loop_stop()
        self._gone("stopped")

    def wait_connected(self, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds for the connection."""
        return self._connected.wait(timeout)

    def take(self, limit: int, timeout: float, max_bytes: int = 8 * 1024 * 1024) -> list[Message]:
        """The messages that wait, at most ``limit`` (or about ``max_bytes``), waiting up to ``timeout`` s for the first.

        Messages of an earlier connection are left out: the broker brings those again.
        """
        taken: list[Message] = []
        size = 0
        try:
            message = self._queue.get(timeout=timeout)
            while True:
                if message.generation == self._generation:
                    taken.append(message)
                    size += len(message.payload)
                if len(taken) >= limit or size >= max_bytes:
                    break
                message = self._queue.get_nowait()
        except Empty:
            pass
        self._drained.set()
        return taken

    def publish(
        self, topic: str, payload: bytes, *, content_type: str = "", expiry: int | None = None, retain: bool = False
    ) -> bool:
        """Hand a QoS 1 message over; False when there is no connection or too much waits already.

        ``expiry`` is for how long (seconds) the broker keeps it for a subscriber who is away; ``retain`` keeps it for
        whoever subscribes later.
        """
        if not self._client.is_connected():  # before the subscription stands: its first messages are answered too
            return False
        properties = publish_properties(content_type, expiry)
        return self._client.publish(topic, payload, qos=1, retain=retain, properties=properties).rc == 0

    def send(self, topic: str, payload: bytes, *, content_type: str = "", expiry: int | None = None) -> Future[int]:
        """Publish with QoS 1 and learn the broker's reason code (0 or 16: taken; 135: not allowed).

        The future fails with LinkError when there is no connection or it breaks first.
        """
        future: Future[int] = Future()
        if not self.connected:
            future.set_exception(LinkError(f"broker {self.address.url}: no connection ({self.last_error})"))
            return future
        with self._lock:
            self._sending += 1
        info = self._client.publish(topic, payload, qos=1, properties=publish_properties(content_type, expiry))
        with self._lock:
            self._sending -= 1
            code = self._early.pop(info.mid, None)
            if code is None and info.rc == 0:
                self._awaited[info.mid] = future
            if not self._sending:
                self._early.clear()
        if info.rc != 0:
            future.set_exception(LinkError(f"broker {self.address.url}: not sent, error {int(info.rc)} of the client"))
        elif code is not None:
            future.set_result(code)
        return future

    def probe(self, timeout: float) -> float:
        """Publish to oneself and wait for it: the round trip in seconds; LinkError when it does not come back.

        A broker can accept connections and still be deaf; this is the only test that counts.
        """
        began = time.monotonic()
        if not self.connected:
            raise LinkError(f"broker {self.address.url}: no connection ({self.last_error})")
        token = self._echo.expect()
        self._client.publish(self._echo.topic, token, qos=0)
        if not self._echo.came.wait(timeout):
            raise LinkError(f"broker {self.address.url}: alive but deaf, a message to oneself did not return")
        return time.monotonic() - began

    def _acknowledge(self, message: Message) -> None:
        with self._lock:
            # A packet id of an earlier connection may name another message by now.
            if message.generation == self._generation and message.mid:
                self._client.ack(message.mid, 1)

    def _on_connect(self, client: Client, _: object, flags: ConnectFlags, code: ReasonCode, __: object) -> None:
        if code.is_failure:
            self._gone(f"refused: {code}")
            return
        with self._lock:
            self._generation += 1
        self.connections += 1
        topics = self.session.subscriptions + ((self._echo.topic,) if self.session.probe else ())
        if topics:
            client.subscribe(
                [(topic, subscribe_options(0 if topic == self._echo.topic else self.session.qos)) for topic in topics]
            )
        else:
            self._ready()

    def _on_subscribe(self, _: Client, __: object, mid: int, codes: Sequence[ReasonCode], ___: object) -> None:
        if any(code.is_failure for code in codes):
            self._gone(f"refused: subscription to {', '.join(self.session.subscriptions)}")
        else:
            self._ready()

    def _ready(self) -> None:
        self.last_error = ""
        self._connected.set()

    def _on_disconnect(
        self, _: Client, __: object, flags: DisconnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        self._gone(f"connection lost: {code}")

    def _gone(self, reason: str) -> None:
        with self._lock:
            was, self._awaited = self._awaited, {}
            self._generation += 1
            if self._connected.is_set() or not self.last_error.startswith("refused"):
                self.last_error = reason
            self._connected.clear()
        for future in was.values():
            future.set_exception(LinkError(f"broker {self.address.url}: {reason}"))

    def _on_message(self, _: Client, __: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "?"
        if topic == self._echo.topic:
            self._echo.heard(bytes(message.payload))
            return
        if message.qos == 0 and self._is_full():
            self._overflow += 1
            return
        self._wait_for_room()
        kind = str(getattr(message.properties, "ContentType", ""))
        mid = message.mid if message.qos else 0
        self._queue.put(Message(topic, bytes(message.payload), kind, mid, self._generation, self._acknowledge))

    def _is_full(self) -> bool:
        return self._queue.qsize() >= 2 * self.session.window

    def _wait_for_room(self) -> None:
        """Stop reading while the consumer is behind: mosquitto 2.0 does not keep to the window once it was used up."""
        while self._is_full() and not self._stopping:
            self._drained.clear()
            if self._is_full():
                self._drained.wait(0.1)

    def _on_publish(self, _: Client, __: object, mid: int, code: ReasonCode, ___: object) -> None:
        if not self._awaited and not self._sending:
            return
        with self._lock:
            future = self._awaited.pop(mid, None)
            if future is None and self._sending:
                self._early[mid] = int(code.value)
        if future is not None:
            future.set_result(int(code.value))


class _Echo:
    """The message to oneself: one at a time, told apart by a counter."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.came = threading.Event()
        self._count = 0

    def expect(self) -> bytes:
        self._count += 1
        self.came.clear()
        return str(self._count).encode()

    def heard(self, payload: bytes) -> None:
        if payload == str(self._count).encode():
            self.came.set()


def ack_all(messages: Iterable[Message]) -> None:
    """Acknowledge messages in the order in which they came: some brokers insist on it."""
    for message in messages:
        message.ack()
