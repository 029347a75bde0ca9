"""A node that its parent admits again with other keys: what its earlier key signed stands, and no more than that."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.journals import admission, counted, key, open_bench, public, ship, sqlite_url
from wanmi.clock import ManualClock
from wanmi.entries import ENVELOPE_V, GENESIS, Entry, sign_cosign, sign_head
from wanmi.errors import ChainBroken
from wanmi.identity import admit_node, make_token, revoke_node
from wanmi.identity.enrolment import identity_of
from wanmi.ids import SeededIds
from wanmi.journal.keys import KeyHistory, key_history, may_admit
from wanmi.journal.proof import verify_paths
from wanmi.kinds import ClockStepped, KeyReplaced, NodeAdmitted
from wanmi.node import Node, rekey_node
from wanmi.registry import Draft
from wanmi.testing import SmallCity, carry, replay_differences, small_city


def with_new_keys(node: Node, parent: Node) -> Node:
    """The node on another box: its journal, but new keys, revoked and admitted again by its parent."""
    code, dir, clock, ids = node.code, node.dir, node.clock, node.ids
    who = identity_of(node)
    node.close()
    keys = rekey_node(dir, ids)
    revoke_node(parent, code, "its box was stolen")
    admit_node(parent, make_token(who, parent.code, keys, ids, clock.now()))
    return Node.open(dir, clock=clock, ids=ids)


def write(node: Node, count: int) -> None:
    """Entries in the node's chain, one head each."""
    for n in range(count):
        node.clock.advance(1)  # type: ignore[attr-defined]
        node.journal.append(Draft("clock.stepped", f"clock:{node.code}", ClockStepped(n, "none"))).result()


def carry_piecewise(source: Node, target: Node, origin: str) -> None:
    """As ``carry``, but each head of the chain in a batch of its own."""
    carry_own(source, target)
    while (after := target.journal.cursor(origin).seq) < source.journal.cursor(origin).seq:
        batch = source.journal.batch_for(target.code, origin, after, limit=1)
        assert batch
        target.journal.apply(batch, source.code).result()


def carry_own(source: Node, target: Node) -> None:
    """The source's own chain, which tells of the nodes below it."""
    batch = source.journal.batch_for(target.code, source.code, target.journal.cursor(source.code).seq)
    if batch is not None:
        target.journal.apply(batch, source.code).result()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[SmallCity]:
    with small_city(tmp_path) as made:
        yield made


def test_a_late_joiner_verifies_what_both_keys_signed(town: SmallCity) -> None:
    """The district holds an edge's batches of before and after its new key; the city joins only then."""
    write(town.edge, 3)
    carry(town.edge, town.district)
    edge = with_new_keys(town.edge, town.district)
    try:
        write(edge, 2)
        carry(edge, town.district)
        carry(town.district, edge)
        carry_piecewise(town.district, town.city, "21010201")
        carry(town.district, town.city)
        assert town.city.journal.cursor("21010201") == edge.journal.cursor("21010201")
        assert town.city.journal.key_of("21010201") == edge.keys.sign_public
        for node in (town.district, town.city, edge):
            report = verify_paths([node.dir])
            assert report.ok, report.findings
            assert replay_differences(node) == []
    finally:
        edge.close()


def test_the_old_key_signs_nothing_behind_the_new_ones_place(town: SmallCity) -> None:
    """Who stole the box goes on with the chain by the old key: nobody takes it, not even from before the new one wrote."""
    write(town.edge, 2)
    carry(town.edge, town.district)
    stolen = town.edge.dir.with_name("stolen")
    town.edge.close()
    shutil.copytree(town.edge.dir, stolen)
    ours = with_new_keys(Node.open(town.edge.dir, clock=town.edge.clock, ids=town.edge.ids), town.district)
    thief = Node.open(stolen, clock=ManualClock(), ids=SeededIds(9))
    try:
        write(thief, 1)
        carry_own(town.district, town.city)
        for taker in (town.district, town.city):
            batch = thief.journal.batch_for(taker.code, "21010201", taker.journal.cursor("21010201").seq)
            assert batch
            with pytest.raises(ChainBroken, match="does not verify"):
                taker.journal.apply(batch, "21010201").result()
        write(ours, 1)
        assert carry(ours, town.district) == 1
    finally:
        thief.close()
        ours.close()


def test_a_lost_tail_that_the_old_key_signed_comes_back_to_the_new_one(town: SmallCity) -> None:
    backup = town.edge.dir.with_name("backup")
    town.edge.close()
    shutil.copytree(town.edge.dir, backup)
    edge = Node.open(town.edge.dir, clock=town.edge.clock, ids=town.edge.ids)
    write(edge, 3)
    carry(edge, town.district)
    edge.close()
    restored = with_new_keys(Node.open(backup, clock=ManualClock(), ids=SeededIds(9)), town.district)
    try:
        batch = town.district.journal.batch_for("21010201", "21010201", restored.journal.cursor("21010201").seq)
        assert batch
        assert restored.journal.signed_here(batch.head)
        restored.journal.apply(batch, "210102", own=True).result()
        assert restored.journal.cursor("21010201") == town.district.journal.cursor("21010201")
        assert not restored.journal.signed_here(sign_head(key(7), "21010201", 4, batch.head.hash, 1))
    finally:
        restored.close()


