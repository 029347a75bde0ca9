"""Decoders of what terminals, nodes and chains say: signed messages, receipts, entries, link frames."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import msgspec
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.links.test_frames import GOLDEN as LINK_GOLDEN
from core.test_entries import GOLDEN_RAW
from fuzz.target import Target
from wanmi import entries
from wanmi.codes import Profile
from wanmi.entries import Head
from wanmi.errors import BadEntry, BadInput, LinkError
from wanmi.links import frames
from wanmi.links.claims import Claim, read_claim
from wanmi.links.frames import BatchHead, Hello
from wanmi.reports import (
    Answer,
    EntryRef,
    Known,
    Receipt,
    Report,
    Task,
    TaskRef,
    TrackBatch,
    TrackFix,
    broker_verifier,
    cosign_ref,
    decode_receipt,
    decode_seen,
    decode_task,
    digest_of,
    encode_message,
    encode_receipt,
    encode_seen,
    encode_task,
    make_card,
    report_topic,
    sign_report,
    text_part,
)
from wanmi.reports.answers import ANSWER_DOMAIN, answer_bytes
from wanmi.reports.cards import read_card
from wanmi.reports.envelope import REPORT_DOMAIN, envelope_bytes, key_id, read_text
from wanmi.reports.statuses import STATUS_DOMAIN, Status, status_bytes
from wanmi.reports.tasks import Seen
from wanmi.reports.topics import answer_topic, parse_topic, seen_topic, status_topic, track_topic
from wanmi.reports.tracks import TRACK_DOMAIN, batch_bytes
from wanmi.settings import RegionSettings
from wanmi_edge.settings import IntakeSettings
from wanmi_edge.verdicts import Judge, rules_of

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
T = "T210102-0001"
NOW = 1_795_500_000_000_000
LON, LAT = 1_234_330_000, 417_900_000
PART = text_part("井盖破损", b"0123456789abcdef")
REPORT = Report(
    v=1, terminal=T, report_id="A" * 26, made_at=NOW, kind="event", category="0102", component=None, lon_e7=LON, lat_e7=LAT,
    datum="WGS84", accuracy_cm=300, fix="gnss", fix_at=NOW, satellites=9, source="collector", self_handled=False,
    attachments=(), app="street/1", queue=0,
)  # fmt: skip
ANSWER = Answer(1, T, "A" * 26, "task-0001", NOW, "yes", LON, LAT, "WGS84", 300, "gnss", NOW, 9, (), "test", 0)
TRACK = TrackBatch(1, T, tuple(TrackFix(NOW + n * 1_000_000, LON + n, LAT, 300) for n in range(4)))
STATUS = Status(1, T, "status-0001", NOW, "app/1", 80, False, 3, 0, 1, LON, LAT, NOW, NOW - 5, 120)
TASK = Task(1, T, "task-0001", "open", "check", "0102", LON, LAT, None, NOW, NOW, "看看", "21010201", NOW)
SIGNED = {
    "report": (envelope_bytes(REPORT), REPORT_DOMAIN, report_topic(T)),
    "answer": (answer_bytes(ANSWER), ANSWER_DOMAIN, answer_topic(T)),
    "track": (batch_bytes(TRACK), TRACK_DOMAIN, track_topic(T)),
    "status": (status_bytes(STATUS), STATUS_DOMAIN, status_topic(T)),
}
"""What a terminal signs: the bytes inside, the domain, the topic."""


def targets() -> Iterator[Target]:
    """Each decoder once."""
    yield Target("message", messages(), take_message, ())
    for what, (raw, _, _) in SIGNED.items():
        yield Target(f"signed-{what}", [raw], lambda data, what=what: take_signed(what, data), ())
    yield Target("receipt", receipts(), decode_receipt, (BadInput,))
    yield Target("task", [encode_task(TASK)], decode_task, (BadInput,))
    yield Target("task-seen", [seen()], decode_seen, (BadInput,))
    yield Target(
        "card-text-topic", [*cards(), PART, *(topic.encode() for _, _, topic in SIGNED.values())], take_words, ()
    )
    yield Target("entry", [GOLDEN_RAW], take_entry, (BadEntry,))
    yield Target("link-frame", link_frames(), take_frame, (LinkError,))
    yield Target("link-batch", [batch()], take_batch, (LinkError,))
    yield Target("link-claim", [claim()], take_claim, (LinkError,))


# -- terminals ----------------------------------------------------------------------------------------------

KNOWN = {T: Known(PUBLIC)}
JUDGE = Judge(rules_of("21010201", RegionSettings(), IntakeSettings(), Profile.load), KNOWN.get)


def wrapped(raw: bytes, domain: bytes) -> bytes:
    """A message with a good signature over any bytes."""
    return encode_message(raw, KEY.sign(domain + raw), key_id(PUBLIC), {})


def messages() -> list[bytes]:
    """One message of each kind as a terminal publishes it."""
    with_text = sign_report(REPORT, KEY, {digest_of(PART): PART})
    return [with_text, *(wrapped(raw, domain) for raw, domain, _ in SIGNED.values()), seen()]


def take_message(data: bytes) -> None:
    """Any bytes on any topic of a terminal get a verdict, nothing raises."""
    for topic in (*(one for _, _, one in SIGNED.values()), seen_topic(T)):
        assert JUDGE.judge(topic, data, "application/json", NOW) is not None


def take_signed(what: str, data: bytes) -> None:
    """Bytes that an admitted terminal signed, whatever they are: they get a verdict."""
    _, domain, topic = SIGNED[what]
    assert JUDGE.judge(topic, wrapped(data, domain), "application/json", NOW) is not None


def receipts() -> list[bytes]:
    """A receipt ``safe`` with its countersignature, one ``kept`` and one ``refused``."""
    kept = Receipt(1, T, "A" * 26, "kept", "21010201", NOW, entry=EntryRef("21010201", 7, "11" * 32))
    cosign = cosign_ref(entries.sign_cosign(KEY, "210102", "21010201", 9, b"\x11" * 32, NOW))
    safe = msgspec.structs.replace(kept, status="safe", cosign=cosign)
    return [encode_receipt(kept), encode_receipt(safe)]


def seen() -> bytes:
    """What a terminal says that it holds."""
    return encode_seen(Seen(1, T, (TaskRef("task-0001", "open"),), True))


def cards() -> list[bytes]:
    """A terminal's card."""
    return [make_card(T, KEY, broker_verifier("password", b"salt of 12 b")).encode()]


