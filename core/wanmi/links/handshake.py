"""OPEN and HELLO: how two nodes agree on a session (FEDERATION rule R4). Pure, as everything here.

    child  -> parent  OPEN   node, nonce
    parent -> child   HELLO  signed claim over both nonces            (nothing changes at the parent yet)
    child  -> parent  HELLO  signed claim over both nonces            (now the new session replaces the old one)
    parent -> child   TICK                                            (now the child knows that it stands)

A late or doubled OPEN only makes the parent answer again: what replaces a session is a fresh signature.
"""

from __future__ import annotations

from dataclasses import dataclass

from wanmi.entries import Head
from wanmi.errors import LinkError
from wanmi.links.claims import Claim, read_claim, session_id, sign_claim, verify_claim
from wanmi.links.frames import Hello, Open
from wanmi.links.terms import Ends, Instant, Peer, Side


class Refused(LinkError):
    """The other side is not who it must be, or may not be here; the message is for people."""


@dataclass(frozen=True)
class Agreed:
    """A pair of nonces, the session that they name, and the protocol version that it speaks."""

    child_nonce: bytes
    parent_nonce: bytes
    session: bytes
    version: int


class Handshake:
    """Makes and checks the frames of the handshake for one link."""

    def __init__(self, ends: Ends, peer: str, side: Side, pinned: Peer | None) -> None:
        self._me = ends.me
        self._peer = peer
        self._side = side
        self._directory = ends.directory
        self._limits = ends.limits
        self._ids = ends.ids
        self._pinned = pinned
        self._nonce = b""
        self._offer: Agreed | None = None

    @property
    def is_open(self) -> bool:
        """Child: an OPEN is out and no HELLO has answered it."""
        return bool(self._nonce)

    def open(self) -> Open:
        """Child: a new nonce; what answers an earlier one is void from now on."""
        self._nonce = self._ids.token(16)
        return Open(self._me.code, self._nonce, *self._limits.versions)

    def peer(self) -> Peer:
        """The admitted peer; Refused when there is none or it was revoked."""
        peer = self._pinned or self._directory.peer(self._peer)
        if peer is None:
            raise Refused(f"{self._peer} is not admitted here; admit it at its parent first")
        known = self._directory.peer(self._peer)
        if not peer.active or (known is not None and not known.active):
            raise Refused(f"{self._peer} was revoked")
        if self._side == "parent" and peer.parent != self._me.code:
            raise Refused(f"{self._peer} is a child of {peer.parent}, not of {self._me.code}")
        return peer

    def offered(self, opened: Open) -> Agreed:
        """Parent: the pair of nonces to answer an OPEN with; the same OPEN gets the same pair."""
        low, high = self._limits.versions
        version = min(opened.high, high)
        if version < max(opened.low, low):
            older = self._peer if opened.high < low else self._me.code
            raise Refused(
                f"{self._peer} speaks protocol {opened.low} to {opened.high}, {self._me.code} {low} to {high}: "
                f"upgrade {older}"
            )
        if opened.node != self._peer or len(opened.nonce) != 16:
            raise Refused(f"an OPEN that names {opened.node} came with the key of {self._peer}")
        if self._offer is None or self._offer.child_nonce != opened.nonce:
            nonce = self._ids.token(16)
            session = session_id(self._peer, self._me.code, opened.nonce, nonce)
            self._offer = Agreed(opened.nonce, nonce, session, version)
        return self._offer

    def answered(self, session: bytes, hello: Hello) -> tuple[Agreed, Claim] | None:
        """Child: the parent's HELLO; None unless it answers the OPEN that is out."""
        claim = read_claim(hello)
        if not self._nonce or claim.child_nonce != self._nonce:
            return None
        agreed = Agreed(
            claim.child_nonce,
            claim.parent_nonce,
            session_id(self._me.code, self._peer, claim.child_nonce, claim.parent_nonce),
            claim.protocol,
        )
        if agreed.session != session:
            return None
        self._check(hello, claim, *self._limits.versions)
        self._nonce = b""
        return agreed, claim

    def confirmed(self, session: bytes, hello: Hello) -> tuple[Agreed, Claim] | None:
        """Parent: the child's HELLO; None unless it belongs to the offer that is out."""
        offer = self._offer
        if offer is None or offer.session != session:
            return None
        claim = read_claim(hello)
        if (claim.child_nonce, claim.parent_nonce) != (offer.child_nonce, offer.parent_nonce):
            return None
        self._check(hello, claim, offer.version, offer.version)
        self._offer = None
        return offer, claim

    def hello(self, agreed: Agreed, heads: dict[str, tuple[int, bytes]], yours: Head | None, now: Instant) -> Hello:
        """The signed HELLO for a session: what is held, and the newest head that the peer signed."""
        me = self._me
        two = agreed.version >= 2
        claim = Claim(
            agreed.version, me.code, self._peer, agreed.child_nonce, agreed.parent_nonce, me.curve, me.seal, now.wall,
            self._limits.window, heads, yours, bulk=me.bulk if two else 0,
        )  # fmt: skip
        return sign_claim(me.sign, claim)

    def _check(self, hello: Hello, claim: Claim, low: int, high: int) -> None:
        peer = self.peer()
        if not low <= claim.protocol <= high:
            spoken = f"{low}" if low == high else f"{low} to {high}"
            raise Refused(f"{self._peer} answered in protocol {claim.protocol}, this node speaks {spoken}")
        if claim.node != self._peer or claim.to != self._me.code:
            raise Refused(f"a HELLO from {claim.node} to {claim.to} came where {self._peer} was to speak")
        if not verify_claim(hello, peer.sign):
            raise Refused(f"the HELLO of {self._peer} is not signed with the key that it was admitted with")
        if claim.curve != peer.curve or len(claim.seal) != 32:
            raise Refused(f"{self._peer} speaks by another CURVE key than it was admitted with")
