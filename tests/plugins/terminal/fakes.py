"""A real broker of its own, and an edge that keeps, loses, delays and refuses as it is told."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from wanmi.entries import sign_cosign
from wanmi.reports import (
    EntryRef,
    PartTopic,
    Receipt,
    ReportMessage,
    ReportTopic,
    broker_verifier,
    cosign_ref,
    decode_report,
    digest_of,
    encode_receipt,
    missing_parts,
    parse_topic,
    read_card,
    receipt_topic,
    verify_report,
)
from wanmi_terminal.home import Home
from wanmi_terminal.schedule import Retry

TERMINAL = "T210102-0001"
EDGE, DISTRICT = "21010201", "210102"
QUICK = Retry(unkept=0.4, kept=0.4, later=0.2, longest=2.0, settle=0.1, reconnect=0.1, reconnect_longest=1.0)

CONFIG = """\
listener {port} 127.0.0.1
user root
allow_anonymous false
password_file {dir}/passwords
acl_file {dir}/acl
persistence false
max_queued_messages 0
"""
ACL = """\
user edge
topic readwrite wanmi/v1/#
pattern write wanmi/v1/%u/report
pattern write wanmi/v1/%u/part/#
pattern write wanmi/v1/%u/seen
pattern write wanmi/v1/%u/status
pattern read wanmi/v1/%u/receipt
"""


def until(done: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Look until it is so; fail by name when it never is."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.01)


class Broker:
    """A private mosquitto on a free port; can be killed and started again."""

    def __init__(self, where: Path, homes: list[Home]) -> None:
        self.dir = where
        where.mkdir(mode=0o700)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        cards = [read_card(home.card()) for home in homes]
        lines = [f"{card.broker_user}:{card.broker_verifier}" for card in cards]
        lines.append(f"edge:{broker_verifier('edge', b'salt of 12 b')}")
        (where / "passwords").write_text("\n".join(lines) + "\n")
        (where / "passwords").chmod(0o600)
        (where / "acl").write_text(ACL)
        (where / "acl").chmod(0o600)
        (where / "mosquitto.conf").write_text(CONFIG.format(port=self.port, dir=where))
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        with (self.dir / "log").open("ab") as log:
            command = ["mosquitto", "-c", str(self.dir / "mosquitto.conf")]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        until(self._answers, f"mosquitto on {self.port}: {(self.dir / 'log').read_text()}", 10)

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class TlsBroker(Broker):
    """The same with a second listener that speaks MQTTS; ``ca`` signed its certificate, ``other_ca`` did not."""

    def __init__(self, where: Path, homes: list[Home]) -> None:
        super().__init__(where, homes)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.tls_port = free.getsockname()[1]
        self.ca, self.other_ca = where / "ca.pem", where / "other.pem"
        ca_key, other_key, own_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        write_certificate(self.ca, "ca", ca_key, ca_key, None)
        write_certificate(self.other_ca, "other", other_key, other_key, None)
        write_certificate(where / "cert.pem", "ca", own_key, ca_key, "localhost")
        pem, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        (where / "key.pem").write_bytes(own_key.private_bytes(pem, plain, serialization.NoEncryption()))
        with (where / "mosquitto.conf").open("a") as config:
            config.write(f"listener {self.tls_port} 127.0.0.1\ncertfile {where}/cert.pem\nkeyfile {where}/key.pem\n")

    @property
    def url(self) -> str:
        return f"mqtts://localhost:{self.tls_port}"


def write_certificate(
    path: Path, issuer: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, host: str | None
) -> None:
    """A certificate good for a day: of a CA (no host), or of a host."""

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name(issuer), name(host or issuer), key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
    if host is not None:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    path.write_bytes(made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


class Cable:
    """A TCP line to a broker that can be cut under way and healed."""

    def __init__(self, broker: Broker) -> None:
        self._target = ("127.0.0.1", broker.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self._whole = True
        self.url = f"mqtt://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._whole = False
        ends, self._ends = self._ends, []
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def heal(self) -> None:
        self._whole = True

    def close(self) -> None:
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if not self._whole:
                    near.close()
                    continue
                far = socket.create_connection(self._target)
                self._ends += [near, far]
                threading.Thread(target=self._carry, args=(near, far), daemon=True).start()
                threading.Thread(target=self._carry, args=(far, near), daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


class FakeEdge:
    """Answers reports as an edge does; ``answer`` may say otherwise.

    ``answer(message, times)`` gets each report and how often it came, and returns the statuses to send now:
    "kept", "safe", "kept late" (sent with the next report's answers), "forged" (a safe receipt signed by nobody),
    or a reason code for a refusal. Reports whose parts are missing are asked for and count as not yet come.
    """

    def __init__(
        self, broker: Broker, public: bytes, answer: Callable[[ReportMessage, int], list[str]] | None = None
    ) -> None:
        self.key = Ed25519PrivateKey.from_private_bytes(b"d" * 32)
        self.public = public
        self.answer = answer or (lambda _message, _times: ["kept", "safe"])
        self.order: list[str] = []
        self.seen: dict[str, list[bytes]] = {}
        self.parts: dict[str, bytes] = {}
        self.part_messages = 0
        self.late: list[Receipt] = []
        self.wanted: list[str] = []
        self._chunks: dict[str, dict[int, bytes]] = {}
        self._ready = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="edge", protocol=MQTTv5)
        self._client.username_pw_set("edge", "edge")
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda *_: self._client.subscribe("wanmi/v1/#", qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = lambda _client, _data, message: self._take(message)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, message: MQTTMessage) -> None:
        if message.topic.endswith("/receipt"):
            return
        topic = parse_topic(message.topic)
        if isinstance(topic, PartTopic):
            self._take_part(topic, message.payload)
        elif isinstance(topic, ReportTopic):
            self._take_report(decode_report(message.payload))

    def _take_part(self, topic: PartTopic, payload: bytes) -> None:
        self.part_messages += 1
        chunks = self._chunks.setdefault(topic.digest, {})
        chunks[topic.index] = payload
        if len(chunks) == topic.count:
            content = b"".join(chunks[i] for i in range(topic.count))
            assert digest_of(content) == topic.digest
            self.parts[topic.digest] = content

    def _take_report(self, message: ReportMessage) -> None:
        assert verify_report(message, self.public)
        report_id = message.report.report_id
        want = missing_parts(message.report, self.parts | message.parts)
        if want:
            self.wanted.append(report_id)
            self._send(Receipt(1, message.report.terminal, report_id, "want", EDGE, 1, want=want))
            return
        copies = self.seen.setdefault(report_id, [])
        copies.append(message.envelope)
        if len(copies) == 1:
            self.order.append(report_id)
        late, self.late = self.late, []
        for receipt in late:
            self._send(receipt)
        for status in self.answer(message, len(copies)):
            self._answer(message, status)

    def _answer(self, message: ReportMessage, status: str) -> None:
        terminal, report_id = message.report.terminal, message.report.report_id
        if status in ("kept", "kept late", "safe", "forged"):
            receipt = self.receipt(terminal, report_id, status)
        else:
            receipt = Receipt(1, terminal, report_id, "refused", EDGE, 1, reason=status)
        if status == "kept late":
            self.late.append(receipt)
        else:
            self._send(receipt)

    def receipt(self, terminal: str, report_id: str, status: str) -> Receipt:
        seq = self.order.index(report_id) + 1 if report_id in self.order else 1
        entry = EntryRef(EDGE, seq, bytes(32).hex())
        if status.startswith("kept"):
            return Receipt(1, terminal, report_id, "kept", EDGE, 1, entry=entry)
        key = self.key if status == "safe" else Ed25519PrivateKey.from_private_bytes(bytes(32))
        cosign = cosign_ref(sign_cosign(key, DISTRICT, EDGE, seq, bytes(32), 2))
        return Receipt(1, terminal, report_id, "safe", EDGE, 2, entry=entry, cosign=cosign)

    def _send(self, receipt: Receipt) -> None:
        self._client.publish(receipt_topic(receipt.terminal), encode_receipt(receipt), qos=1)
