"""The journal's envelope: canonical bytes, digest chain, signed heads. Pure; normative in DESIGN.md 4.

    raw    = canonical JSON (RFC 8785, integers only, ASCII keys) of the envelope, at most 64 KiB
    hash_n = SHA-256(hash_{n-1} || SHA-256(canonical audience) || SHA-256(raw)),  hash_0 = 32 zero bytes

A peer that is not addressed gets (audience, digest of raw) in place of raw and still verifies every head.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from wanmi.errors import BadEntry

ENVELOPE_V = 1
MAX_RAW = 64 * 1024
"""Bytes of the largest entry."""
GENESIS = bytes(32)
"""The hash before a chain's first entry."""
EVERYONE = "*"
HEAD_DOMAIN = b"wanmi/head/1\n"
COSIGN_DOMAIN = b"wanmi/cosign/1\n"
MAX_INT = 2**53 - 1

Audience = str | tuple[str, ...]
"""``"*"`` or a sorted tuple of node codes."""

_CANONICAL = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
_KIND = re.compile(r"(?=.{3,80}$)[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
_NODE = re.compile(r"[0-9]{6,10}")
_SALT = re.compile(r"[0-9a-f]{32}")
_WORDS = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
"""Subjects, actors and makers are shown and indexed: no control characters, at most 200 characters."""
_CAUSE = re.compile(r"[0-9]{6,10}:[1-9][0-9]*(#[a-z0-9_.:/-]+)?")


class Entry(msgspec.Struct, frozen=True):
    """One entry of a node's chain, as decoded from its canonical bytes.

    ``at`` is microseconds UTC; ``salt`` 32 hex digits; ``cause`` names the entry that led to this one,
    ``ORIGIN:SEQ`` or, when a reactor made it, ``ORIGIN:SEQ#REACTOR`` (unique in its chain).
    """

    v: int
    origin: str
    seq: int
    at: int
    audience: Audience
    kind: str
    kind_v: int
    subject: str
    version: int
    actor: str | None
    by: str
    cause: str | None
    body: dict[str, Any]
    salt: str


class Head(msgspec.Struct, frozen=True):
    """A signed head: the origin says "my chain is ``hash`` at ``seq``", at its time ``at`` (µs UTC)."""

    origin: str
    seq: int
    hash: bytes
    at: int
    sig: bytes


class Cosign(msgspec.Struct, frozen=True):
    """A dated countersignature: node ``by`` durably holds ``origin``'s chain up to ``seq`` with ``hash``."""

    origin: str
    seq: int
    hash: bytes
    by: str
    at: int
    sig: bytes


_decoder = msgspec.json.Decoder(Entry, strict=True)


def canonical(value: object) -> bytes:
    """RFC 8785 bytes of a value of dicts, lists, strings, integers, booleans and null.

    Raises BadEntry for floats, integers beyond 2^53-1, keys that are not ASCII strings, lone surrogates.
    """
    _refuse_unsafe(value)
    return _dump(value)


def canonical_audience(audience: Audience) -> bytes:
    """The audience as its canonical JSON."""
    return _dump(audience if isinstance(audience, str) else list(audience))


@lru_cache(maxsize=4096)
def audience_digest(audience: Audience) -> bytes:
    """SHA-256 of the audience's canonical JSON (32 bytes)."""
    return hashlib.sha256(canonical_audience(audience)).digest()


def raw_digest(raw: bytes) -> bytes:
    """SHA-256 of an entry's bytes: what a peer that is not addressed gets in their place."""
    return hashlib.sha256(raw).digest()


def chain_hash(previous: bytes, audience: Audience, digest: bytes) -> bytes:
    """The chain's hash after an entry with this audience and digest (32 bytes)."""
    return hashlib.sha256(previous + audience_digest(audience) + digest).digest()


def encode(entry: Entry) -> bytes:
    """The entry's canonical bytes, checked for shape and size."""
    check_envelope(entry)
    raw = canonical(
        {
            "v": entry.v,
            "origin": entry.origin,
            "seq": entry.seq,
            "at": entry.at,
            "audience": entry.audience if isinstance(entry.audience, str) else list(entry.audience),
            "kind": entry.kind,
            "kind_v": entry.kind_v,
            "subject": entry.subject,
            "version": entry.version,
            "actor": entry.actor,
            "by": entry.by,
            "cause": entry.cause,
            "body": entry.body,
            "salt": entry.salt,
        }
    )
    if len(raw) > MAX_RAW:
        raise BadEntry(f"{entry.kind} {entry.subject}: {len(raw)} bytes, an entry holds at most {MAX_RAW}")
    return raw


def decode(raw: bytes) -> Entry:
    """The entry in ``raw``; raises BadEntry unless the bytes are exactly its canonical form."""
    if len(raw) > MAX_RAW:
        raise BadEntry(f"{len(raw)} bytes, an entry holds at most {MAX_RAW}")
    try:
        entry = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadEntry(f"not an entry: {error}") from error
    if encode(entry) != raw:
        raise BadEntry(f"entry {entry.origin}:{entry.seq}: the bytes are not in canonical form")
    return entry


def decode_trusted(raw: bytes) -> Entry:
    """The entry in bytes that were verified when they were stored; raises BadEntry if they are no entry."""
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadEntry(f"not an entry: {error}") from error


def check_envelope(entry: Entry) -> None:
    """Raise BadEntry unless every envelope field has its form (the body is checked by its kind)."""
    if entry.v != ENVELOPE_V:
        raise BadEntry(f"entry {entry.origin}:{entry.seq}: envelope version {entry.v} is not known here")
    if not _NODE.fullmatch(entry.origin):
        raise BadEntry(f"origin {entry.origin!r} is not a node code")
    if entry.seq < 1 or entry.version < 1 or entry.kind_v < 1 or entry.at < 0:
        raise BadEntry(f"entry {entry.origin}:{entry.seq}: seq, version and kind_v start at 1, at is not negative")
    if not _KIND.fullmatch(entry.kind):
        raise BadEntry(f"kind {entry.kind!r} is not of the form thing.happened")
    if not _SALT.fullmatch(entry.salt):
        raise BadEntry(f"entry {entry.origin}:{entry.seq}: salt is not 32 hex digits")
    for words in (entry.subject, entry.by) if entry.actor is None else (entry.subject, entry.by, entry.actor):
        if not _WORDS.fullmatch(words):
            raise BadEntry(f"entry {entry.origin}:{entry.seq}: {words[:50]!r} is not 1 to 200 printable characters")
    if entry.cause is not None and not _CAUSE.fullmatch(entry.cause):
        raise BadEntry(f"cause {entry.cause!r} is not ORIGIN:SEQ or ORIGIN:SEQ#REACTOR")
    check_audience(entry.audience)


def check_audience(audience: Audience) -> None:
    """Raise BadEntry unless it is ``"*"`` or a sorted tuple of different node codes."""
    if isinstance(audience, str):
        if audience != EVERYONE:
            raise BadEntry(f'audience {audience!r} is neither "*" nor a list of node codes')
        return
    if not all(_NODE.fullmatch(code) for code in audience) or list(audience) != sorted(set(audience)):
        raise BadEntry(f"audience {list(audience)} is not a sorted list of different node codes")


def addressed(audience: Audience, node: str) -> bool:
    """Whether ``node`` may see an entry with this audience (its origin always may)."""
    return audience == EVERYONE or node in audience


def extend(previous: bytes, parts: Sequence[tuple[Audience, bytes]]) -> list[bytes]:
    """The chain hashes after each (audience, digest), starting from ``previous``."""
    hashes = []
    for audience, digest in parts:
        previous = chain_hash(previous, audience, digest)
        hashes.append(previous)
    return hashes


def head_bytes(origin: str, seq: int, hash_: bytes, at: int) -> bytes:
    """The bytes that a head's signature covers."""
    return HEAD_DOMAIN + _dump({"at": at, "hash": hash_.hex(), "origin": origin, "seq": seq})


def cosign_bytes(origin: str, seq: int, hash_: bytes, by: str, at: int) -> bytes:
    """The bytes that a countersignature covers."""
    return COSIGN_DOMAIN + _dump({"at": at, "by": by, "hash": hash_.hex(), "origin": origin, "seq": seq})


def sign_head(key: Ed25519PrivateKey, origin: str, seq: int, hash_: bytes, at: int) -> Head:
    """Sign the head of one's own chain."""
    return Head(origin, seq, hash_, at, key.sign(head_bytes(origin, seq, hash_, at)))


def sign_cosign(key: Ed25519PrivateKey, by: str, origin: str, seq: int, hash_: bytes, at: int) -> Cosign:
    """Countersign somebody else's chain at the point that is durable here."""
    return Cosign(origin, seq, hash_, by, at, key.sign(cosign_bytes(origin, seq, hash_, by, at)))


def verify_head(head: Head, public: bytes) -> bool:
    """Whether ``head`` was signed with the key whose 32 public bytes are given."""
    return _verified(public, head.sig, head_bytes(head.origin, head.seq, head.hash, head.at))


def verify_cosign(cosign: Cosign, public: bytes) -> bool:
    """Whether the countersignature was made with the key whose 32 public bytes are given."""
    return _verified(public, cosign.sig, cosign_bytes(cosign.origin, cosign.seq, cosign.hash, cosign.by, cosign.at))


@lru_cache(maxsize=4096)
def public_key(public: bytes) -> Ed25519PublicKey:
    """The parsed Ed25519 public key of 32 bytes."""
    return Ed25519PublicKey.from_public_bytes(public)


def _verified(public: bytes, sig: bytes, message: bytes) -> bool:
    try:
        public_key(public).verify(sig, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _dump(value: object) -> bytes:
    try:
        return orjson.dumps(value, option=_CANONICAL)
    except (orjson.JSONEncodeError, RecursionError) as error:
        raise BadEntry(f"cannot be written as canonical JSON: {error}") from error


def _refuse_unsafe(value: object) -> None:
    """Walk the value: orjson would write floats and keys that RFC 8785 orders otherwise."""
    stack: list[object] = [value]
    while stack:
        item = stack.pop()
        kind = type(item)
        if kind is str or kind is int or kind is bool or item is None:
            continue
        if kind is dict:
            for key in item:  # type: ignore[attr-defined]
                if type(key) is not str or not key.isascii():
                    raise BadEntry(f"key {key!r} is not an ASCII string")
            stack.extend(item.values())  # type: ignore[attr-defined]
        elif kind is list or kind is tuple:
            stack.extend(item)  # type: ignore[arg-type]
        else:
            raise BadEntry(f"{item!r} of type {kind.__name__} has no place in an entry (no floats, no other types)")
