"""The state machine by itself: two links, a fake journal each, frames passed by hand, time moved by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wanmi.entries import GENESIS, Cosign, Head, chain_hash, raw_digest, sign_cosign, sign_head
from wanmi.errors import ChainBroken, NotFound, StoreError
from wanmi.ids import SeededIds
from wanmi.journal.types import Batch, Cursor, Gap, Item
from wanmi.links import Alarm, Apply, Effect, Ends, Face, Instant, Limits, Link, Peer, PeerDown, PeerUp, Send
from wanmi.links.claims import read_claim, session_id
from wanmi.links.effects import Arrived, Hold, NoteCosign, PutChunk, Release
from wanmi.links.frames import NO_SESSION, Ack, BatchHead, Bye, Chunk, Hello, Nak, Open, Tick, Want, decode, encode
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

    def batch_for(self, peer: str, origin: str, after: int, *, limit: int, max_bytes: int) -> Batch | None:
        items = self.chains[origin][after : after + limit]
        if not items:
            return None
        head = sign_head(key_of(origin), origin, after + len(items), items[-1][1], 1)
        return Batch(origin, after, tuple(item for item, _ in items), head)

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


@pytest.fixture
def wire() -> Wire:
    return Wire(End(DISTRICT, CITY), End(CITY, DISTRICT))


def sent(end: End, kind: type) -> list[object]:
    headers = [decode(effect.frame).header for effect in end.done if isinstance(effect, Send)]
    return [header for header in headers if isinstance(header, kind)]


def of(end: End, kind: type[Effect]) -> list[Effect]:
    return [effect for effect in end.done if isinstance(effect, kind)]


# --- sessions


def test_the_session_is_named_by_both_nonces(wire: Wire) -> None:
    wire.open()
    claims = [read_claim(h) for end in (wire.child, wire.parent) for h in sent(end, Hello)]  # type: ignore[arg-type]
    assert len(claims) == 2
    assert wire.child.link.session == wire.parent.link.session != NO_SESSION
    assert wire.child.link.session == session_id(DISTRICT, CITY, claims[0].child_nonce, claims[0].parent_nonce)
    assert len(of(wire.child, PeerUp)) == len(of(wire.parent, PeerUp)) == 1
    assert {claim.node: claim.to for claim in claims} == {DISTRICT: CITY, CITY: DISTRICT}


def test_a_lost_hello_is_sent_again_and_a_doubled_one_changes_nothing(wire: Wire) -> None:
    lost = [0]

    def lose_first_child_hello(frame: bytes) -> bool:
        header = decode(frame).header
        if isinstance(header, Hello) and read_claim(header).node == DISTRICT:
            lost[0] += 1
            return lost[0] == 1
        return False

    wire.lose = lose_first_child_hello
    wire.open()
    assert not wire.parent.link.up
    wire.pass_time(1.5)
    assert wire.child.link.up
    assert wire.parent.link.up
    session = wire.parent.link.session
    hello = next(e.frame for e in wire.child.done if isinstance(e, Send) and decode(e.frame).type == 2)
    wire.do(wire.parent, wire.parent.link.on(hello, wire.now))
    assert wire.parent.link.session == session


def test_a_late_open_does_not_end_the_session_that_stands(wire: Wire) -> None:
    wire.open()
    session = wire.parent.link.session
    old = encode(NO_SESSION, Open(DISTRICT, b"o" * 16, 1, 1))
    wire.do(wire.parent, wire.parent.link.on(old, wire.now))
    wire.run()
    wire.child.book.grow(DISTRICT, 1)
    wire.do(wire.child, wire.child.link.advanced(DISTRICT, wire.now))
    wire.pass_time(1.0)
    assert wire.parent.link.session == session
    assert wire.parent.book.cursor(DISTRICT).seq == 1


def test_a_frame_of_another_session_is_dropped_and_told_to_be_none(wire: Wire) -> None:
    wire.open()
    before = len(wire.parent.done)
    wire.do(wire.parent, wire.parent.link.on(encode(b"f" * 16, Tick(1)), wire.now))
    answers = [decode(e.frame) for e in wire.parent.done[before:] if isinstance(e, Send)]
    assert [(a.session, type(a.header)) for a in answers] == [(b"f" * 16, Bye)]
    assert wire.parent.link.status().dropped == 1


def test_a_restarted_parent_makes_the_child_come_again_at_once(wire: Wire) -> None:
    wire.open()
    wire.parent.link = End(CITY, DISTRICT).link
    wire.pass_time(4.0)
    assert wire.child.link.session == wire.parent.link.session != NO_SESSION


def test_silence_ends_a_session_and_names_the_reason(wire: Wire) -> None:
    wire.open()
    wire.lose = lambda frame: True
    wire.pass_time(7.0)
    downs = of(wire.parent, PeerDown)
    assert [d.reason for d in downs if isinstance(d, PeerDown)] == ["silent for 6 s"]
    wire.lose = lambda frame: False
    wire.pass_time(31.0)
    assert wire.child.link.up
    assert wire.parent.link.up


def test_ticks_keep_an_idle_session(wire: Wire) -> None:
    wire.open()
    session = wire.child.link.session
    wire.pass_time(60.0)
    assert wire.child.link.session == session
    assert 25 <= len(sent(wire.child, Tick)) <= 35


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda peer: replace(peer, active=False), "revoked"),
        (lambda peer: replace(peer, sign=public_of(OTHER)), "not signed with the key"),
        (lambda peer: replace(peer, curve=curve(OTHER)), "another CURVE key"),
        (lambda peer: replace(peer, parent=OTHER), "not of 210100"),
        (lambda peer: None, "not admitted"),
    ],
)
def test_who_is_not_who_it_must_be_is_refused(wire: Wire, change: Callable[[Peer], Peer | None], word: str) -> None:
    known = wire.parent.directory.peers
    changed = change(known[DISTRICT])
    known.pop(DISTRICT) if changed is None else known.update({DISTRICT: changed})
    wire.open()
    assert not wire.parent.link.up
    alarms = [a for a in of(wire.parent, Alarm) if isinstance(a, Alarm)]
    assert alarms
    assert alarms[0].kind == "refused"
    assert word in alarms[0].text
    assert alarms[0].evidence


def test_a_protocol_that_nobody_speaks_is_refused(wire: Wire) -> None:
    opened = encode(NO_SESSION, Open(DISTRICT, b"n" * 16, 7, 9))
    wire.do(wire.parent, wire.parent.link.on(opened, wire.now))
    assert "protocol 7 to 9" in of(wire.parent, Alarm)[0].text  # type: ignore[union-attr]


def test_unknown_types(wire: Wire) -> None:
    wire.open()
    session = wire.parent.link.session
    before = len(wire.parent.done)
    wire.do(wire.parent, wire.parent.link.on(bytes([0x55]) + session + bytes(4), wire.now))
    wire.do(wire.parent, wire.parent.link.on(bytes([0xD5]) + session + bytes(4), wire.now))
    codes = [h.code for h in (decode(e.frame).header for e in wire.parent.done[before:] if isinstance(e, Send))]  # type: ignore[union-attr]
    assert codes == ["unknown-type"]


def test_garbage_is_an_alarm_and_nothing_else(wire: Wire) -> None:
    wire.open()
    effects = wire.parent.link.on(b"\x03" + wire.parent.link.session + b"\0\0\0\4junk", wire.now)
    assert [type(e) for e in effects] == [Alarm]
    assert wire.parent.link.up


# --- streams


def test_what_waits_goes_up_in_batches_and_is_acknowledged(wire: Wire) -> None:
    wire.child.book.grow(DISTRICT, 10)
    wire.open()
    assert wire.parent.book.cursor(DISTRICT) == wire.child.book.cursor(DISTRICT)
    assert [h.head.seq for h in sent(wire.child, BatchHead)] == [4, 8, 10]  # type: ignore[attr-defined]
    assert [n.cosign.seq for n in of(wire.child, NoteCosign)] == [4, 8, 10]  # type: ignore[union-attr]
    assert [a.cursor.seq for a in of(wire.parent, Arrived)] == [4, 8, 10]  # type: ignore[union-attr]
    assert of(wire.child, Arrived) == []


def test_a_few_entries_linger_and_many_do_not(wire: Wire) -> None:
    wire.open()
    wire.child.book.grow(DISTRICT, 1)
    wire.do(wire.child, wire.child.link.advanced(DISTRICT, wire.now))
    assert sent(wire.child, BatchHead) == []
    wire.child.book.grow(DISTRICT, 3)
    wire.do(wire.child, wire.child.link.advanced(DISTRICT, wire.now))
    assert len(sent(wire.child, BatchHead)) == 1
    wire.child.book.grow(DISTRICT, 1)
    wire.do(wire.child, wire.child.link.advanced(DISTRICT, wire.now))
    wire.pass_time(0.3)
    assert wire.parent.book.cursor(DISTRICT).seq == 5


def test_nothing_is_acknowledged_before_its_commit(wire: Wire) -> None:
    wire.auto_commit = False
    wire.child.book.grow(DISTRICT, 3)
    wire.open()
    applies = [e for e in wire.parent.done if isinstance(e, Apply)]
    assert len(applies) == 1
    assert sent(wire.parent, Ack) == []
    wire.commit(wire.parent, applies[0])
    assert [a.seq for a in sent(wire.parent, Ack)] == [3]  # type: ignore[attr-defined]


def test_a_lost_batch_is_asked_for_by_its_gap(wire: Wire) -> None:
    dropped = []

    def lose_first_batch(frame: bytes) -> bool:
        if isinstance(decode(frame).header, BatchHead) and not dropped:
            dropped.append(frame)
            return True
        return False

    wire.lose = lose_first_batch
    wire.child.book.grow(DISTRICT, 12)
    wire.open()
    assert [n.code for n in sent(wire.parent, Nak)] == ["gap"]  # type: ignore[attr-defined]
    assert wire.parent.book.cursor(DISTRICT).seq == 12


def test_a_lost_last_batch_is_sent_again_after_a_while(wire: Wire) -> None:
    dropped = []
    wire.lose = lambda frame: isinstance(decode(frame).header, BatchHead) and len(dropped) < 1 and not dropped.append(1)  # type: ignore[func-returns-value]
    wire.child.book.grow(DISTRICT, 2)
    wire.open()
    wire.pass_time(4.0)
    assert wire.parent.book.cursor(DISTRICT).seq == 0
    wire.pass_time(2.0)
    assert wire.parent.book.cursor(DISTRICT).seq == 2


def test_a_doubled_batch_is_acknowledged_again_and_not_applied(wire: Wire) -> None:
    wire.child.book.grow(DISTRICT, 2)
    wire.open()
    batch = next(e.frame for e in wire.child.done if isinstance(e, Send) and decode(e.frame).type == 3)
    effects = wire.parent.link.on(batch, wire.now)
    assert [type(e) for e in effects] == [Send, NoteCosign]
    assert isinstance(decode(effects[0].frame).header, Ack)  # type: ignore[union-attr]


def test_bytes_under_way_stay_within_the_window() -> None:
    wire = Wire(End(DISTRICT, CITY), End(CITY, DISTRICT, replace(LIMITS, window=64 * 1024)))
    wire.auto_commit = False
    wire.child.book.grow(DISTRICT, 4000, size=200)
    wire.open()
    under_way = wire.child.link.status().streams[0].bytes_under_way
    biggest = max(len(e.frame) for e in wire.child.done if isinstance(e, Send))
    assert 0 < under_way <= 64 * 1024 + biggest
    assert wire.child.link.status().streams[0].confirmed == 0


@pytest.mark.parametrize(("error", "code"), [(NotFound("no key"), "unknown-origin"), (StoreError("disk full"), "busy")])
def test_what_cannot_be_taken_now_is_tried_again(wire: Wire, error: Exception, code: str) -> None:
    wire.auto_commit = False
    wire.child.book.grow(DISTRICT, 1)
    wire.open()
    apply = next(e for e in wire.parent.done if isinstance(e, Apply))
    wire.do(wire.parent, wire.parent.link.committed(apply, error, wire.now))
    wire.run()
    assert [n.code for n in sent(wire.parent, Nak)] == [code]  # type: ignore[attr-defined]
    wire.auto_commit = True
    wire.pass_time(1.5)
    assert wire.parent.book.cursor(DISTRICT).seq == 1


def test_a_broken_batch_stops_its_stream_and_alarms_on_both_sides(wire: Wire) -> None:
    wire.auto_commit = False
    wire.child.book.grow(DISTRICT, 1)
    wire.open()
    apply = next(e for e in wire.parent.done if isinstance(e, Apply))
    error = ChainBroken(DISTRICT, 1, "bytes", "a test")
    wire.do(wire.parent, wire.parent.link.committed(apply, error, wire.now))
    wire.run()
    wire.pass_time(10.0)
    assert len([e for e in wire.parent.done if isinstance(e, Apply)]) == 1
    assert wire.child.link.status().streams[0].stopped == "broken"
    for end in (wire.child, wire.parent):
        assert [a.kind for a in of(end, Alarm)] == ["broken"]  # type: ignore[union-attr]


def test_a_child_may_send_only_its_own_chain_and_those_below_it(wire: Wire) -> None:
    wire.open()
    for origin in (EDGE, OTHER):
        wire.child.book.grow(origin, 1)
        batch = wire.child.book.batch_for(CITY, origin, 0, limit=10, max_bytes=10**6)
        assert batch is not None
        header = BatchHead(0, 1, 1, batch.head)
        wire.do(wire.parent, wire.parent.link.on(encode(wire.parent.link.session, header, b"?"), wire.now))
    assert [a.kind for a in of(wire.parent, Alarm)] == ["protocol", "not-yours"]  # type: ignore[union-attr]
    assert [n.about for n in sent(wire.parent, Nak)] == [OTHER]  # type: ignore[attr-defined]


def test_a_forged_countersignature_is_an_alarm_and_moves_nothing(wire: Wire) -> None:
    wire.auto_commit = False
    wire.child.book.grow(DISTRICT, 1)
    wire.open()
    at = wire.child.book.cursor(DISTRICT)
    forged = sign_cosign(key_of(OTHER), CITY, DISTRICT, at.seq, at.hash, 1)
    frame = encode(wire.child.link.session, Ack(DISTRICT, at.seq, at.hash, forged))
    wire.do(wire.child, wire.child.link.on(frame, wire.now))
    assert of(wire.child, NoteCosign) == []
    assert wire.child.link.status().streams[0].confirmed == 0
    assert [a.kind for a in of(wire.child, Alarm)] == ["protocol"]  # type: ignore[union-attr]


def test_heads_that_differ_are_a_fork_on_both_sides(wire: Wire) -> None:
    wire.child.book.grow(DISTRICT, 3)
    wire.parent.book.grow(DISTRICT, 3, size=11)
    wire.open()
    assert "fork" in [a.kind for a in of(wire.child, Alarm)]  # type: ignore[union-attr]
    forks = [a for a in of(wire.parent, Alarm) if isinstance(a, Alarm) and a.kind == "fork"]
    assert forks
    assert forks[0].evidence
    assert sent(wire.child, BatchHead) == []


def test_a_lost_tail_is_held_given_back_and_released(wire: Wire) -> None:
    wire.child.book.grow(DISTRICT, 6)
    wire.open()
    old = End(DISTRICT, CITY)
    old.book.grow(DISTRICT, 3)
    wire.child = old
    wire.open()
    wire.pass_time(1.0)
    kinds = [type(e) for e in old.done if isinstance(e, Hold | Release | Apply)]
    assert kinds == [Hold, Apply, Release]
    assert all(e.own for e in old.done if isinstance(e, Apply))
    assert old.book.cursor(DISTRICT) == wire.parent.book.cursor(DISTRICT)
    assert old.book.cursor(DISTRICT).seq == 6


def test_a_lost_tail_must_be_proved_by_ones_own_signature(wire: Wire) -> None:
    wire.child.book.grow(CITY, 5)
    wire.child.directory.head = lambda origin, seq: None  # type: ignore[method-assign, assignment, misc]
    wire.open()
    assert of(wire.parent, Hold) == []
    assert [a.kind for a in of(wire.parent, Alarm)] == ["broken"]  # type: ignore[union-attr]


# --- blobs


def test_a_blob_is_fetched_in_chunks_after_the_entries_with_its_key_at_the_end(wire: Wire) -> None:
    data = bytes(range(256)) * 2500
    wire.child.depot.here["b1"] = data
    wire.parent.depot.wanted = [Missing("b1", len(data) - 16, DISTRICT), Missing("b2", 5, OTHER)]
    wire.child.book.grow(DISTRICT, 2)
    wire.open()
    got = b""
    for _ in range(10):
        puts = [e for e in wire.parent.done if isinstance(e, PutChunk)]
        wire.parent.done = [e for e in wire.parent.done if not isinstance(e, PutChunk)]
        if not puts:
            break
        for put in puts:
            got += put.data
            assert (put.key != b"") == (len(got) == len(data))
            wire.do(wire.parent, wire.parent.link.blob_at("b1", len(got), wire.now) if not put.key else [])
            if put.key:
                wire.parent.depot.here["b1"] = got
                wire.do(wire.parent, wire.parent.link.blob_done("b1", None, wire.now))
        wire.run()
    assert got == data
    assert {w.blob for w in sent(wire.parent, Want)} == {"b1"}  # type: ignore[attr-defined]


def test_a_lost_want_is_asked_again_and_a_hidden_blob_is_not_given(wire: Wire) -> None:
    wire.child.depot.here["b1"] = b"secret"
    wire.child.depot.hidden.add("b1")
    wire.parent.depot.wanted = [Missing("b1", 6, DISTRICT)]
    wire.lose = lambda frame: isinstance(decode(frame).header, Want)
    wire.open()
    wire.lose = lambda frame: False
    wire.pass_time(6.0)
    assert len(sent(wire.parent, Want)) == 2
    assert [n.code for n in sent(wire.child, Nak)] == ["erased"]  # type: ignore[attr-defined]
    assert sent(wire.child, Chunk) == []
    wire.pass_time(60.0)
    assert len(sent(wire.parent, Want)) == 2


def test_a_claim_is_bound_to_its_domain() -> None:
    from wanmi.links.claims import HELLO_DOMAIN, Claim, sign_claim, verify_claim

    claim = Claim(1, DISTRICT, CITY, b"a" * 16, b"b" * 16, curve(DISTRICT), b"s" * 32, 5, 100, {DISTRICT: (1, GENESIS)})
    hello = sign_claim(key_of(DISTRICT), claim)
    assert verify_claim(hello, public_of(DISTRICT))
    assert not verify_claim(hello, public_of(OTHER))
    key_of(DISTRICT).public_key().verify(hello.sig, HELLO_DOMAIN + hello.claim)
    bare = Hello(hello.claim, key_of(DISTRICT).sign(hello.claim))
    assert not verify_claim(bare, public_of(DISTRICT))
    assert read_claim(hello) == claim
    assert msgspec.msgpack.decode(hello.claim)["heads"] == {DISTRICT: [1, GENESIS]}
