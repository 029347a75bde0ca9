"""The state machine's surroundings by hand: two ends, a fake journal each, frames passed and time moved by a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wanmi.entries import GENESIS, Cosign, Head, chain_hash, raw_digest, sign_cosign, sign_head, verify_head
from wanmi.errors import NotFound
from wanmi.ids import SeededIds
from wanmi.journal.types import Batch, Cursor, Gap, Item
from wanmi.links import Apply, Effect, Ends, Face, Instant, Limits, Link, Peer, Send
from wanmi.links.frames import decode
from wanmi.store import Missing

LIMITS = Limits(batch_entries=4, window=64 * 1024)


def key_of(code: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(code.encode().ljust(32, b"."))


def public_of(code: str) -> bytes:
    return key_of(code).public_key().public_bytes_raw()


@dataclass
class FakeBook:
    """A journal of nothing but hashes."""

    node: str
    chains: dict[str, list[tuple[Item, bytes]]] = field(default_factory=dict)
    heads: dict[str, list[int]] = field(default_factory=dict)
    digests_only: set[int] = field(default_factory=set)

    def grow(self, origin: str, count: int, size: int = 10) -> None:
        chain = self.chains.setdefault(origin, [])
        for _ in range(count):
            raw = f"{origin} {len(chain)}".encode().ljust(size, b"x")
            item = Item("*", raw_digest(raw), raw)
            chain.append((item, chain_hash(chain[-1][1] if chain else GENESIS, "*", item.digest)))
        self.heads.setdefault(origin, []).append(len(chain))

    def cursor(self, origin: str) -> Cursor:
        chain = self.chains.get(origin, [])
        return Cursor(len(chain), chain[-1][1]) if chain else Cursor()

    def cursors(self) -> dict[str, Cursor]:
        return {origin: self.cursor(origin) for origin in self.chains}

    def hash_at(self, origin: str, seq: int) -> bytes | None:
        chain = self.chains.get(origin, [])
        return GENESIS if seq == 0 else chain[seq - 1][1] if seq <= len(chain) else None

    def signed_here(self, head: Head) -> bool:
        return head.origin == self.node and verify_head(head, public_of(self.node))

    def batch_for(self, peer: str, origin: str, after: int, *, limit: int, max_bytes: int) -> Batch | None:
        items = self.chains[origin][after : after + limit]
        if not items:
            return None
        head = sign_head(key_of(origin), origin, after + len(items), items[-1][1], 1)
        bare = [
            Item(item.audience, item.digest) if n in self.digests_only else item
            for n, (item, _) in enumerate(items, start=after + 1)
        ]
        return Batch(origin, after, tuple(bare), head)

    def cosign(self, origin: str) -> Cosign | None:
        at = self.cursor(origin)
        return sign_cosign(key_of(self.node), self.node, origin, at.seq, at.hash, 1) if at.seq else None

    def apply(self, batch: Batch) -> Cursor:
        chain = self.chains.setdefault(batch.origin, [])
        if batch.after > len(chain):
            raise Gap(batch.origin, batch.after, self.cursor(batch.origin))
        for item in batch.items[len(chain) - batch.after :]:
            chain.append((item, chain_hash(chain[-1][1] if chain else GENESIS, item.audience, item.digest)))
        return self.cursor(batch.origin)


@dataclass
class FakeDirectory:
    """Admissions by hand."""

    peers: dict[str, Peer]
    book: FakeBook

    def peer(self, code: str) -> Peer | None:
        return self.peers.get(code)

    def through(self, peer: str, origin: str) -> bool:
        at: str | None = origin
        while at is not None and at != peer:
            at = self.peers[at].parent if at in self.peers else None
        return at == peer

    def head(self, origin: str, seq: int) -> Head | None:
        hash_ = self.book.hash_at(origin, seq)
        return sign_head(key_of(origin), origin, seq, hash_, 1) if seq and hash_ else None


@dataclass
class FakeDepot:
    """Blobs by hand."""

    here: dict[str, bytes] = field(default_factory=dict)
    wanted: list[Missing] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)

    def missing(self, limit: int, skip: int) -> list[Missing]:
        return [m for m in self.wanted if m.blob not in self.here][skip : skip + limit]

    def size(self, blob: str) -> int:
        if blob not in self.here:
            raise NotFound(blob)
        return len(self.here[blob])

    def read(self, blob: str, offset: int, n: int) -> bytes:
        return self.here[blob][offset : offset + n]

    def wrap_key(self, blob: str, seal_public: bytes) -> bytes:
        return b"wrapped for " + seal_public[:1]

    def may_see(self, peer: str, blob: str) -> bool:
        return blob not in self.hidden


CITY, DISTRICT, EDGE, OTHER = "210100", "210102", "21010201", "210103"
PARENTS = {CITY: None, DISTRICT: CITY, EDGE: DISTRICT, OTHER: CITY}


def curve(code: str) -> bytes:
    return code.encode().ljust(40, b"c")


class End:
    """One end of a link with what it stands on."""

    def __init__(self, me: str, peer: str, limits: Limits = LIMITS) -> None:
        self.book = FakeBook(me)
        self.depot = FakeDepot()
        peers = {code: Peer(code, parent, public_of(code), curve(code), True) for code, parent in PARENTS.items()}
        self.directory = FakeDirectory(peers, self.book)
        side = "child" if PARENTS[me] == peer else "parent"
        face = Face(me, key_of(me), curve(me), me[:1].encode() * 32)
        ends = Ends(face, self.book, self.directory, self.depot, SeededIds(me), limits)
        self.link = Link(ends, peer, side)  # type: ignore[arg-type]
        self.done: list[Effect] = []


class Wire:
    """Two ends, a clock, and frames in between that a test may look at, hold back or lose."""

    def __init__(self, child: End, parent: End) -> None:
        self.child, self.parent = child, parent
        self.mono = 100.0
        self.frames: list[tuple[End, bytes]] = []
        self.lose: Callable[[bytes], bool] = lambda frame: False
        self.auto_commit = True

    @property
    def now(self) -> Instant:
        return Instant(round(self.mono * 1_000_000), self.mono)

    def do(self, end: End, effects: list[Effect]) -> None:
        """Carry effects out: frames wait, applies commit at once unless a test holds them."""
        other = self.parent if end is self.child else self.child
        for effect in effects:
            end.done.append(effect)
            if isinstance(effect, Send):
                if not self.lose(effect.frame):
                    self.frames.append((other, effect.frame))
            elif isinstance(effect, Apply) and self.auto_commit:
                self.commit(end, effect)

    def commit(self, end: End, effect: Apply) -> None:
        result: Cursor | Exception
        try:
            result = end.book.apply(effect.batch)
        except Gap as gap:
            result = gap
        self.do(end, end.link.committed(effect, result, self.now))

    def run(self) -> None:
        """Pass frames until none is under way."""
        for _ in range(10_000):
            if not self.frames:
                return
            end, frame = self.frames.pop(0)
            self.do(end, end.link.on(frame, self.now))
        raise AssertionError("the two never stop talking")

    def pass_time(self, seconds: float) -> None:
        """Let time pass in small steps, passing frames."""
        end = self.mono + seconds
        while self.mono < end:
            self.mono = min(self.mono + 0.1, end)
            for one in (self.child, self.parent):
                self.do(one, one.link.tick(self.now))
            self.run()

    def open(self) -> None:
        self.do(self.child, self.child.link.opened(self.now))
        self.run()


def sent(end: End, kind: type) -> list[object]:
    headers = [decode(effect.frame).header for effect in end.done if isinstance(effect, Send)]
    return [header for header in headers if isinstance(header, kind)]


def of(end: End, kind: type[Effect]) -> list[Effect]:
    return [effect for effect in end.done if isinstance(effect, kind)]
