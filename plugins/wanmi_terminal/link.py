"""One connection to one broker: MQTT 5, own reconnection with back-off, at most 100 messages in flight.

Everything of a link happens in its own thread: paho is driven by hand (`Client.loop`), so that what is sent, and
in which order after an outage, is decided here and not in paho's memory.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wanmi.errors import BadInput, StoreError
from wanmi.mqtt.address import NOT_AUTHORIZED
from wanmi.reports import (
    Receipt,
    Seen,
    Task,
    answer_topic,
    chunks_of,
    decode_receipt,
    decode_task,
    encode_seen,
    key_topic,
    part_topic,
    receipt_topic,
    report_topic,
    rotate_topic,
    seen_topic,
    status_topic,
    task_topic,
    track_topic,
)
from wanmi.reports.answers import ANSWER_DOMAIN
from wanmi.reports.envelope import REPORT_DOMAIN
from wanmi.reports.rotations import KeyNote, decode_note
from wanmi.reports.tracks import TRACK_DOMAIN
from wanmi_terminal.inbox import MAX_TRACK
from wanmi_terminal.keyring import Pair
from wanmi_terminal.resigning import signed_with
from wanmi_terminal.schedule import Item, Schedule
from wanmi_terminal.spool import ANSWER, Held, State

if TYPE_CHECKING:
    from wanmi_terminal.field import FieldTerminal, Route

IN_FLIGHT = 100
SESSION_S = 7 * 86_400
"""Seconds for which the broker keeps receipts for a terminal that is away."""
KEEPALIVE_S = 30
REFUSED = (134, 135)
"""CONNACK: bad user name or password, not authorized: another pair of the terminal may be good there."""
CONNECT_S = 5.0
POLL_S = 0.5
"""How often the spool is looked at for reports that another process made."""
TICK_S = 0.02


@dataclass(frozen=True)
class LinkState:
    """A connection as others see it; ``problem`` is empty while all is well.

    ``without``: what this broker does not take (``status``, ``seen`` …), since its edge is an older one.
    """

    broker: str
    connected: bool
    sent: int
    problem: str
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Message:
    """A message to publish; ``item`` is set on a report's last copy, ``track`` on a batch of positions."""

    topic: str
    payload: bytes
    item: Item | None = None
    track: int = 0


