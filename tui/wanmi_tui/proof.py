"""Verifies a chain with what a node answers, without believing it: bytes against digests, digests against hashes, the
hash against the signed head and its countersignature. The keys are those that the node's journal names.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from wanmi.entries import Audience, Cosign, Head, chain_hash, raw_digest, verify_cosign, verify_head
from wanmi_tui.client import NodeClient
from wanmi_tui.wire import Heads, NodeLine, RawEntry, SignedHead
from wanmi_tui.words import Lang, T, Text

PIECE = 500
START = bytes(32)


@dataclass(frozen=True)
class Verdict:
    """What came out: ``wrong_at`` the first entry that does not fit (0: all do), ``signed`` whether the head is."""

    origin: str
    entries: int = 0
    wrong_at: int = 0
    why: Text | None = None
    signed: bool = False
    cosigned: SignedHead | None = None

    def to(self, lang: Lang) -> str:
        """The verdict in words."""
        if self.why is not None:
            return T.chain_broken.to(lang, origin=self.origin, seq=self.wrong_at, why=self.why.to(lang))
        one = self.cosigned
        cosigned = T.not_cosigned.to(lang) if one is None else T.cosigned_to.to(lang, seq=one.seq, by=one.by)
        text = T.verified if self.signed else T.verified_unsigned
        return text.to(lang, origin=self.origin, n=self.entries, cosigned=cosigned)


async def verify_chain(client: NodeClient, origin: str) -> Verdict:
    """Read the whole chain and verify it: from genesis, in pieces, holding none of it. Unreached and Refused go out."""
    heads = await client.get("/heads", Heads)
    keys = {node.code: node.sign_key for node in await client.get("/nodes", list[NodeLine])}
    marks = {one.seq: one for one in heads.heads if one.origin == origin}
    known, hash_, after = {0: START}, START, 0
    wanted = {*marks, *(one.seq for one in heads.cosigns if one.origin == origin)}
    while True:
        piece = await client.entries(origin, after, PIECE)
        for entry in piece.entries:
            hash_, why = step(hash_, entry)
            if why is not None:
                return Verdict(origin, after, entry.seq, why)
            after = entry.seq
            if after in wanted:
                known[after] = hash_
        if piece.next is None:
            return judge(origin, after, known, heads, keys)


def step(previous: bytes, entry: RawEntry) -> tuple[bytes, Text | None]:
    """The chain's hash after an entry, and what does not fit."""
    audience: Audience = entry.audience if isinstance(entry.audience, str) else tuple(entry.audience)
    try:
        digest = bytes.fromhex(entry.digest)
        raw = None if entry.raw is None else base64.b64decode(entry.raw, validate=True)
    except ValueError:
        return previous, T.bytes_differ
    if raw is not None and raw_digest(raw) != digest:
        return previous, T.bytes_differ
    made = chain_hash(previous, audience, digest)
    return made, None if made.hex() == entry.hash else T.hash_differs


def judge(origin: str, count: int, known: dict[int, bytes], heads: Heads, keys: dict[str, str]) -> Verdict:
    """The verdict over a chain whose hashes at ``known`` places were made here."""
    signed = False
    for one in (head for head in heads.heads if head.origin == origin and head.seq in known):
        if not _holds_head(one, known[one.seq], keys.get(one.by, "")):
            return Verdict(origin, count, one.seq, T.head_differs)
        signed = True
    cosigns = [one for one in heads.cosigns if one.origin == origin != one.by and one.seq in known]
    for one in cosigns:
        if keys.get(one.by) and not _holds_cosign(one, known[one.seq], keys[one.by]):
            return Verdict(origin, count, one.seq, T.head_differs)
    return Verdict(origin, count, signed=signed, cosigned=max(cosigns, key=lambda one: one.seq, default=None))


def _holds_head(one: SignedHead, hash_: bytes, key: str) -> bool:
    head = Head(one.origin, one.seq, hash_, one.at, bytes.fromhex(one.sig))
    return one.hash == hash_.hex() and len(key) == 64 and verify_head(head, bytes.fromhex(key))


def _holds_cosign(one: SignedHead, hash_: bytes, key: str) -> bool:
    cosign = Cosign(one.origin, one.seq, hash_, one.by, one.at, bytes.fromhex(one.sig))
    return one.hash == hash_.hex() and verify_cosign(cosign, bytes.fromhex(key))
