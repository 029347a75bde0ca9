"""Append: one chain without gaps, all or nothing, versions, reactions, group commit."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.journals import Make, admission, counted, open_bench, public, sqlite_url
from wanmi.entries import GENESIS, verify_head
from wanmi.errors import BadEntry, BadInput, Conflict, NotFound
from wanmi.journal import Cursor
from wanmi.registry import Draft


def test_a_chain_runs_without_gaps_and_its_times_increase(make: Make) -> None:
    bench = make("210102")
    for n in range(5):
        bench.journal.append(counted(n)).result()
    stored = bench.journal.read("210102", 0)
    assert [s.seq for s in stored] == [1, 2, 3, 4, 5]
    times = [s.entry.at for s in stored if s.entry]
    assert times == sorted(set(times))
    assert [s.entry.version for s in stored if s.entry] == [1, 2, 3, 4, 5]
    assert bench.journal.cursor("210102") == Cursor(5, stored[-1].hash)


def test_time_never_goes_back_when_the_clock_does(make: Make) -> None:
    bench = make("210102")
    first = bench.journal.append(counted(1)).result()[0]
    bench.clock.step(-3_600_000_000)
    second = bench.journal.append(counted(1)).result()[0]
    assert first.entry
    assert second.entry
    assert second.entry.at == first.entry.at + 1


def test_all_drafts_or_none(make: Make) -> None:
    bench = make("210102")
    with pytest.raises(BadInput, match="13 is not taken"):
        bench.journal.append(counted(1), counted(13)).result()
    assert bench.journal.cursor("210102") == Cursor(0, GENESIS)
    assert bench.sums() == {}
    assert bench.journal.append(counted(2)).result()[0].seq == 1


def test_one_refused_append_leaves_its_group_alone(make: Make) -> None:
    bench = make("210102")
    gate = threading.Event()
    bench.store.write(lambda _tx: gate.wait(5))
    futures = [bench.journal.append(counted(n)) for n in (1, 13, 2)]
    gate.set()
    assert futures[0].result()[0].seq == 1
    with pytest.raises(BadInput):
        futures[1].result()
    assert futures[2].result()[0].seq == 2
    assert bench.sums() == {("210102", "sum:1"): (3, 2)}


def test_local_writes_share_the_transaction(make: Make) -> None:
    bench = make("210102")

    def refuse(_tx: object, _stored: object) -> None:
        raise Conflict("no")

    with pytest.raises(Conflict):
        bench.journal.append(counted(1), also=refuse).result()
    assert bench.journal.cursor("210102").seq == 0


def test_expect_refuses_who_came_second(make: Make) -> None:
    bench = make("210102")
    bench.journal.append(counted(1, expect=0)).result()
    with pytest.raises(Conflict, match="at version 1, not 0"):
        bench.journal.append(counted(1, expect=0)).result()
    bench.journal.append(counted(1, expect=1)).result()
    reopened = open_bench("210102", bench.store.url, registry=bench.registry)
    with pytest.raises(Conflict, match="at version 2, not 1"):
        reopened.journal.append(counted(1, expect=1)).result()
    reopened.close()


def test_a_reaction_is_made_once(make: Make) -> None:
    bench = make("210102")
    first = bench.journal.append(counted(1, cause="21010201:4#r")).result()
    again = bench.journal.append(counted(1, cause="21010201:4#r")).result()
    assert again[0].seq == first[0].seq
    both = bench.journal.append(counted(5, cause="21010201:5#r"), counted(5, cause="21010201:5#r")).result()
    assert both[0].seq == both[1].seq
    assert bench.sums() == {("210102", "sum:1"): (6, 2)}


def test_unknown_kinds_and_wrong_bodies_are_refused(make: Make) -> None:
    bench = make("210102")
    with pytest.raises(NotFound, match=r"entry kind no\.such"):
        bench.journal.append(Draft("no.such", "x:1", {})).result()
    with pytest.raises(BadEntry, match=r"test\.counted sum:1"):
        bench.journal.append(Draft("test.counted", "sum:1", {"n": "one"})).result()


def test_the_head_is_signed_with_every_commit(make: Make) -> None:
    bench = make("210102", seed=4)
    bench.journal.append(counted(1), counted(2)).result()
    (head,) = bench.journal.heads()
    assert head.seq == 2
    assert verify_head(head, public(4))


def test_hold_refuses_and_release_takes(make: Make) -> None:
    bench = make("210102")
    bench.journal.hold("its tail is coming back")
    with pytest.raises(Conflict, match="its tail is coming back"):
        bench.journal.append(counted(1)).result()
    bench.journal.release()
    bench.journal.append(counted(1)).result()


def test_many_threads_write_one_chain(make: Make) -> None:
    bench = make("210102")
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: bench.journal.append(counted(n % 7, f"sum:{n % 5}")).result(), range(400)))
    stored = bench.journal.read("210102", 0)
    assert [s.seq for s in stored] == list(range(1, 401))
    assert sum(count for _, count in bench.sums().values()) == 400
    assert bench.store.writer.stats.commits < 400


async def _many(bench: object, n: int) -> list[int]:
    journal = bench.journal  # type: ignore[attr-defined]
    made = await asyncio.gather(*[journal.append_async(counted(1, f"sum:{i}")) for i in range(n)])
    return [stored[0].seq for stored in made]


def test_coroutines_append_too(make: Make) -> None:
    bench = make("210102")
    assert sorted(asyncio.run(_many(bench, 100))) == list(range(1, 101))

    async def refused() -> None:
        with pytest.raises(BadInput):
            await bench.journal.append_async(counted(13))

    asyncio.run(refused())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(-5, 12), st.integers(1, 3)), max_size=25))
def test_sums_are_what_was_appended(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int]]) -> None:
    bench = open_bench("210102", sqlite_url(tmp_path_factory.mktemp("j")))
    expected: dict[tuple[str, str], tuple[int, int]] = {}
    bench.journal.append(admission("210102", 1)).result()
    for n, subject in steps:
        bench.journal.append(counted(n, f"sum:{subject}")).result()
        total, count = expected.get(("210102", f"sum:{subject}"), (0, 0))
        expected["210102", f"sum:{subject}"] = (total + n, count + 1)
    assert bench.sums() == expected
    bench.close()
