"""What lies in the spool is signed again when the key has changed: the same bytes, so the same report. Pure."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wanmi.reports import encode_message, key_id
from wanmi.reports.envelope import open_message


def signed_with(payload: bytes, domain: bytes, key: Ed25519PrivateKey) -> bytes:
    """The message with its envelope signed by ``key``; the message itself when it is that already."""
    wire = open_message(payload)
    own = key_id(key.public_key().public_bytes_raw())
    if wire.key_id == own:
        return payload
    return encode_message(wire.envelope, key.sign(domain + wire.envelope), own, wire.parts)
