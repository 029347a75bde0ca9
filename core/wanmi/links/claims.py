"""The handshake's signed claims: who I am, for which pair of nonces, by which keys, how far I hold your chains."""

from __future__ import annotations

import hashlib

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wanmi.entries import Head, public_key
from wanmi.errors import LinkError
from wanmi.links.frames import Hello

HELLO_DOMAIN = b"wanmi/hello/1\n"
SESSION_DOMAIN = b"wanmi/session/1\n"


class Claim(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a HELLO says and signs.

    ``node`` speaks to ``to``; ``child_nonce`` and ``parent_nonce`` are 16 bytes each; ``curve`` is the CURVE
    public key (z85, 40 bytes) of the socket it speaks by, ``seal`` the X25519 key that blob keys are wrapped
    for; ``at`` µs UTC; ``window`` bytes that may be under way unacknowledged in each stream towards it;
    ``heads``: origin -> (seq, hash) of every chain that it holds and that concerns this link;
    ``yours`` is the head of the receiver's own chain that the receiver signed and the sender holds: the proof that
    a receiver needs before it believes that it lost its tail.

    Since protocol 2, and left out where zero: ``term`` counts the promotions of the parent (the parent's own word, or
    the highest that the child has heard); ``bulk`` is the TCP port of the parent's second socket, for blobs.
    """

    protocol: int
    node: str
    to: str
    child_nonce: bytes
    parent_nonce: bytes
    curve: bytes
    seal: bytes
    at: int
    window: int
    heads: dict[str, tuple[int, bytes]]
    yours: Head | None
    term: int = 0
    bulk: int = 0


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Claim)


def session_id(child: str, parent: str, child_nonce: bytes, parent_nonce: bytes) -> bytes:
    """The session of a pair of nonces: 16 bytes that no other pair has."""
    parts = (SESSION_DOMAIN, child.encode(), b"\n", parent.encode(), b"\n", child_nonce, parent_nonce)
    return hashlib.sha256(b"".join(parts)).digest()[:16]


def sign_claim(key: Ed25519PrivateKey, claim: Claim) -> Hello:
    """A HELLO header: the claim's bytes and the node's signature over domain and bytes."""
    packed = _encoder.encode(claim)
    return Hello(packed, key.sign(HELLO_DOMAIN + packed))


def read_claim(hello: Hello) -> Claim:
    """The claim as it stands, not verified; raises LinkError if it does not read."""
    try:
        claim = _decoder.decode(hello.claim)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LinkError(f"a HELLO has a claim that does not read: {error}") from error
    if any(seq < 0 or len(hash_) != 32 for seq, hash_ in claim.heads.values()) or claim.term < 0:
        raise LinkError(f"the HELLO of {claim.node} has heads that are none")
    return claim


def verify_claim(hello: Hello, public: bytes) -> bool:
    """Whether the claim was signed with the key whose 32 public bytes are given."""
    try:
        public_key(public).verify(hello.sig, HELLO_DOMAIN + hello.claim)
    except (InvalidSignature, ValueError):
        return False
    return True
