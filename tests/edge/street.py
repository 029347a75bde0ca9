"""A real edge node in a directory, and terminals in the street that speak to its broker."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

import wanmi_edge
from wanmi.clock import SystemClock
from wanmi.entries import Cosign
from wanmi.identity import NodeKeys, ParentUrl
from wanmi.ids import SystemIds
from wanmi.journal import Journal, register_core
from wanmi.kinds import NodeAdmitted, TerminalAdmitted, TerminalRevoked
from wanmi.models import Row, table
from wanmi.mqtt import Address, Message, MqttClient, Session
from wanmi.node.creating import NewNode, create_node
from wanmi.node.node import Node
from wanmi.node.tasks import Supervisor
from wanmi.plugins import Plugin
from wanmi.registry import Draft, Registry
from wanmi.reports import (
    Attachment,
    Receipt,
    Report,
    broker_verifier,
    chunks_of,
    decode_receipt,
    digest_of,
    part_topic,
    receipt_topic,
    report_topic,
    sign_report,
    text_part,
)
from wanmi.store import Store

EDGE = "21010201"
DISTRICT = "210102"
CITY_POINT = (1_234_330_000, 417_900_000)
"""In Heping, 1e-7 degree WGS-84."""
WAIT = 20.0
PLUGIN = Plugin("edge", "0.1.0", wanmi_edge)


def until(true: Callable[[], Any], what: str, seconds: float = WAIT) -> Any:
    """Poll until ``true()`` is; its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = true()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s: {what}")


class District:
    """The edge's parent: a real journal; batches are carried by hand."""

    def __init__(self, dir: Path, code: str = DISTRICT) -> None:
        self.code = code
        registry = Registry()
        with registry.filling("wanmi", "0"):
            register_core(registry)
        dir.mkdir(parents=True)
        self.keys = NodeKeys.create(dir, SystemIds())
        self.store = Store.open(f"sqlite:///{dir}/journal.db", registry.rows.values())
        self.journal = Journal(
            code, self.store, registry, clock=SystemClock(), ids=SystemIds(), sign_key=self.keys.sign
        )  # fmt: skip

    @property
    def url(self) -> str:
        """What a child is told of its parent."""
        return str(ParentUrl("tcp://127.0.0.1:9", self.code, self.keys.sign_public, self.keys.curve_public))

    def tell(self, node: Node, *drafts: Draft) -> None:
        """Append and bring the chain to the edge."""
        self.journal.append(*drafts).result()
        batch = self.journal.batch_for(node.code, self.code, node.journal.cursor(self.code).seq)
        assert batch is not None
        node.journal.apply(batch, self.code).result()

    def countersign(self, node: Node) -> Cosign:
        """Hold what the edge has, and give it the countersignature."""
        cosign = self.countersign_only(node)
        node.journal.note_cosign(cosign).result()
        return cosign

    def countersign_only(self, node: Node) -> Cosign:
        """Hold what the edge has; the countersignature."""
        self.hold(node)
        cosign = self.journal.cosign(node.code)
        assert cosign is not None
        return cosign

    def hold(self, node: Node) -> None:
        """Apply the edge's chain, verified."""
        if self.journal.key_of(node.code) is None:
            key = node.keys.sign_public.hex()
            body = NodeAdmitted(node.code, "edge", node.code, self.code, self.code, key, "00" * 32, "")
            self.journal.append(Draft("node.admitted", f"node:{node.code}", body)).result()
        while (batch := node.journal.batch_for(self.code, node.code, self.journal.cursor(node.code).seq)) is not None:
            self.journal.apply(batch, node.code).result()


def make_edge_dir(dir: Path, district: District, code: str = EDGE, **sections: dict[str, object]) -> Path:
    """A node directory as `wanmi init` makes it, with sections added to node.toml."""
    new = NewNode("edge", code, parent=district.url, plugins=("edge",))
    create_node(dir, new, given=[PLUGIN])
    toml = dir / "node.toml"
    more = "".join(
        f"\n[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
        for name, table in sections.items()
    )
    toml.write_text(toml.read_text() + more)
    return dir


def open_edge(dir: Path) -> Node:
    """The node of a directory, with the edge plugin enabled."""
    return Node.open(dir, plugins=[PLUGIN])


@dataclass
class RunningEdge:
    """An edge whose tasks run in a thread."""

    node: Node
    district: District

    @property
    def broker(self) -> dict[str, Any]:
        """DIR/broker/address.json."""
        facts: dict[str, Any] = json.loads((self.node.dir / "broker" / "address.json").read_text())
        return facts

    def client(self) -> MqttClient:
        """The edge's own connection: it may publish for anybody."""
        client = self.node.registry.probes["edge"].read.args[0].client  # type: ignore[attr-defined]
        assert isinstance(client, MqttClient)
        return client

    def health(self, name: str) -> Any:
        """The named health line."""
        (line,) = [line for line in self.node.registry.probes["edge"].read(self.node) if line.name == name]
        return line

    def rows(self, row: type[Row]) -> list[Any]:
        """All rows of a table."""
        with self.node.store.reader() as connection:
            return list(connection.execute(select(table(row))))

    def entries(self, kind: str) -> list[Any]:
        """The entries of a kind in the node's own chain."""
        return [
            one.entry
            for one in self.node.journal.read(self.node.code, 0, 100_000, 10**9)
            if one.entry and one.entry.kind == kind
        ]

    def admit(self, *streets: Street) -> None:
        """The district's chain admits terminals, and reaches the edge."""
        bodies = [TerminalAdmitted(street.id, street.public.hex(), street.verifier, None) for street in streets]
        self.district.tell(self.node, *[Draft("terminal.admitted", f"terminal:{b.terminal}", b) for b in bodies])
        if self.broker["kind"] == "mosquitto":
            passwords = self.node.dir / "broker" / "passwords"
            until(lambda: all(street.id in passwords.read_text() for street in streets), "the broker is told")

    def revoke(self, street: Street) -> None:
        """The district takes the admission back."""
        body = TerminalRevoked(street.id, "lost")
        self.district.tell(self.node, Draft("terminal.revoked", f"terminal:{street.id}", body))


