"""The same on PostgreSQL: append, verify, apply, replay; and equal state on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from support.journals import Bench, admission, answer_of, counted, open_bench, ship, sqlite_url
from support.postgres import new_database, postgresql
from wanmi.errors import BadInput, Conflict
from wanmi.journal.proof import database_source, replay_check, replaying, state_hash, verify_sources

pytestmark = [pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as base:
        yield base


@pytest.fixture
def city(server: str, request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = open_bench("210100", new_database(server, request.node.name[:60]), seed=1)
    bench.journal.append(admission("210100", 1, role="city")).result()
    bench.journal.append(admission("210102", 2, parent="210100")).result()
    yield bench
    bench.close()


def test_append_with_many_writers(city: Bench) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: city.journal.append(counted(n % 5, f"sum:{n % 3}")).result(), range(200)))
    assert [s.seq for s in city.journal.read("210100", 0)] == list(range(1, 203))
    assert sum(count for _, count in city.sums().values()) == 200
    with pytest.raises(BadInput):
        city.journal.append(counted(13)).result()
    with pytest.raises(Conflict):
        city.journal.append(counted(1, "sum:0", expect=0)).result()
    assert replay_check(city.store, city.registry) == []


def test_reactions_are_unique(city: Bench) -> None:
    first = city.journal.append(counted(1, cause="210102:4#r")).result()[0]
    assert city.journal.append(counted(1, cause="210102:4#r")).result()[0].seq == first.seq


def test_apply_gives_the_same_state_as_sqlite(city: Bench, tmp_path: Path) -> None:
    district = open_bench("210102", sqlite_url(tmp_path / "d"), seed=2)
    other = open_bench("210100", sqlite_url(tmp_path / "c"), seed=1)
    other.journal.append(admission("210100", 1, role="city")).result()
    other.journal.append(admission("210102", 2, parent="210100")).result()
    for n in range(60):
        district.journal.append(counted(n % 12, f"sum:{n % 7}区")).result()
    for target in (city, other):
        ship(district, target, "210102", limit=7)
    assert city.sums() == other.sums()
    assert state_hash(city.store, city.registry) == state_hash(other.store, other.registry)
    assert replay_check(city.store, city.registry) == []
    district.close()
    other.close()


def test_replay_sees_one_snapshot_of_a_node_that_goes_on(city: Bench) -> None:
    city.journal.append(*[counted(n % 12) for n in range(1200)]).result()
    steps = replaying(city.store, city.registry)
    assert next(steps).done == 1000
    city.journal.append(counted(1), counted(2, "sum:new")).result()
    replayed = answer_of(steps)
    assert (replayed.entries, replayed.differences) == (1202, [])
    assert city.sums()["210100", "sum:new"] == (2, 1)


def test_verify_and_the_tampered_row(city: Bench) -> None:
    city.journal.append(*[counted(n) for n in range(5)]).result()
    url = city.store.url
    assert verify_sources([database_source("city", url)]).ok
    engine = create_engine(url)
    with engine.begin() as tx:
        tx.execute(text("UPDATE entry SET raw = set_byte(raw, 20, get_byte(raw, 20) # 1) WHERE seq = 4"))
    engine.dispose()
    found = verify_sources([database_source("city", url)]).findings
    assert (found[0].origin, found[0].seq, found[0].damage) == ("210100", 4, "flipped")


def test_a_city_goes_on_after_a_restart(city: Bench) -> None:
    city.journal.append(counted(1)).result()
    again = open_bench("210100", city.store.url, seed=1, registry=city.registry)
    assert again.journal.cursors() == city.journal.cursors()
    again.close()
