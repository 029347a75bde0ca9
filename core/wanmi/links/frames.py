"""Frames of the link protocol: bytes to and from typed headers. Pure; told byte by byte in docs/federation.md.

    type (1) | session (16) | header length (4, big endian) | header (MessagePack map) | body

One frame is one ZeroMQ message. A header may gain fields; readers ignore the ones they do not know. A type
with its high bit set is optional: who does not know it ignores it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import zstandard

from wanmi.entries import Audience, Cosign, Head, raw_digest
from wanmi.errors import LinkError
from wanmi.journal.types import Batch, Item

LOW, HIGH = 1, 2
"""The versions of the protocol that this code speaks; a session uses the highest that both sides do."""
NO_SESSION = bytes(16)
MAX_FRAME = 4 * 1024 * 1024
"""Bytes of the largest frame; ZeroMQ's MAXMSGSIZE."""
MAX_BODY = 8 * 1024 * 1024
"""Bytes of the largest body once unpacked."""
MAX_CHUNK = 256 * 1024
"""Bytes of a blob in one CHUNK."""
OPTIONAL = 0x80
_PREFIX = 21


class Open(msgspec.Struct, frozen=True):
    """0x01 child to parent: I want a session. ``nonce`` 16 random bytes; protocol versions ``low``..``high``."""

    node: str
    nonce: bytes
    low: int
    high: int


class Hello(msgspec.Struct, frozen=True, omit_defaults=True):
    """0x02 both ways: a signed ``Claim`` (its MessagePack bytes) that fixes the session.

    ``also`` is a second signature, by the node's other key while it changes keys; empty otherwise.
    """

    claim: bytes
    sig: bytes
    also: bytes = b""


class BatchHead(msgspec.Struct, frozen=True):
    """0x03: entries ``after+1 … head.seq`` of ``head.origin``; ``count`` of them, ``size`` bytes unpacked."""

    after: int
    count: int
    size: int
    head: Head


class Ack(msgspec.Struct, frozen=True):
    """0x04: ``origin`` is durable here up to ``seq``. ``cosign`` is missing when a node got its own tail back."""

    origin: str
    seq: int
    hash: bytes
    cosign: Cosign | None = None


class Nak(msgspec.Struct, frozen=True):
    """0x05: not taken. ``code`` one of NAK_CODES; for ``gap``, send what comes after (``seq``, ``hash``)."""

    code: str
    about: str = ""
    seq: int = 0
    hash: bytes = b""
    text: str = ""


class Want(msgspec.Struct, frozen=True):
    """0x06: send the sealed bytes of a blob from ``offset``."""

    blob: str
    offset: int


class Chunk(msgspec.Struct, frozen=True):
    """0x07: sealed bytes from ``offset`` of ``size``; ``key`` (for the receiver only) comes with the last one."""

    blob: str
    offset: int
    size: int
    key: bytes = b""


class Tick(msgspec.Struct, frozen=True, omit_defaults=True):
    """0x08: I am here; ``at`` is the sender's µs UTC. Since 2, now and then the sender's own chain's signed ``head``."""

    at: int
    head: Head | None = None


class Bye(msgspec.Struct, frozen=True):
    """0x09: this session ends (or was never one), and why."""

    reason: str


class Need(msgspec.Struct, frozen=True):
    """0x0A, since 2: give me ``what`` in place of all that I lack; ``snapshot`` is the one thing so far."""

    what: str


class Snap(msgspec.Struct, frozen=True):
    """0x0B, since 2: a snapshot for you: fetch it by WANT ``snap:<sha256>``; ``size`` bytes, 0 when there is none."""

    sha256: str
    size: int
    manifest: bytes


Header = Open | Hello | BatchHead | Ack | Nak | Want | Chunk | Tick | Bye | Need | Snap
TYPES: dict[int, type[Header]] = {
    0x01: Open, 0x02: Hello, 0x03: BatchHead, 0x04: Ack, 0x05: Nak, 0x06: Want, 0x07: Chunk, 0x08: Tick, 0x09: Bye,
    0x0A: Need, 0x0B: Snap,
}  # fmt: skip
SINCE: dict[type[Header], int] = {Need: 2, Snap: 2}
"""The protocol version from which a type may be sent; 1 for those that are not named."""
NUMBERS = {header: number for number, header in TYPES.items()}
NAK_CODES = {
    "gap": "the batch starts beyond what is held",
    "unknown-origin": "no admission of this origin is held yet; send again later",
    "not-yours": "this peer may not send this chain",
    "fork": "another entry with this number is held; the stream stops",
    "broken": "the batch does not verify; the stream stops",
    "busy": "it could not be stored; send again later",
    "no-blob": "the blob is not here yet; ask again later",
    "erased": "the blob's key was destroyed, or was never meant for you",
    "unknown-type": "a frame of this type is not understood",
}


