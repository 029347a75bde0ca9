"""The edge's ear for terminals that nobody knows: each key is journaled once, a flood is bounded, the answer is sealed.

A connection of its own, without a session and with QoS 0: what strangers send neither waits at the broker nor stands before a
report. A terminal asks again until it is answered, so nothing is promised here.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

import msgspec
from sqlalchemy import Connection

from wanmi.clock import SECOND
from wanmi.errors import BadInput, Conflict
from wanmi.journal.terminal_asks import Asked, list_asked
from wanmi.kinds import TerminalAsked
from wanmi.mqtt import Address, Message, MqttClient, Session
from wanmi.registry import Draft, NodeContext, Stored
from wanmi.reports.asks import ASK_FILTER, Ask, AskAnswer, AskState, AskWire, Granted, answer_topic, read_ask
from wanmi.reports.envelope import key_id, to_b64
from wanmi.store.blobs import wrap_key
from wanmi_edge.asks.codes import find_code, use_code
from wanmi_edge.settings import AskSettings

TICK = 0.25
WINDOW = 50
ANSWER_SECONDS = 60
MINUTE = 60.0
DAY = 86_400 * SECOND


class AskDesk:
    """Runs in a thread of its own; ``brokers`` is what admitted terminals are told to send to."""

    def __init__(self, node: NodeContext, settings: AskSettings, brokers: Callable[[], str]) -> None:
        self._node = node
        self._settings = settings
        self._brokers = brokers
        self._by = f"edge@{node.registry.plugins.get('edge', '0')}"
        self._new: deque[float] = deque()
        self.refused = 0
        """Messages that were no request at all."""

    def run(self, address: Callable[[], Address | None], stop: threading.Event) -> None:
        """Answer until ``stop``, at whatever broker stands."""
        while not stop.wait(TICK):
            here = address()
            if here is None:
                continue
            session = Session(
                f"{self._node.code}-asks", subscriptions=(ASK_FILTER,), expiry=0, window=WINDOW, retry_max=5, qos=0
            )
            client = MqttClient(here, session)
            client.start()
            try:
                while not stop.is_set() and address() == here:
                    for message in client.take(WINDOW, TICK):
                        self._take(client, message)
            finally:
                client.stop()

    def _take(self, client: MqttClient, message: Message) -> None:
        try:
            ask, wire = read_ask(message.topic, message.payload)
        except BadInput:
            self.refused += 1
            return
        answer = self.answer(ask, wire)
        client.publish(answer_topic(answer.key_id), msgspec.json.encode(answer), expiry=ANSWER_SECONDS)

    def answer(self, ask: Ask, wire: AskWire) -> AskAnswer:
        """What becomes of a request; journaled when it is new and may be asked. Durable when it returns."""
        found = self._find(ask)
        if found is None:
            state = self._ask(ask, wire)
            return self._say(ask, state)
        if found.state == "approved":
            return self._say(ask, "approved", sealed=self._grant(ask, found))
        return self._say(ask, found.state, found.reason)

    def _find(self, ask: Ask) -> Asked | None:
        with self._node.store.reader() as tx:
            found = list_asked(tx, self._node.clock.now(), ask.public_key, self._node.code)
        return found[0] if found else None

    def _ask(self, ask: Ask, wire: AskWire) -> AskState:
        """Journal a new request, unless it lacks its code or too many came."""
        now, code = self._node.clock.now(), None
        if self._settings.open == "off":
            return "closed"
        with self._node.store.reader() as tx:
            code = find_code(tx, wire, now)
            pending = sum(one.state == "pending" for one in list_asked(tx, now, edge=self._node.code))
        if self._settings.open == "code" and code is None:
            return "bad_code"
        if pending >= self._settings.pending or not self._is_slow():
            return "busy"
        body = TerminalAsked(
            ask.public_key, ask.seal_key, ask.broker_verifier, ask.model, ask.app, now + self._settings.days * DAY
        )
        key = _key(ask)
        draft = Draft(
            "terminal.asked",
            f"ask:{self._node.code}:{key}",
            body,
            (self._node.parent or self._node.code,),
            by=self._by,
            expect=0,
        )

        def also(tx: Connection, _: list[Stored]) -> None:
            if code is not None:
                use_code(tx, code, key)

        try:
            self._node.journal.append(draft, also=also).result()
        except Conflict:  # the code was used in between
            return "bad_code"
        return "pending"

    def _is_slow(self) -> bool:
        """Whether one more entry now keeps to so many a minute; it is counted."""
        now = self._node.clock.monotonic()
        while self._new and now - self._new[0] > MINUTE:
            self._new.popleft()
        if len(self._new) >= self._settings.per_minute:
            return False
        self._new.append(now)
        return True

    def _grant(self, ask: Ask, found: Asked) -> str:
        node = self._node
        parent = node.parent or node.code
        known = node.journal.key_of(parent)
        granted = Granted(found.terminal, parent, known.hex() if known else "", (self._brokers(),))
        content = msgspec.json.encode(granted)
        return to_b64(wrap_key(content, f"ask:{_key(ask)}", bytes.fromhex(ask.seal_key), node.ids))

    def _say(self, ask: Ask, state: AskState, reason: str = "", sealed: str = "") -> AskAnswer:
        return AskAnswer(1, _key(ask), state, self._node.code, self._node.clock.now(), reason, sealed)


def _key(ask: Ask) -> str:
    return key_id(bytes.fromhex(ask.public_key))