@contextmanager
def running(node: Node, district: District) -> Iterator[RunningEdge]:
    """Run the node's tasks in a thread until the end of the block."""
    loop = asyncio.new_event_loop()
    supervisor = Supervisor(node)
    stopping = asyncio.Event()

    async def run() -> None:
        supervisor.start(node.registry.tasks.values())
        await stopping.wait()
        await supervisor.stop(10)

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), name="edge-under-test")
    thread.start()
    edge = RunningEdge(node, district)
    try:
        until(lambda: edge.health("edge.broker").state == "fine", "the broker stands and the intake listens")
        yield edge
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join()
        loop.close()
        node.close()


@dataclass
class Street:
    """A terminal: its key, its password, and what it makes."""

    id: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    password: str = "a password of 256 bits"
    made: int = 0

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    @property
    def verifier(self) -> str:
        return broker_verifier(self.password, b"twelve bytes")

    def report(self, **changes: Any) -> Report:
        """A good report, with changes."""
        self.made += 1
        now = SystemClock().now()
        good = Report(
            v=1, terminal=self.id, report_id=f"R{self.made:025d}", made_at=now, kind="event", category="0102",
            component=None, lon_e7=CITY_POINT[0], lat_e7=CITY_POINT[1], datum="WGS84", accuracy_cm=300, fix="gnss",
            fix_at=now, satellites=9, source="collector", self_handled=False, attachments=(), app="street/1", queue=0,
        )  # fmt: skip
        return replace_struct(good, changes)

    def with_text(self, text: str, **changes: Any) -> tuple[Report, bytes]:
        """A report with an inline text, and its message."""
        part = text_part(text, b"0123456789abcdef")
        attachment = Attachment("text", digest_of(part), len(part), "text/plain")
        report = self.report(attachments=(attachment,), **changes)
        return report, sign_report(report, self.key, {attachment.digest: part})

    def with_photo(self, photo: bytes, **changes: Any) -> tuple[Report, bytes]:
        """A report with a photo that goes another way, and its message."""
        report = self.report(attachments=(Attachment("photo", digest_of(photo), len(photo), "image/jpeg"),), **changes)
        return report, sign_report(report, self.key)

    def signed(self, **changes: Any) -> tuple[Report, bytes]:
        """A report without parts, and its message."""
        report = self.report(**changes)
        return report, sign_report(report, self.key)


def replace_struct(report: Report, changes: dict[str, Any]) -> Report:
    import msgspec

    return msgspec.structs.replace(report, **changes)


class Line:
    """A terminal's connection to a broker."""

    def __init__(self, street: Street, broker: dict[str, Any], password: str | None = None) -> None:
        host, port = broker["url"].rpartition("//")[2].rpartition("@")[2].rsplit(":", 1)
        address = Address(host, int(port), user=street.id, password=password or street.password)
        if broker["url"].startswith("mqtts"):
            address = replace(address, tls=True, ca=Path(broker["ca"]))
        self.street = street
        self.client = MqttClient(address, Session(street.id, (receipt_topic(street.id),), window=5000, retry_min=1))
        self.receipts: list[Receipt] = []

    def __enter__(self) -> Self:
        self.client.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.stop()

    def connect(self) -> Line:
        until(lambda: self.client.connected, f"connected ({self.client.last_error})")
        return self

    def send(self, payload: bytes, topic: str | None = None) -> int:
        """Publish; the broker's reason code."""
        return self.client.send(topic or report_topic(self.street.id), payload).result(WAIT)

    def send_photo(self, photo: bytes) -> None:
        chunks = chunks_of(photo)
        for n, chunk in enumerate(chunks):
            self.send(chunk, part_topic(self.street.id, digest_of(photo), n, len(chunks)))

    def hear(self) -> list[Receipt]:
        """Take what has come; all receipts so far."""
        messages: list[Message] = self.client.take(1000, 0.02)
        for message in messages:
            if message.topic == receipt_topic(self.street.id):  # a session of the shipped terminal hears more
                self.receipts.append(decode_receipt(message.payload))
            message.ack()
        return self.receipts

    def receipt(self, report_id: str | None, n: int = 1, status: str | None = None) -> Receipt:
        """The n-th receipt for a report (of a status)."""

        def fits() -> list[Receipt]:
            return [r for r in self.hear() if r.report_id == report_id and status in (None, r.status)]

        return until(lambda: len(fits()) >= n and fits(), f"receipt {n} {status} for {report_id}")[n - 1]
