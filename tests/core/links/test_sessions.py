"""Sessions: who gets one, what ends it, what cannot touch it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from support.link_ends import CITY, DISTRICT, LIMITS, OTHER, End, Wire, curve, key_of, of, public_of, sent
from wanmi.entries import GENESIS
from wanmi.links import Alarm, Peer, PeerDown, PeerUp, Send
from wanmi.links.claims import HELLO_DOMAIN, Claim, read_claim, session_id, sign_claim, verify_claim
from wanmi.links.effects import SnapshotOffered, SnapshotWanted
from wanmi.links.frames import NO_SESSION, Bye, Hello, Need, Open, Snap, Tick, decode, encode


@pytest.fixture
def wire() -> Wire:
    return Wire(End(DISTRICT, CITY), End(CITY, DISTRICT))


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


@pytest.mark.parametrize(
    ("child", "parent", "agreed"),
    [((1, 2), (1, 2), 2), ((1, 1), (1, 2), 1), ((1, 2), (1, 1), 1), ((2, 3), (1, 2), 2), ((1, 2), (2, 3), 2)],
)
def test_the_highest_version_that_both_speak_is_spoken(
    child: tuple[int, int], parent: tuple[int, int], agreed: int
) -> None:
    wire = Wire(
        End(DISTRICT, CITY, replace(LIMITS, versions=child)), End(CITY, DISTRICT, replace(LIMITS, versions=parent))
    )
    wire.open()
    claims = [read_claim(h) for end in (wire.child, wire.parent) for h in sent(end, Hello)]  # type: ignore[arg-type]
    assert {claim.protocol for claim in claims} == {agreed}
    assert [end.link.status().protocol for end in (wire.child, wire.parent)] == [agreed, agreed]
    wire.child.book.grow(DISTRICT, 3)
    wire.do(wire.child, wire.child.link.advanced(DISTRICT, wire.now))
    wire.pass_time(1.0)
    assert wire.parent.book.cursor(DISTRICT).seq == 3


@pytest.mark.parametrize(("low", "high", "upgrade"), [(3, 4, CITY), (0, 0, DISTRICT)])
def test_versions_that_do_not_meet_are_refused_and_the_older_side_is_named(low: int, high: int, upgrade: str) -> None:
    wire = Wire(End(DISTRICT, CITY, replace(LIMITS, versions=(low, high))), End(CITY, DISTRICT))
    wire.open()
    assert not wire.child.link.up
    assert wire.child.link.status().reason.endswith(f"upgrade {upgrade}")


def test_an_answer_in_a_version_that_was_not_agreed_is_refused(wire: Wire) -> None:
    wire.child.link._handshake._limits = replace(LIMITS, versions=(1, 1))
    opened = encode(NO_SESSION, Open(DISTRICT, b"n" * 16, 1, 2))
    answer = next(e.frame for e in wire.parent.link.on(opened, wire.now) if isinstance(e, Send))
    wire.child.link._handshake._nonce = b"n" * 16
    wire.do(wire.child, wire.child.link.on(answer, wire.now))
    assert "answered in protocol 2, this node speaks 1" in of(wire.child, Alarm)[0].text  # type: ignore[union-attr]


def test_a_snapshot_is_asked_for_and_offered_by_those_who_know_of_it(wire: Wire) -> None:
    wire.open()
    wire.do(wire.child, wire.child.link.ask_snapshot(wire.now))
    wire.run()
    assert of(wire.parent, SnapshotWanted) == [SnapshotWanted()]
    wire.do(wire.parent, wire.parent.link.offer_snapshot("ab", 7, b"signed", wire.now))
    wire.run()
    assert of(wire.child, SnapshotOffered) == [SnapshotOffered("ab", 7, b"signed")]
    old = Wire(End(DISTRICT, CITY), End(CITY, DISTRICT, replace(LIMITS, versions=(1, 1))))
    old.open()
    old.do(old.child, old.child.link.ask_snapshot(old.now))
    assert sent(old.child, Need) == sent(old.parent, Snap) == []


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


def test_a_claim_is_bound_to_its_domain() -> None:
    claim = Claim(
        1, DISTRICT, CITY, b"a" * 16, b"b" * 16, curve(DISTRICT), b"s" * 32, 5, 100, {DISTRICT: (1, GENESIS)}, None
    )
    hello = sign_claim(key_of(DISTRICT), claim)
    assert verify_claim(hello, public_of(DISTRICT))
    assert not verify_claim(hello, public_of(OTHER))
    key_of(DISTRICT).public_key().verify(hello.sig, HELLO_DOMAIN + hello.claim)
    bare = Hello(hello.claim, key_of(DISTRICT).sign(hello.claim))
    assert not verify_claim(bare, public_of(DISTRICT))
    assert read_claim(hello) == claim
    assert msgspec.msgpack.decode(hello.claim)["heads"] == {DISTRICT: [1, GENESIS]}