def test_the_same_key_again_replaces_nothing(town: SmallCity) -> None:
    revoke_node(town.district, "21010201", "by mistake")
    admit_node(
        town.district,
        make_token(identity_of(town.edge), "210102", town.edge.keys, SeededIds(3), town.edge.clock.now()),
    )
    kinds = [one.entry.kind for one in town.district.journal.subject("node:21010201") if one.entry]
    assert kinds == ["node.admitted", "node.revoked", "node.admitted"]
    assert town.district.journal.chain_keys("21010201") == KeyHistory.single(town.edge.keys.sign_public)


# --- the fold by itself

PARENT, NODE = "210102", "21010201"


def entry(origin: str, seq: int, body: NodeAdmitted | KeyReplaced, kind_v: int = 1) -> Entry:
    """An entry about ``NODE``."""
    kind = "node.admitted" if isinstance(body, NodeAdmitted) else "key.replaced"
    plain = msgspec.to_builtins(body)
    return Entry(ENVELOPE_V, origin, seq, seq, "*", kind, kind_v, f"node:{NODE}", 1, None, "t@0", None, plain, "0" * 32)


def founded(seed: int) -> Entry:
    return entry(NODE, 1, NodeAdmitted(NODE, "edge", NODE, "210102", None, public(seed).hex(), "", ""))


def admitted(seq: int, seed: int, by: str = PARENT) -> Entry:
    return entry(by, seq, NodeAdmitted(NODE, "edge", NODE, "210102", by, public(seed).hex(), "", ""))


def replaced(seq: int, seed: int, after: int, by: str = PARENT) -> Entry:
    return entry(by, seq, KeyReplaced(NODE, after, GENESIS.hex(), public(seed).hex()))


HISTORY = [founded(2), admitted(5, 2), replaced(7, 3, 40), admitted(8, 3), replaced(9, 4, 90), admitted(10, 4)]


@given(st.permutations([0, 1]))
def test_the_order_of_origins_does_not_matter(order: list[int]) -> None:
    parts = [HISTORY[:1], HISTORY[1:]]
    keys = key_history(NODE, [one for n in order for one in parts[n]])
    assert keys is not None
    assert [(one.public, one.until) for one in keys.keys] == [(public(2), 40), (public(3), 90), (public(4), None)]


@pytest.mark.parametrize(
    ("seed", "seq", "good"),
    [(2, 1, True), (2, 40, True), (2, 41, False), (3, 40, True), (3, 90, True), (3, 91, False), (4, 1, True), (4, 91, True), (5, 1, False)],
)  # fmt: skip
def test_each_key_is_good_up_to_where_the_next_one_took_over(seed: int, seq: int, good: bool) -> None:
    keys = key_history(NODE, HISTORY)
    assert keys is not None
    assert keys.signed(sign_head(key(seed), NODE, seq, GENESIS, 1)) is good


def test_a_countersignature_counts_by_any_of_the_keys() -> None:
    keys = key_history(NODE, HISTORY)
    assert keys is not None
    assert [keys.cosigned(sign_cosign(key(seed), NODE, PARENT, 3, GENESIS, 1)) for seed in (2, 3, 4, 5)] == [
        True
    ] * 3 + [False]


def test_a_key_that_comes_back_is_the_present_one_again() -> None:
    keys = key_history(NODE, [*HISTORY, replaced(12, 2, 120), admitted(13, 2)])
    assert keys is not None
    assert keys.present == public(2)
    assert keys.signed(sign_head(key(2), NODE, 30, GENESIS, 1))
    assert not keys.signed(sign_head(key(4), NODE, 121, GENESIS, 1))


@pytest.mark.parametrize(
    "foreign",
    [
        admitted(1, 9, by="210103"), replaced(1, 9, 0, by="210103"), replaced(1, 9, 0, by=NODE),
        replaced(1, 9, 0, by="21010202"), entry(PARENT, 1, KeyReplaced("21010202", 0, "", public(9).hex())),
        entry(PARENT, 1, KeyReplaced(NODE, 0, "", "zz")), entry(PARENT, 1, KeyReplaced(NODE, 0, "", public(9).hex()), 2),
    ],
)  # fmt: skip
def test_who_is_not_its_parent_gives_it_no_key(foreign: Entry) -> None:
    assert key_history(NODE, [foreign, *HISTORY]) == key_history(NODE, HISTORY)
    assert key_history(NODE, [foreign]) is None


def test_codes_say_who_may_admit_whom() -> None:
    assert may_admit("210100", "210102")
    assert may_admit("210102", "21010201")
    assert not any(
        may_admit(*pair)
        for pair in [("210102", "210103"), ("210100", "210202"), ("210100", "210100"), ("21010201", "21010202")]
    )


def test_a_pinned_key_outside_the_history_stands_alone(tmp_path: Path) -> None:
    bench = open_bench("210100", sqlite_url(tmp_path / "a"), pinned={"210102": public(6)})
    other = open_bench("210102", sqlite_url(tmp_path / "b"), seed=2)
    bench.journal.append(admission("210102", 2, parent="210100")).result()
    other.journal.append(counted(1)).result()
    with pytest.raises(ChainBroken, match="does not verify"):
        ship(other, bench, "210102")
    assert bench.journal.chain_keys("210102") == KeyHistory.single(public(6))
    bench.close()
    other.close()
