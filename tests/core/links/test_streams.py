"""Streams and blobs: order, credit, acknowledgement, refusal, forks, lost tails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.link_ends import CITY, DISTRICT, EDGE, LIMITS, OTHER, End, Wire, key_of, of, sent
from wanmi.entries import sign_cosign
from wanmi.errors import ChainBroken, NotFound, StoreError
from wanmi.links import Alarm, Apply, Send
from wanmi.links.effects import Arrived, Hold, NoteCosign, PutChunk, Release
from wanmi.links.frames import Ack, BatchHead, Chunk, Nak, Want, decode, encode, encode_batch
from wanmi.store import Missing


@pytest.fixture
def wire() -> Wire:
    return Wire(End(DISTRICT, CITY), End(CITY, DISTRICT))


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


@pytest.mark.parametrize(("versions", "back"), [((1, 2), 6), ((1, 1), 4)])
def test_a_tail_comes_back_with_digests_where_the_peer_has_no_more(versions: tuple[int, int], back: int) -> None:
    wire = Wire(End(DISTRICT, CITY, replace(LIMITS, versions=versions)), End(CITY, DISTRICT))
    wire.child.book.grow(DISTRICT, 6)
    wire.open()
    wire.parent.book.digests_only = {5}
    old = End(DISTRICT, CITY, replace(LIMITS, versions=versions, batch_entries=2))
    old.book.grow(DISTRICT, 2)
    wire.child = old
    wire.parent.link._line.limits = replace(LIMITS, batch_entries=2)
    wire.open()
    wire.pass_time(1.0)
    given = [item.raw is not None for e in old.done if isinstance(e, Apply) for item in e.batch.items]
    assert given == [True, True, False, True][: back - 2]
    assert (Release in [type(e) for e in old.done]) is (back == 6)


def test_what_a_peer_sends_of_our_chain_is_dropped_while_nothing_is_lost(wire: Wire) -> None:
    wire.parent.book.grow(CITY, 2)
    wire.open()
    wire.child.book.grow(CITY, 2)
    more = wire.child.book.batch_for(DISTRICT, CITY, 2, limit=4, max_bytes=10**6)
    assert more is not None
    before = len(wire.parent.done)
    wire.do(wire.parent, wire.parent.link.on(encode_batch(wire.parent.link.session, more), wire.now))
    assert [e for e in wire.parent.done[before:] if not isinstance(e, Send)] == []


def test_a_lost_tail_must_be_proved_by_ones_own_signature(wire: Wire) -> None:
    wire.child.book.grow(CITY, 5)
    wire.child.directory.head = lambda origin, seq: None  # type: ignore[method-assign, assignment, misc]
    wire.open()
    assert of(wire.parent, Hold) == []
    assert [a.kind for a in of(wire.parent, Alarm)] == ["broken"]  # type: ignore[union-attr]


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