@dataclass(frozen=True)
class Frame:
    """A frame taken apart; ``header`` is None for a type that this code does not know."""

    type: int
    session: bytes
    header: Header | None
    body: bytes

    @property
    def optional(self) -> bool:
        """Whether a reader that does not know the type ignores it."""
        return bool(self.type & OPTIONAL)


_encoder = msgspec.msgpack.Encoder()
_decoders = {number: msgspec.msgpack.Decoder(header) for number, header in TYPES.items()}
_items = msgspec.msgpack.Decoder(list[tuple[Audience, bytes, bool]])


def encode(session: bytes, header: Header, body: bytes = b"") -> bytes:
    """The frame's bytes; raises LinkError when it would be larger than MAX_FRAME."""
    packed = _encoder.encode(header)
    size = _PREFIX + len(packed) + len(body)
    if size > MAX_FRAME:
        raise LinkError(f"a {type(header).__name__} frame of {size} bytes; {MAX_FRAME} is the most: make it smaller")
    number = NUMBERS[type(header)]
    return b"".join((bytes((number,)), session, len(packed).to_bytes(4, "big"), packed, body))


def decode(data: bytes) -> Frame:
    """The frame in ``data``; raises LinkError (and nothing else) for bytes that are none."""
    if len(data) < _PREFIX or len(data) > MAX_FRAME:
        raise LinkError(f"{len(data)} bytes are no frame ({_PREFIX} to {MAX_FRAME})")
    number, session, length = data[0], data[1:17], int.from_bytes(data[17:_PREFIX], "big")
    if length > len(data) - _PREFIX:
        raise LinkError(f"a frame of type {number} is cut short in its header")
    packed, body = data[_PREFIX : _PREFIX + length], data[_PREFIX + length :]
    if number not in _decoders:
        return Frame(number, session, None, body)
    try:
        return Frame(number, session, _decoders[number].decode(packed), body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LinkError(f"a frame of type {number} has a header that does not read: {error}") from error


def encode_batch(session: bytes, batch: Batch) -> bytes:
    """A BATCH frame: for each entry its audience and its bytes, or its digest where the peer may not see it."""
    plain = _encoder.encode([_packed(item) for item in batch.items])
    header = BatchHead(batch.after, len(batch.items), len(plain), batch.head)
    return encode(session, header, zstandard.ZstdCompressor(level=1).compress(plain))


def decode_batch(header: BatchHead, body: bytes) -> Batch:
    """The batch of a BATCH frame; raises LinkError when body and header do not belong together."""
    plain = _unpack(body, header.size)
    try:
        items = tuple(_item(audience, data, whole) for audience, data, whole in _items.decode(plain))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LinkError(f"a batch of {header.head.origin} does not read: {error}") from error
    if len(items) != header.count or header.head.seq != header.after + len(items) or not items or header.after < 0:
        raise LinkError(f"a batch of {header.head.origin} says {header.count} entries and brings {len(items)}")
    return Batch(header.head.origin, header.after, items, header.head)


def _packed(item: Item) -> tuple[Audience, bytes, bool]:
    return (item.audience, item.digest if item.raw is None else item.raw, item.raw is not None)


def _item(audience: Audience, data: bytes, whole: bool) -> Item:
    if whole:
        return Item(audience, raw_digest(data), data)
    if len(data) != 32:
        raise LinkError(f"a digest of {len(data)} bytes; 32 are needed")
    return Item(audience, data)


def _unpack(body: bytes, size: int) -> bytes:
    """zstd, bounded before a byte is unpacked: the frame's own word must match and be small."""
    if not 0 <= size <= MAX_BODY:
        raise LinkError(f"a body of {size} bytes; {MAX_BODY} is the most")
    try:
        if zstandard.frame_content_size(body) != size:
            raise LinkError(f"a body does not unpack to the {size} bytes that its header says")
        return zstandard.ZstdDecompressor().decompress(body, max_output_size=size, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise LinkError(f"a body does not unpack: {error}") from error


def body_bytes(items: Sequence[Item]) -> int:
    """About how many bytes the entries of a batch have before packing."""
    return sum(len(item.raw) if item.raw is not None else 80 for item in items)