class Link:
    """Sends a terminal's reports to one broker and hears its receipts."""

    def __init__(self, terminal: FieldTerminal, number: int, route: Route, schedule: Schedule) -> None:
        self._terminal = terminal
        self._id = terminal.home.terminal
        self._client_id = f"{self._id}.{number}" if number else self._id
        self._route = route
        self._schedule = schedule
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"terminal-{self._client_id}", daemon=True)
        self._outbox: deque[_Message] = deque()
        self._flying: dict[int, _Message] = {}
        self._receipts: list[Receipt] = []
        self._tasks: list[Task] = []
        self._notes: list[KeyNote] = []
        self._first = not number
        self._forbidden: set[str] = set()
        self._pair = 0
        self._trying: Pair = terminal.home.ring.current
        self._status_at = 0.0
        self._track_n, self._tracked = 0, -1
        self._with_parts: set[str] = set()
        self._window = IN_FLIGHT
        self._ready = False
        self._send_from = 0.0
        self._sent = 0
        self._problem = "not connected yet"

    def start(self) -> None:
        """Begin to connect and send."""
        self._thread.start()

    def stop(self) -> None:
        """Disconnect; returns when the thread has ended."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def state(self) -> LinkState:
        """How the connection stands."""
        without = sorted(topic.rpartition("/")[2] for topic in list(self._forbidden))
        return LinkState(str(self._route.broker), self._ready, self._sent, self._problem, tuple(without))

    def schedule(self, held: Held) -> None:
        """A report that lies in the spool; the caller holds the terminal's lock."""
        if held.kind == ANSWER or self._route.takes(held.n):  # which edge knows the task only the edges know
            self._schedule.add(held.n, held.report_id, held.state == "kept", time.monotonic())

    def answered(self, receipt: Receipt, state: State | None) -> None:
        """A receipt was applied, ``state`` is what it changed to; the caller holds the terminal's lock."""
        report_id, now = receipt.report_id or "", time.monotonic()
        if state in ("safe", "refused") or receipt.status == "safe":
            self._schedule.drop(report_id)
            self._with_parts.discard(report_id)
        elif receipt.status == "kept":
            self._schedule.kept(report_id, now)
        elif receipt.status == "want":
            self._schedule.want(report_id, receipt.want, now)
        elif receipt.passing:
            self._schedule.later(report_id, now)

    def _run(self) -> None:
        retry = self._schedule.retry
        pause = retry.reconnect
        client = self._client()
        while not self._stopping.is_set():
            began = time.monotonic()
            self._connection(client)
            if time.monotonic() - began > CONNECT_S:
                pause = retry.reconnect
            self._stopping.wait(pause * random.uniform(0.7, 1.3))  # noqa: S311 - spreads a herd, guards nothing
            pause = min(pause * 2, retry.reconnect_longest)

    def _connection(self, client: Any) -> None:
        """One connection from its beginning to its end."""
        try:
            if self._connect(client):
                self._serve(client)
            self._apply()
        except StoreError as error:  # a full disk: the edge repeats its receipts when the reports come again
            self._problem = str(error)
        self._take_back(client)

    def _client(self) -> Any:
        from paho.mqtt.client import Client, MQTTv5
        from paho.mqtt.enums import CallbackAPIVersion

        client = Client(
            CallbackAPIVersion.VERSION2, client_id=self._client_id, protocol=MQTTv5, reconnect_on_failure=False
        )
        client.max_inflight_messages = 0
        client.connect_timeout = CONNECT_S
        if self._route.broker.tls:
            client.tls_set(ca_certs=str(self._route.broker.ca) if self._route.broker.ca else None)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = self._heard
        client.on_publish = self._published
        return client

    def _connect(self, client: Any) -> bool:
        """Connect and wait for the broker's answer."""
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_S
        broker, pairs = self._route.broker, self._terminal.home.ring.pairs()
        self._trying = pairs[self._pair % len(pairs)]
        client.username_pw_set(self._id, self._trying.password)
        try:
            client.connect(broker.host, broker.port, KEEPALIVE_S, clean_start=False, properties=properties)
        except OSError as error:  # also ssl.SSLError: the certificate does not fit
            self._problem = f"{broker}: {error}"
            return False
        until = time.monotonic() + CONNECT_S
        while not self._ready and time.monotonic() < until and not self._stopping.is_set():
            if client.loop(TICK_S) != 0:
                return False
        return self._ready

    def _serve(self, client: Any) -> None:
        self._terminal.link_changed()
        self._say(self._terminal.inbox.seen(self._id))
        looked, self._status_at = time.monotonic(), 0.0
        while client.loop(TICK_S) == 0:
            if self._stopping.is_set():
                client.disconnect()
                return
            self._apply()
            self._send_tracks()
            self._send_status()
            self._pump(client)
            if time.monotonic() - looked > POLL_S:
                looked = time.monotonic()
                self._terminal.look()

    def _take_back(self, client: Any) -> None:
        """Take back what flew: after an outage everything goes out anew, in order (the edge knows duplicates)."""
        self._ready = False
        client.drop_out_messages()
        for message in (*self._flying.values(), *self._outbox):
            if message.item is not None:
                self._with_parts.discard(message.item.report_id)
        self._flying.clear()
        self._outbox.clear()
        self._track_n, self._tracked = 0, -1
        self._terminal.link_changed()

    def _connected(self, client: Any, _data: object, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._problem = f"{self._route.broker} refuses the terminal: {reason}"
            self._pair += reason.value in REFUSED
            return
        if self._trying.public != self._terminal.home.key.public_key().public_bytes_raw():
            self._terminal.heard_key(self._trying.public, rotate=False)
        self._pair = 0
        client.subscribe([(topic(self._id), 1) for topic in (receipt_topic, task_topic, key_topic)])
        self._window = min(IN_FLIGHT, getattr(properties, "ReceiveMaximum", IN_FLIGHT))
        now = time.monotonic()
        self._send_from = now + (self._schedule.retry.settle if flags.session_present else 0)
        with self._terminal.lock:
            self._schedule.reconnected(now)
        self._problem = ""
        self._ready = True

    def _disconnected(self, _client: Any, _data: object, _flags: object, reason: Any, _properties: object) -> None:
        if not self._stopping.is_set() and not self._problem:
            self._problem = f"{self._route.broker}: connection lost ({reason})"

    def _heard(self, _client: Any, _data: object, message: Any) -> None:
        try:
            if message.topic == task_topic(self._id):
                self._tasks.append(decode_task(message.payload))
            elif message.topic == key_topic(self._id):
                self._notes.append(decode_note(message.payload))
            else:
                self._receipts.append(decode_receipt(message.payload))
        except BadInput as error:
            self._problem = f"{self._route.broker}: {error}"

    def _published(self, _client: Any, _data: object, mid: int, reason: Any, _properties: object) -> None:
        message = self._flying.pop(mid, None)
        optional = (seen_topic(self._id), status_topic(self._id), rotate_topic(self._id))
        if reason.value == NOT_AUTHORIZED and message is not None and message.topic in optional:
            self._forbidden.add(message.topic)
        elif reason.is_failure:
            self._problem = f"{self._route.broker} does not take {message.topic if message else '?'}: {reason}"
        if message is not None and message.track and not reason.is_failure:
            self._terminal.inbox.track_sent(message.track)
        if message is not None and message.item is not None:
            with self._terminal.lock:
                self._schedule.sent(message.item, time.monotonic())

    def _apply(self) -> None:
        if self._receipts:
            receipts, self._receipts = self._receipts, []
            self._terminal.took(receipts)
        notes, self._notes = self._notes, []
        for note in notes:
            if note.terminal == self._id:
                self._terminal.heard_key(bytes.fromhex(note.public_key), rotate=note.rotate)
                self._status_at = 0.0 if note.rotate else self._status_at
        if self._tasks:
            tasks, self._tasks = self._tasks, []
            self._say(self._terminal.took_tasks(tasks))

    def _say(self, seen: Seen) -> None:
        """Tell the edge what is on disk here, unless its broker does not know that topic (an edge without tasks)."""
        if seen_topic(self._id) not in self._forbidden:
            self._outbox.appendleft(_Message(seen_topic(self._id), encode_seen(seen)))

    def _send_status(self) -> None:
        """How the terminal is, by the first broker: after each connection, then every few minutes."""
        now = time.monotonic()
        if not self._first or (self._status_at and now < self._status_at):
            return
        self._status_at = now + self._terminal.heart.every
        request = self._terminal.rotation()
        said = ((status_topic(self._id), self._terminal.status()), (rotate_topic(self._id), request))
        self._outbox.extend(
            _Message(topic, payload) for topic, payload in said if payload and topic not in self._forbidden
        )

    def _send_tracks(self) -> None:
        """Positions that wait go by the first broker, behind everything else."""
        if not self._first or self._tracked == self._terminal.tracked:
            return
        self._tracked = self._terminal.tracked
        for n, payload in self._terminal.inbox.tracks(self._track_n, MAX_TRACK):
            signed = signed_with(payload, TRACK_DOMAIN, self._terminal.home.key)
            self._outbox.append(_Message(track_topic(self._id), signed, track=n))
            self._track_n = n

    def _pump(self, client: Any) -> None:
        if time.monotonic() < self._send_from:
            return
        while len(self._flying) < self._window:
            if not self._outbox:
                self._fill()
            if not self._outbox:
                return
            message = self._outbox.popleft()
            info = client.publish(message.topic, message.payload, qos=1)
            self._flying[info.mid] = message
            self._sent += message.item is not None

    def _fill(self) -> None:
        """Put the next due report's messages into the outbox: its parts first, then the report."""
        with self._terminal.lock:
            item = self._schedule.next_due(time.monotonic())
            if item is None:
                return
            payload = self._terminal.spool.payload(item.report_id)
            if payload is None:
                self._schedule.drop(item.report_id)
                return
            parts = self._parts_to_send(item)
            is_answer = self._terminal.spool.is_answer(item.report_id)
        for digest in parts:
            self._outbox.extend(self._part(digest))
        topic = answer_topic(self._id) if is_answer else report_topic(self._id)
        payload = signed_with(payload, ANSWER_DOMAIN if is_answer else REPORT_DOMAIN, self._terminal.home.key)
        self._outbox.extend([_Message(topic, payload)] * (self._route.copies(item.n) - 1))
        self._outbox.append(_Message(topic, payload, item))

    def _parts_to_send(self, item: Item) -> list[str]:
        """All parts with the first sending over this link, later only those that the edge asked for."""
        wanted, item.want = item.want, ()
        own = self._terminal.spool.parts(item.report_id)
        if wanted or item.kept or item.report_id in self._with_parts:
            return [digest for digest in own if digest in wanted]
        self._with_parts.add(item.report_id)
        return own

    def _part(self, digest: str) -> list[_Message]:
        content = self._terminal.spool.part(digest)
        chunks = chunks_of(content) if content is not None else []
        return [_Message(part_topic(self._id, digest, i, len(chunks)), chunk) for i, chunk in enumerate(chunks)]
