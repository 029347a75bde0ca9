"""A terminal that nobody knows yet asks to be admitted: its request, and what an edge answers. Pure.

    up    wanmi/ask/v1/{key id}/ask       AskWire
    down  wanmi/ask/v1/{key id}/answer    AskAnswer

All such terminals share one broker account that may do this and nothing else, so everybody with it hears every answer: what is
meant for one is sealed to the key that the request names. The broker password stays on the terminal, its verifier goes.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wanmi.entries import canonical, public_key
from wanmi.errors import BadInput
from wanmi.reports.cards import Verifier
from wanmi.reports.envelope import App, Micros, TerminalId, from_b64, key_id, to_b64
from wanmi.reports.rotations import Base64, HexKey

ASK_DOMAIN = b"wanmi/ask/1\n"
"""What the signature (and the proof of a code) covers before the request's bytes."""
MAX_ASK = 4 * 1024
ASK_USER = ASK_PASSWORD = "terminal-ask"  # noqa: S105 - no secret: all that it opens is the door bell
ASK_FILTER = "wanmi/ask/v1/+/ask"
ANSWERS = "wanmi/ask/v1/+/answer"

AskState = Literal["pending", "approved", "denied", "expired", "busy", "bad_code", "closed"]


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who asks: signing key, X25519 key for the answer, verifier of its broker password; ``made_at`` µs UTC."""

    v: Literal[1]
    public_key: HexKey
    seal_key: HexKey
    broker_verifier: Verifier
    model: App
    app: App
    made_at: Micros


class AskWire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The MQTT payload; ``proof``: HMAC-SHA256 in hex, by the one-time code, of what is signed; empty without a code."""

    v: Literal[1]
    envelope: Base64
    sig: Base64
    proof: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?(?!\n)$")] = ""


class AskAnswer(msgspec.Struct, frozen=True):
    """What became of a request; ``sealed`` (base64url, with ``approved``) is a ``Granted`` for the asking terminal alone."""

    v: Literal[1]
    key_id: str
    status: AskState
    edge: str
    at: Micros
    reason: str = ""
    sealed: str = ""


class Granted(msgspec.Struct, frozen=True):
    """What an admitted terminal needs to know: its id, where to send, and whose countersignature makes a report safe."""

    terminal: TerminalId
    district: str
    district_key: HexKey
    brokers: tuple[str, ...]


def ask_topic(key: str) -> str:
    """Where the terminal with this key id asks."""
    return f"wanmi/ask/v1/{key}/ask"


def answer_topic(key: str) -> str:
    """Where it hears the answer."""
    return f"wanmi/ask/v1/{key}/answer"


def sign_ask(ask: Ask, key: Ed25519PrivateKey, code: str = "") -> bytes:
    """The message to publish for a request."""
    raw = canonical(msgspec.to_builtins(ask))
    return msgspec.json.encode(AskWire(1, to_b64(raw), to_b64(key.sign(ASK_DOMAIN + raw)), _proof(raw, code)))


def read_ask(topic: str, payload: bytes) -> tuple[Ask, AskWire]:
    """The request in a message: its signature fits its key, and its key the topic; raises BadInput."""
    if len(payload) > MAX_ASK:
        raise BadInput(f"request of {len(payload)} bytes, at most {MAX_ASK}")
    try:
        wire = msgspec.json.decode(payload, type=AskWire, strict=True)
        raw, signature = from_b64(wire.envelope), from_b64(wire.sig)
        ask = msgspec.json.decode(raw, type=Ask, strict=True)
        public = bytes.fromhex(ask.public_key)
        public_key(public).verify(signature, ASK_DOMAIN + raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, InvalidSignature) as error:
        raise BadInput(f"not a terminal's request: {error}") from error
    if canonical(msgspec.to_builtins(ask)) != raw or topic != ask_topic(key_id(public)):
        raise BadInput("a terminal's request: not in canonical form, or on another key's topic")
    return ask, wire


def proves_code(wire: AskWire, code: str) -> bool:
    """Whether whoever made the message knows the code."""
    return hmac.compare_digest(_proof(from_b64(wire.envelope), code), wire.proof)


def read_answer(payload: bytes) -> AskAnswer:
    """The answer in a payload; raises BadInput."""
    if len(payload) > MAX_ASK:
        raise BadInput(f"answer of {len(payload)} bytes, at most {MAX_ASK}")
    try:
        return msgspec.json.decode(payload, type=AskAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"not an answer: {error}") from error


def _proof(raw: bytes, code: str) -> str:
    return hmac.new(code.encode(), ASK_DOMAIN + raw, hashlib.sha256).hexdigest() if code else ""
