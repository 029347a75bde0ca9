"""The terminal's card: what a district must know to admit a terminal, in one line that can be sent or scanned.

    wanmi-card-1.<base64url of canonical JSON>.<base64url of the signature>

The card proves that its maker holds the private key. It carries no secret: of the broker password only the
verifier, in mosquitto's own form, so that a broker's password file is made from admitted cards.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wanmi.entries import canonical, public_key
from wanmi.errors import BadInput
from wanmi.reports.envelope import TerminalId, from_b64, to_b64

CARD_DOMAIN = b"wanmi/card/1\n"
PREFIX = "wanmi-card-1"
ROUNDS = 101
"""PBKDF2 rounds, mosquitto's default: enough, since the password is 256 random bits and not a person's."""
SALT_BYTES = 12

_B64 = "[A-Za-z0-9+/]"
Verifier = Annotated[
    str, msgspec.Meta(pattern=rf"^\$7\$101\${_B64}{{16}}\${_B64}{{86}}==(?!\n)$", description="PBKDF2-SHA512")
]


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A terminal's public facts; ``public_key`` is hex, ``broker_user`` the terminal's id."""

    v: Literal[1]
    terminal: TerminalId
    public_key: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}(?!\n)$")]
    broker_user: TerminalId
    broker_verifier: Verifier

    @property
    def key_bytes(self) -> bytes:
        """The 32 public bytes."""
        return bytes.fromhex(self.public_key)


def broker_verifier(password: str, salt: bytes) -> str:
    """mosquitto's password hash ``$7$101$salt$hash``: PBKDF2-SHA512, 101 rounds, 12 bytes of salt, 64 of hash."""
    if len(salt) != SALT_BYTES:
        raise BadInput(f"the broker verifier's salt has {SALT_BYTES} bytes, not {len(salt)}")
    hashed = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS, 64)
    return f"$7${ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(hashed).decode()}"


def verifier_matches(verifier: str, password: str) -> bool:
    """Whether the password fits the verifier."""
    _, _, _, salt, _ = verifier.split("$")
    return hmac.compare_digest(broker_verifier(password, base64.b64decode(salt)), verifier)


def make_card(terminal: str, key: Ed25519PrivateKey, verifier: str) -> str:
    """The card of a terminal, signed with its key."""
    public = key.public_key().public_bytes_raw().hex()
    raw = canonical(msgspec.to_builtins(Card(1, terminal, public, terminal, verifier)))
    return f"{PREFIX}.{to_b64(raw)}.{to_b64(key.sign(CARD_DOMAIN + raw))}"


def read_card(text: str) -> Card:
    """The card in a line of text, its signature checked; raises BadInput."""
    prefix, _, rest = text.strip().partition(".")
    body, _, signature = rest.partition(".")
    if prefix != PREFIX:
        raise BadInput(f"not a terminal's card: it must begin with {PREFIX}.")
    raw = from_b64(body)
    card = _decode(raw)
    try:
        public_key(card.key_bytes).verify(from_b64(signature), CARD_DOMAIN + raw)
    except (InvalidSignature, ValueError) as error:
        raise BadInput(f"card of {card.terminal}: the signature does not fit its key; print the card again") from error
    if card.broker_user != card.terminal:
        raise BadInput(f"card of {card.terminal}: its broker user is {card.broker_user}; it must be the terminal's id")
    return card


def _decode(raw: bytes) -> Card:
    try:
        card = msgspec.json.decode(raw, type=Card)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"not a terminal's card: {error}") from error
    if canonical(msgspec.to_builtins(card)) != raw:
        raise BadInput(f"card of {card.terminal}: not in canonical form")
    return card