def take_words(data: bytes) -> None:
    """A card that was typed, a part of text, a topic."""
    words = data.decode("utf-8", "replace")
    for read in (read_card, parse_topic):
        with suppress(BadInput):
            read(words)
    with suppress(BadInput):
        read_text(data)


# -- chains and links ---------------------------------------------------------------------------------------


def take_entry(data: bytes) -> None:
    """An entry of a peer: what is read is canonical, and its envelope is checked."""
    with suppress(BadEntry):
        entries.decode_trusted(data)
    entry = entries.decode(data)
    assert entries.encode(entry) == data
    entries.check_envelope(entry)


SESSION = bytes(range(16))


def link_frames() -> list[bytes]:
    """One frame of each type; a HELLO and a BATCH with what belongs in them."""
    golden = [bytes.fromhex(written) for header, _, written in LINK_GOLDEN if type(header) not in (Hello, BatchHead)]
    packed = frames.encode(SESSION, BatchHead(0, 2, len(batch()), HEAD), _PACKER.compress(batch()))
    return [*golden, packed, frames.encode(SESSION, Hello(claim(), b"sig"))]


def take_frame(data: bytes) -> None:
    """A frame, and what is in it."""
    frame = frames.decode(data)
    if isinstance(frame.header, BatchHead):
        frames.decode_batch(frame.header, frame.body)
    if isinstance(frame.header, Hello):
        read_claim(frame.header)


HEAD = Head("210102", 2, b"\x11" * 32, NOW, b"\x22" * 64)


def batch() -> bytes:
    """What is packed into the body of a BATCH frame: an entry, and the digest of one that is not for this peer."""
    return msgspec.msgpack.encode([("*", GOLDEN_RAW, True), (("210100",), b"\x11" * 32, False)])


_PACKER = zstandard.ZstdCompressor(level=1)


def take_batch(data: bytes) -> None:
    """A body that unpacks as its header says, whatever is in it."""
    frames.decode_batch(BatchHead(0, 2, len(data), HEAD), _PACKER.compress(data))


def claim() -> bytes:
    """What a HELLO claims."""
    heads = {"210102": (2, b"\x11" * 32), "21010201": (7, b"\x22" * 32)}
    return msgspec.msgpack.encode(
        Claim(1, "210102", "210100", b"c" * 16, b"p" * 16, b"k" * 40, b"s" * 32, NOW, 1 << 20, heads, HEAD)
    )


def take_claim(data: bytes) -> None:
    """A HELLO with a claim of any bytes."""
    read_claim(Hello(data, b"sig"))
