"""A terminal changes its key: the request, signed by the old key and by the new one, and what an edge says of keys. Pure.

    up    wanmi/v1/{terminal}/rotate    RotationWire
    down  wanmi/v1/{terminal}/key       KeyNote

The request holds no secret: the new broker password stays on the terminal as the old one did, its verifier goes.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wanmi.entries import canonical, public_key
from wanmi.errors import BadInput
from wanmi.reports.cards import Verifier
from wanmi.reports.envelope import Micros, TerminalId, digest_of, from_b64, to_b64
from wanmi.reports.reasons import Reason, Refused

ROTATE_DOMAIN = b"wanmi/rotate/1\n"
"""What both signatures cover before the request's bytes."""
MAX_ROTATION = 8 * 1024

HexKey = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}(?!\n)$", description="32 public bytes, hex")]
Base64 = Annotated[str, msgspec.Meta(max_length=4096, description="base64url, no padding")]


class Rotation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The new key and the verifier of the new broker password follow ``old_key``; ``made_at`` µs UTC."""

    v: Literal[1]
    terminal: TerminalId
    old_key: HexKey
    public_key: HexKey
    broker_verifier: Verifier
    made_at: Micros


class RotationWire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The MQTT payload: the request's canonical bytes, signed by the old key and by the new one."""

    v: Literal[1]
    envelope: Base64
    sig: Base64
    new_sig: Base64


class KeyNote(msgspec.Struct, frozen=True):
    """Which key an edge holds for a terminal's own, and whether its district wants it rotated. Unknown keys are ignored."""

    v: Literal[1]
    terminal: TerminalId
    edge: str
    at: Micros
    public_key: HexKey
    rotate: bool = False


_decoder = msgspec.json.Decoder(Rotation, strict=True)
_wire_decoder = msgspec.json.Decoder(RotationWire, strict=True)
_note_decoder = msgspec.json.Decoder(KeyNote, strict=True)


def sign_rotation(rotation: Rotation, old: Ed25519PrivateKey, new: Ed25519PrivateKey) -> bytes:
    """The message to publish for a rotation."""
    raw = canonical(msgspec.to_builtins(rotation))
    signed = (to_b64(key.sign(ROTATE_DOMAIN + raw)) for key in (old, new))
    return msgspec.json.encode(RotationWire(1, to_b64(raw), *signed))


def read_rotation(payload: bytes) -> tuple[Rotation, RotationWire]:
    """The request in a message, both signatures checked with the keys that it names; raises Refused.

    Whether ``old_key`` is the terminal's own is the reader's to ask.
    """
    if len(payload) > MAX_ROTATION:
        raise Refused(Reason.TOO_LARGE, f"{len(payload)} bytes, at most {MAX_ROTATION}")
    try:
        wire = _wire_decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Reason.WRONG_SCHEMA, f"rotation: {error}") from error
    return open_rotation(wire), wire


def open_rotation(wire: RotationWire) -> Rotation:
    """The request in a message that was taken apart, or in an entry; raises Refused."""
    try:
        raw, sig, new_sig = from_b64(wire.envelope), from_b64(wire.sig), from_b64(wire.new_sig)
        rotation = _decoder.decode(raw)
    except (BadInput, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Reason.WRONG_SCHEMA, f"rotation: {error}") from error
    if canonical(msgspec.to_builtins(rotation)) != raw or rotation.old_key == rotation.public_key:
        raise Refused(Reason.WRONG_SCHEMA, "the rotation is not in canonical form, or names one key twice")
    try:
        for key, signature in ((rotation.old_key, sig), (rotation.public_key, new_sig)):
            public_key(bytes.fromhex(key)).verify(signature, ROTATE_DOMAIN + raw)
    except (InvalidSignature, ValueError) as error:
        raise Refused(Reason.BAD_SIGNATURE, terminal=rotation.terminal) from error
    return rotation


def rotation_digest(wire: RotationWire) -> str:
    """SHA-256 of the request's bytes in hex: an edge journals one once."""
    return digest_of(from_b64(wire.envelope))


def encode_note(note: KeyNote) -> bytes:
    """The payload of a note."""
    return msgspec.json.encode(note)


def decode_note(payload: bytes) -> KeyNote:
    """The note in a payload; raises BadInput."""
    if len(payload) > MAX_ROTATION:
        raise BadInput(f"note of {len(payload)} bytes, at most {MAX_ROTATION}")
    try:
        return _note_decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"not a note of keys: {error}") from error
