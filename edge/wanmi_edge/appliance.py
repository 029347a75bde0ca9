"""The edge of one node: its broker, its intake and its receipts, as supervised tasks that share a connection."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from wanmi.entries import Cosign
from wanmi.errors import LinkError
from wanmi.mqtt import Address, MqttClient, Session
from wanmi.profiles import ProfileStore
from wanmi.registry import NodeContext
from wanmi.reports import (
    ANSWER_FILTER,
    PART_FILTER,
    REPORT_FILTER,
    ROTATE_FILTER,
    SEEN_FILTER,
    STATUS_FILTER,
    TRACK_FILTER,
)
from wanmi.settings import is_loopback
from wanmi_edge.broker import ManagedBroker, choose_kind, choose_port, external_address
from wanmi_edge.broker_files import MESSAGE_LIMIT, BrokerFiles, Listener
from wanmi_edge.field_desk import FieldDesk
from wanmi_edge.intake import Intake
from wanmi_edge.key_desk import KeyDesk
from wanmi_edge.retrying import Retries
from wanmi_edge.safe import SafeTeller
from wanmi_edge.settings import MIB, BrokerSettings, EdgeSettings, IntakeSettings
from wanmi_edge.spool import PartSpool, SpoolLimits
from wanmi_edge.statuses import StatusDesk
from wanmi_edge.tally import open_tally
from wanmi_edge.task_sender import TICK as TASK_TICK
from wanmi_edge.task_sender import TaskSender
from wanmi_edge.terminals import TerminalBook
from wanmi_edge.track_sealer import TrackSealer
from wanmi_edge.verdicts import Judge, rules_of

IN_FLIGHT = 20_000
"""So many that receipts are never held back: then they reach the broker before the acknowledgements behind them."""
FILTERS = (REPORT_FILTER, PART_FILTER, ANSWER_FILTER, SEEN_FILTER, TRACK_FILTER, STATUS_FILTER, ROTATE_FILTER)
TICK = 0.25
"""Seconds between looks at whether the broker runs and knows its users."""


class Edge:
    """What the edge's tasks share. One for each registry, so one for each node."""

    def __init__(self) -> None:
        self.kind = ""
        self.url = ""
        self.client: MqttClient | None = None
        self.intake: Intake | None = None
        self.teller: SafeTeller | None = None
        self.sender: TaskSender | None = None
        self.sealer: TrackSealer | None = None
        self.statuses: StatusDesk | None = None
        self.field: FieldDesk | None = None
        self.book: TerminalBook | None = None
        self.keys: KeyDesk | None = None
        self.spool: PartSpool | None = None
        self.judge: Judge | None = None
        self.retries = Retries()
        self.round_trip: float | None = None
        self.trouble = "the broker has not started yet"
        self._address: Address | None = None
        self._profiles: ProfileStore | None = None
        self._standing = threading.Event()
        self._deaf = threading.Event()
        self._lock = threading.Lock()
        self._announce: Callable[[str, str], None] = lambda _what, _where: None

    # -- tasks --------------------------------------------------------------------------------------------

    async def run_broker(self, node: NodeContext) -> None:
        """Keep the broker standing; LinkError when it ended, so that the node starts this task again."""
        settings = self._wire(node).mqtt
        self._announce = node.announce
        self.kind = choose_kind(settings)
        if self.kind == "external":
            await self._follow(node, external_address(settings))
        broker = make_broker(node, settings, self.kind)
        try:
            while True:
                await self._serve(node, broker)
        except LinkError as error:
            self.trouble = str(error)
            raise

    async def run_intake(self, node: NodeContext) -> None:
        """Take reports in, from one connection for as long as it is good for anything."""
        settings = self._wire(node).intake
        await in_thread(partial(self._take_in, node, settings), "edge-intake")

    async def run_receipts(self, node: NodeContext) -> None:
        """Tell terminals what is safe."""
        self._wire(node)
        teller = SafeTeller(node, lambda: self.client)
        self.teller = teller
        await in_thread(teller.run, "edge-receipts")

    async def run_tasks(self, node: NodeContext) -> None:
        """Send the district's tasks to terminals, seal the positions that they send."""
        settings = self._wire(node).intake
        self.sealer = TrackSealer(node, self._book(), settings)
        await in_thread(partial(self._send_tasks, self._sender(), self.sealer, self._desk()), "edge-tasks")

    async def run_probe(self, node: NodeContext) -> None:
        """Publish to oneself: a managed broker that does not bring it back is ended and started again."""
        settings = self._wire(node).mqtt
        await in_thread(partial(self._probe, settings), "edge-probe")

    @property
    def address(self) -> Address | None:
        """Where the broker stands, None while it does not."""
        return self._address if self._standing.is_set() else None

    # -- parts --------------------------------------------------------------------------------------------

    def _wire(self, node: NodeContext) -> EdgeSettings:
        """Join the node once: the book of terminals, the countersignatures."""
        with self._lock:
            if self.book is None:
                open_tally(node)
                self.book = TerminalBook(node.store, node.journal)
                self.sender = TaskSender(node, lambda: self.client)
                self.statuses = StatusDesk(node, node.settings.section("edge", EdgeSettings).intake.status_seconds)
                node.journal.listen_cosign(self._heard_cosign)
        return node.settings.section("edge", EdgeSettings)

    def _book(self) -> TerminalBook:
        if self.book is None:
            raise LinkError("the edge is not wired to its node yet")
        return self.book

    def _sender(self) -> TaskSender:
        if self.sender is None:
            raise LinkError("the edge is not wired to its node yet")
        return self.sender

    def _desk(self) -> StatusDesk:
        if self.statuses is None:
            raise LinkError("the edge is not wired to its node yet")
        return self.statuses

    def _heard_cosign(self, cosign: Cosign) -> None:
        for hearer in (self.intake, self.teller):
            if hearer is not None:
                hearer.heard_cosign(cosign)

    async def _follow(self, node: NodeContext, address: Address) -> None:
        self._stand(node, address, address.url)
        await asyncio.Event().wait()

    async def _serve(self, node: NodeContext, broker: ManagedBroker) -> None:
        """Start the broker and stay with it; returns when it must start again to know its users."""
        book = self._book()
        try:
            await broker.start(book.verifiers())
            self._stand(node, broker.address, broker.url)
            seen = broker.users(book.verifiers())
            while await broker.runs(TICK):
                if self._deaf.is_set():
                    self._deaf.clear()
                    raise LinkError(f"broker {broker.kind} is alive but deaf; it is started again")
                book.refresh_if_stale()
                users = broker.users(book.verifiers())
                if users != seen and not broker.reload(book.verifiers()):
                    return
                seen = users
            raise LinkError(f"broker {broker.kind} ended: {broker.last_words()}")
        finally:
            self._standing.clear()
            await broker.stop()

    def _stand(self, node: NodeContext, address: Address, url: str) -> None:
        self._address, self.url, self.trouble = address, url, ""
        node.announce("mqtt", url)
        self._announce("mqtt", url)
        self._standing.set()

    def _take_in(self, node: NodeContext, settings: IntakeSettings, stop: threading.Event) -> None:
        while not stop.is_set():
            address = self._address
            if address is not None and self._standing.wait(0.2):
                self._take_in_from(address, node, settings, stop)
            elif address is None:
                stop.wait(0.1)

    def _take_in_from(
        self, address: Address, node: NodeContext, settings: IntakeSettings, stop: threading.Event
    ) -> None:
        """Take in until ``stop``, or until the broker stands elsewhere."""
        client = MqttClient(address, session_of(node.code, settings))
        spool, book = make_spool(node, settings), self._book()
        rules = rules_of(node.code, node.settings.region, settings, self._profiles_of(node).active)
        judge = Judge(rules, book.known)
        self.keys = KeyDesk(node, lambda: client, book)
        field = self.field = FieldDesk(node, client, spool, self._sender(), self._desk(), self.keys)
        intake = Intake(node, client, judge, spool, book, field, settings, self.retries)
        self.client, self.spool, self.intake, self.judge = client, spool, intake, judge
        client.start()
        try:
            intake.run(lambda: stop.is_set() or self._address != address)
        finally:
            client.stop()

    def _profiles_of(self, node: NodeContext) -> ProfileStore:
        if self._profiles is None:
            self._profiles = ProfileStore(node).watching()
        return self._profiles

    def _send_tasks(self, sender: TaskSender, sealer: TrackSealer, statuses: StatusDesk, stop: threading.Event) -> None:
        while not stop.wait(TASK_TICK):
            sender.step()
            sealer.step()
            statuses.step()
            if self.keys is not None:
                self.keys.tell_changed()

    def _probe(self, settings: BrokerSettings, stop: threading.Event) -> None:
        misses = 0
        while not stop.wait(settings.probe_every if not misses else 1.0):
            client = self.client
            if client is None or not client.connected:
                continue
            try:
                self.round_trip, misses = client.probe(settings.probe_timeout), 0
                self.trouble = ""
            except LinkError as error:
                self.round_trip, misses = None, misses + 1
                self.trouble = str(error)
            if misses >= 3:
                misses = 0
                self._deaf.set()


