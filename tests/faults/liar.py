"""A district that cheats: its machine is the shipped one, what it says is not. One way of lying a run."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from faults.towns import Card
from wanmi.entries import GENESIS, extend, raw_digest, sign_head
from wanmi.journal.types import Batch, Item
from wanmi.links.claims import read_claim, sign_claim
from wanmi.links.frames import Ack, BatchHead, Frame, Hello, Tick, decode, decode_batch, encode, encode_batch

MANY = 40
"""Frames of a flood for each honest one."""


@dataclass
class Liar:
    """The cheat, its way of lying, and what it remembers having said."""

    card: Card
    lie: str
    other: str = "210103"
    """A node that is none of its business."""
    said: list[bytes] = field(default_factory=list)
    second: dict[str, bytes] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """Its node code."""
        return self.card.code

    def tell(self, target: str, data: bytes, rng: random.Random) -> Iterable[bytes]:
        """What goes out in place of a frame."""
        return LIES[self.lie](self, target, decode(data), data, rng)


Lie = Callable[[Liar, str, Frame, bytes, random.Random], Iterable[bytes]]


def forged_head(liar: Liar, target: str, frame: Frame, data: bytes, rng: random.Random) -> Iterable[bytes]:
    """Signs batches with another key."""
    if not isinstance(frame.header, BatchHead):
        return [data]
    head = msgspec.structs.replace(frame.header.head, sig=rng.randbytes(64))
    return [encode(frame.session, msgspec.structs.replace(frame.header, head=head), frame.body)]


def anothers_chain(liar: Liar, target: str, frame: Frame, data: bytes, rng: random.Random) -> Iterable[bytes]:
    """Sends the chain of a node that is not below it, made up and signed by itself."""
    if not isinstance(frame.header, Tick):
        return [data]
    item = Item("*", rng.randbytes(32))
    (hash_,) = extend(GENESIS, [(item.audience, item.digest)])
    batch = Batch(liar.other, 0, (item,), sign_head(liar.card.sign, liar.other, 1, hash_, 1))
    return [data, encode_batch(frame.session, batch)]


def replays(liar: Liar, target: str, frame: Frame, data: bytes, rng: random.Random) -> Iterable[bytes]:
    """Says again whatever it ever said."""
    liar.said.append(data)
    return [data, *rng.sample(liar.said, min(3, len(liar.said)))]


def floods(liar: Liar, target: str, frame: Frame, data: bytes, rng: random.Random) -> Iterable[bytes]:
    """Frames that do not read, many for each one that does."""
    return [data, *(rng.randbytes(rng.randint(1, 200)) for _ in range(MANY))]


def claims_more(liar: Liar, target: str, frame: Frame, data: bytes, rng: random.Random) -> Iterable[bytes]:
    """Says that it holds more of the other's chain than there is, so that the other falls silent."""
    if not isinstance(frame.header, Hello):
        return [data]
    claim = read_claim(frame.header)
    heads = {**claim.heads, target: (1_000_000, rng.randbytes(32))}
    return [encode(frame.session, sign_claim(liar.card.sign, msgspec.structs.replace(claim, heads=heads)))]


def claims_less(liar: Liar, target: str, frame: Frame, data: bytes, rng: random.Random) -> Iterable[bytes]:
    """Says at each session that it lost everything, to keep the other busy with giving it back."""
    if not isinstance(frame.header, Hello):
        return [data]
    claim = msgspec.structs.replace(read_claim(frame.header), heads={}, yours=None)
    return [encode(frame.session, sign_claim(liar.card.sign, claim))]


def countersigns_lies(liar: Liar, target: str, frame: Frame, data: bytes, rng: random.Random) -> Iterable[bytes]:
    """Acknowledges what it never got."""
    header = frame.header
    if not isinstance(header, Ack) or header.cosign is None:
        return [data]
    return [encode(frame.session, msgspec.structs.replace(header, seq=header.seq + 50, hash=rng.randbytes(32)))]


def two_histories(liar: Liar, target: str, frame: Frame, data: bytes, rng: random.Random) -> Iterable[bytes]:
    """Tells its parent one history and its children another, both soundly chained and signed by itself."""
    header = frame.header
    if target == liar.card.parent:
        return [data]
    if isinstance(header, Hello):
        return [encode(frame.session, _other_claim(liar, header))]
    if not isinstance(header, BatchHead) or header.head.origin != liar.code:
        return [data]
    if header.after and str(header.after) not in liar.second:
        return []
    batch = decode_batch(header, frame.body)
    return [encode_batch(frame.session, _rewritten(liar, batch))]


def _rewritten(liar: Liar, batch: Batch) -> Batch:
    """The batch with other salts: another chain."""
    items = tuple(item if item.raw is None else _resalted(item, item.raw) for item in batch.items)
    start = liar.second.get(str(batch.after), GENESIS)
    hashes = extend(start, [(item.audience, item.digest) for item in items])
    for seq, hash_ in enumerate(hashes, start=batch.after + 1):
        liar.second[str(seq)] = hash_
    head = sign_head(liar.card.sign, liar.code, batch.head.seq, hashes[-1], batch.head.at)
    return Batch(batch.origin, batch.after, items, head)


def _resalted(item: Item, raw: bytes) -> Item:
    at = raw.index(b'"salt":"') + len(b'"salt":"')
    other = b"f" if raw[at : at + 1] != b"f" else b"e"
    changed = raw[:at] + other + raw[at + 1 :]
    return Item(item.audience, raw_digest(changed), changed)


def _other_claim(liar: Liar, hello: Hello) -> Hello:
    claim = read_claim(hello)
    seq, _ = claim.heads.get(liar.code, (0, b""))
    heads = {**claim.heads, liar.code: (seq, liar.second[str(seq)])} if str(seq) in liar.second else dict(claim.heads)
    if str(seq) not in liar.second:
        heads.pop(liar.code, None)
    return sign_claim(liar.card.sign, msgspec.structs.replace(claim, heads=heads))


LIES: dict[str, Lie] = {
    "forged head": forged_head,
    "another's chain": anothers_chain,
    "replays": replays,
    "floods": floods,
    "claims more": claims_more,
    "claims less": claims_less,
    "countersigns lies": countersigns_lies,
    "two histories": two_histories,
}
"""Every way of lying, by name."""
ALARMS: dict[str, tuple[str, ...]] = {
    "forged head": ("broken",),
    "another's chain": ("not-yours",),
    "replays": (),
    "floods": ("protocol",),
    "claims more": ("broken",),
    "claims less": (),
    "countersigns lies": ("protocol",),
    "two histories": (),
}
"""What the parent (or, for a lie about what came down, the child) must raise; nothing where the lie does no harm there."""
