"""The towns that are simulated: who is there, who is whose child, and the keys, the same in every run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wanmi.identity import z85_decode, z85_encode
from wanmi.kinds import NodeAdmitted, Role
from wanmi.links import Peer
from wanmi.registry import Draft


@dataclass(frozen=True)
class Card:
    """A node of a simulated town with its keys."""

    code: str
    role: Role
    parent: str | None

    @property
    def sign(self) -> Ed25519PrivateKey:
        """The signing key."""
        return _sign_key(self.code)

    @property
    def seal(self) -> X25519PrivateKey:
        """The sealing key."""
        return X25519PrivateKey.from_private_bytes(secret(self.code, "seal"))

    @property
    def curve(self) -> bytes:
        """The CURVE public key (z85); the simulated network does not encrypt."""
        return z85_encode(secret(self.code, "curve"))

    def peer(self) -> Peer:
        """As its admission shows it."""
        return Peer(self.code, self.parent, self.sign.public_key().public_bytes_raw(), self.curve, True)

    def admission(self, parent: str | None) -> Draft:
        """The entry that founds (no parent) or admits it."""
        key = self.sign.public_key().public_bytes_raw().hex()
        curve = z85_decode(self.curve).hex()
        body = NodeAdmitted(self.code, self.role, self.code, self.code[:6], parent, key, curve, "")
        return Draft("node.admitted", f"node:{self.code}", body)


CITY = Card("210100", "city", None)
DISTRICTS = (Card("210102", "district", "210100"), Card("210103", "district", "210100"))
EDGES = (Card("21010201", "edge", "210102"), Card("21010301", "edge", "210103"))
SMALL = (CITY, *DISTRICTS, *EDGES)
"""One city, two districts, two edges."""
FULL = (
    CITY,
    *(Card(f"{n}", "district", CITY.code) for n in range(210102, 210114)),
    *(Card(f"{n}{edge:02d}", "edge", f"{n}") for n in range(210102, 210114) for edge in (1, 2)),
)
"""One city, twelve districts, twenty-four edges."""
TOWNS = {"small": SMALL, "full": FULL}


def below(cards: Sequence[Card], code: str) -> Iterator[str]:
    """The nodes under a node, at any depth."""
    parents = {card.code: card.parent for card in cards}
    for card in cards:
        if code in _above(parents, card.code):
            yield card.code


def _above(parents: Mapping[str, str | None], code: str) -> Iterator[str]:
    at = parents[code]
    while at is not None:
        yield at
        at = parents[at]


def secret(code: str, what: str) -> bytes:
    """Thirty-two bytes that stand for a key of a node."""
    return hashlib.sha256(f"{what} {code}".encode()).digest()


@lru_cache(maxsize=64)
def _sign_key(code: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(secret(code, "sign"))