def session_of(code: str, settings: IntakeSettings) -> Session:
    """How the intake stands at the broker: what came while it was away is kept for it."""
    return Session(
        f"{code}-intake",
        subscriptions=FILTERS,
        window=settings.window,
        in_flight=IN_FLIGHT,
        max_packet=2 * MESSAGE_LIMIT,
        probe=True,
        retry_max=5,
    )


def make_spool(node: NodeContext, settings: IntakeSettings) -> PartSpool:
    """The node's spool of parts, with the limits of the settings."""
    limits = SpoolLimits(
        settings.photo_mib * MIB, settings.spool_mib * MIB, settings.reserve_mib * MIB, settings.part_life
    )
    return PartSpool(node.dir / "spool" / "parts", limits, lambda: node.clock.now() / 1_000_000)


def make_broker(node: NodeContext, settings: BrokerSettings, kind: str) -> ManagedBroker:
    """The node's own broker by its settings; iotcore serves loopback only. Raises LinkError."""
    files = BrokerFiles(node.dir / "broker")
    files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    tls = None
    if not is_loopback(settings.listen):
        from wanmi_edge.certificate import broker_certificate

        tls = broker_certificate(node, settings.listen)
    if tls is not None and kind == "iotcore":
        raise LinkError("mosquitto is not installed, and iotcore serves loopback only: install mosquitto")
    asks = node.settings.section("edge", EdgeSettings).asks.open != "off"
    if asks and kind == "iotcore":
        raise LinkError("edge.asks.open: iotcore has no access rules: install mosquitto, or set it to off")
    listener = Listener(settings.listen, choose_port(settings, files), tls)
    return ManagedBroker(kind, files, node.code, listener, node.ids, asks=asks)


async def in_thread(work: Callable[[threading.Event], None], name: str) -> None:
    """Run blocking ``work`` in a thread of its own; when the task is cancelled, ask it to stop and wait."""
    stop = threading.Event()
    with ThreadPoolExecutor(1, thread_name_prefix=name) as executor:
        future = asyncio.get_running_loop().run_in_executor(executor, work, stop)
        try:
            await asyncio.shield(future)
        finally:
            stop.set()
            await asyncio.wait([future])
