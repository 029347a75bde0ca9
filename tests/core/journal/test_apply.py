"""Apply: verified before it is kept, idempotent, redacted where not addressed, forks kept as evidence."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.journals import Bench, Make, admission, counted, key, open_bench, public, ship, sqlite_url
from wanmi.entries import sign_head
from wanmi.errors import ChainBroken, ForkSeen, NotFound
from wanmi.journal import Batch, Cursor, Gap
from wanmi.kinds import NodeRevoked
from wanmi.models import ForkRow, QuarantineRow, table
from wanmi.registry import Draft


def pair(make: Make) -> tuple[Bench, Bench]:
    district = make("210102", seed=2)
    city = make("210100", seed=1)
    city.journal.append(admission("210102", 2, parent="210100")).result()
    return district, city


def test_a_replica_is_equal_byte_for_byte(make: Make) -> None:
    district, city = pair(make)
    for n in range(10):
        district.journal.append(counted(n)).result()
    ship(district, city, "210102", limit=3)
    ours = [(s.seq, s.raw, s.hash) for s in district.journal.read("210102", 0)]
    assert [(s.seq, s.raw, s.hash) for s in city.journal.read("210102", 0)] == ours
    assert city.sums()["210102", "sum:1"] == (45, 10)


def test_the_same_batch_again_changes_nothing(make: Make) -> None:
    district, city = make("210102", seed=2), make("210100", pinned={"210102": public(2)})
    district.journal.append(*[counted(n) for n in range(4)]).result()
    whole = district.journal.batch_for("210100", "210102", 0)
    first = district.journal.batch_for("210100", "210102", 0, limit=2)
    assert whole
    assert first
    for batch in (first, first, whole, first, whole):
        city.journal.apply(batch, "210102").result()
    assert city.sums() == {("210102", "sum:1"): (6, 4)}
    assert city.journal.cursor("210102") == district.journal.cursor("210102")


def test_a_gap_is_answered_with_the_cursor(make: Make) -> None:
    district, city = make("210102", seed=2), make("210100", pinned={"210102": public(2)})
    district.journal.append(*[counted(n) for n in range(4)]).result()
    batch = district.journal.batch_for("210100", "210102", 2)
    assert batch
    with pytest.raises(Gap) as caught:
        city.journal.apply(batch, "210102").result()
    assert caught.value.have == Cursor()


def test_who_is_not_addressed_gets_digests_and_verifies_the_head(make: Make) -> None:
    district = make("210102", seed=2)
    edge = make("21010201", pinned={"210102": public(2)})
    district.journal.append(counted(1)).result()
    secret = Draft("test.counted", "sum:2", {"n": 5}, audience=("210100",))
    district.journal.append(secret, counted(2)).result()
    ship(district, edge, "210102")
    stored = edge.journal.read("210102", 0)
    assert [s.raw is None for s in stored] == [False, True, False]
    assert edge.journal.cursor("210102") == district.journal.cursor("210102")
    assert ("210102", "sum:2") not in edge.sums()


@pytest.mark.parametrize("what", ["raw", "digest", "audience", "order", "origin", "head"])
def test_forged_batches_are_refused_and_nothing_is_kept(make: Make, what: str) -> None:
    district, city = make("210102", seed=2), make("210100", pinned={"210102": public(2), "210103": public(3)})
    district.journal.append(*[counted(n) for n in range(3)]).result()
    batch = district.journal.batch_for("210100", "210102", 0)
    assert batch
    with pytest.raises(ChainBroken):
        city.journal.apply(_forged(batch, what), "210102").result()
    assert city.journal.cursors() == {}


def _forged(batch: Batch, what: str) -> Batch:
    first = batch.items[0]
    if what == "order":
        return msgspec.structs.replace(batch, items=(batch.items[1], first, batch.items[2]))
    if what == "origin":
        return msgspec.structs.replace(batch, origin="210103")
    if what == "head":
        return msgspec.structs.replace(batch, head=sign_head(key(9), "210102", 3, batch.head.hash, 1))
    change = {
        "raw": {"raw": (first.raw or b"").replace(b'"n":0', b'"n":9')},
        "digest": {"digest": bytes(32)},
        "audience": {"audience": ("210100",)},
    }[what]
    return msgspec.structs.replace(batch, items=(msgspec.structs.replace(first, **change), *batch.items[1:]))


def test_a_fork_is_seen_named_and_kept(make: Make, tmp_path_factory: pytest.TempPathFactory) -> None:
    honest = make("210102", seed=2)
    city = make("210100", pinned={"210102": public(2)})
    honest.journal.append(counted(1), counted(2)).result()
    ship(honest, city, "210102")
    other = open_bench("210102", sqlite_url(tmp_path_factory.mktemp("fork")), seed=2)
    other.journal.append(counted(1)).result()
    other.clock.advance(5)
    other.journal.append(counted(7), counted(8)).result()
    batch = other.journal.batch_for("210100", "210102", 0)
    assert batch
    with pytest.raises(ForkSeen) as caught:
        city.journal.apply(batch, "210102").result()
    assert caught.value.seq == 2
    with city.store.reader() as connection:
        (row,) = connection.execute(table(ForkRow).select()).all()
    assert (row.origin, row.seq, row.peer) == ("210102", 2, "210102")
    assert city.journal.cursor("210102").seq == 2
    other.close()


def test_an_origin_without_a_key_is_refused(make: Make) -> None:
    district, city = make("210102", seed=2), make("210100")
    district.journal.append(counted(1)).result()
    batch = district.journal.batch_for("210100", "210102", 0)
    assert batch
    with pytest.raises(NotFound, match="node 210102: no admitted signing key"):
        city.journal.apply(batch, "210102").result()


def test_what_a_projection_refuses_is_quarantined_and_the_cursor_moves(make: Make) -> None:
    district, city = make("210102", seed=2), make("210100", pinned={"210102": public(2)})
    district.registry.projections.pop("sums")
    district.journal.append(counted(1), counted(13), counted(2)).result()
    from support.journals import SumRow, project_sums

    city.registry.projections.pop("sums", None)
    city.registry.projection("sums", kinds=("test.counted",), rows=(SumRow,), apply=project_sums)
    ship(district, city, "210102")
    assert city.journal.cursor("210102").seq == 3
    assert city.sums() == {("210102", "sum:1"): (3, 2)}
    with city.store.reader() as connection:
        (row,) = connection.execute(table(QuarantineRow).select()).all()
    assert (row.origin, row.seq, row.projection, row.reason) == ("210102", 2, "sums", "13 is not taken")


def test_a_lost_tail_is_given_back(make: Make, tmp_path_factory: pytest.TempPathFactory) -> None:
    district, city = make("210102", seed=2), make("210100", pinned={"210102": public(2)})
    district.journal.append(counted(1), counted(2)).result()
    ship(district, city, "210102")
    restored = open_bench("210102", sqlite_url(tmp_path_factory.mktemp("old")), seed=2)
    batch = city.journal.batch_for("210102", "210102", 0)
    assert batch
    restored.journal.apply(batch, "210100", own=True).result()
    assert restored.journal.cursor("210102") == district.journal.cursor("210102")
    stored = restored.journal.append(counted(3)).result()[0]
    assert stored.seq == 3
    assert stored.entry
    assert stored.entry.version == 3
    restored.close()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(1, 7))
def test_any_split_into_batches_gives_the_same_state(
    tmp_path_factory: pytest.TempPathFactory, groups: list[int], limit: int
) -> None:
    district = open_bench("210102", sqlite_url(tmp_path_factory.mktemp("d")), seed=2)
    city = open_bench("210100", sqlite_url(tmp_path_factory.mktemp("c")), pinned={"210102": public(2)})
    for size in groups:
        district.journal.append(*[counted(n) for n in range(size)]).result()
    ship(district, city, "210102", limit=limit)
    assert city.sums() == district.sums()
    assert city.journal.cursors() == district.journal.cursors()
    district.close()
    city.close()


def test_what_a_revoked_node_wrote_before_still_arrives(make: Make) -> None:
    district, city = pair(make)
    district.journal.append(counted(1)).result()
    assert city.journal.key_of("210102") == public(2)
    city.journal.append(Draft("node.revoked", "node:210102", NodeRevoked("210102", "stolen"))).result()
    assert city.journal.key_of("210102") is None
    ship(district, city, "210102")
    assert city.sums()["210102", "sum:1"] == (1, 1)
