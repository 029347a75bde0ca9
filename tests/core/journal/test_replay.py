"""Replay = live, whatever happened and in whichever order chains are merged; reactors are exactly once."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Sequence
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.journals import (
    Bench,
    Make,
    SumRow,
    admission,
    counted,
    open_bench,
    public,
    ship,
    sqlite_url,
    summing_registry,
)
from wanmi.journal import Journal, ReactorRunner
from wanmi.journal.proof import compare, rebuild, replay_check, state_hash
from wanmi.models import ReactorFailedRow, ReactorRow, table
from wanmi.registry import Draft, NodeContext, Registry, Stored

steps = st.lists(st.tuples(st.sampled_from(["210102", "210103"]), st.integers(-3, 14), st.integers(1, 3)), max_size=20)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_replay_is_live_after_random_histories(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[str, int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("replay")
    city = open_bench("210100", sqlite_url(folder / "c"), seed=1)
    districts = {
        code: open_bench(code, sqlite_url(folder / code), seed=n) for n, code in enumerate(("210102", "210103"), 2)
    }
    city.journal.append(admission("210100", 1, role="city")).result()
    for n, code in enumerate(districts, 2):
        city.journal.append(admission(code, n, parent="210100")).result()
        districts[code].registry.projections.pop("sums")
    for code, n, subject in history:
        districts[code].journal.append(counted(n, f"sum:{code}:{subject}")).result()
        ship(districts[code], city, code)
    assert replay_check(city.store, city.registry) == []
    hashes = {
        state_hash(rebuild(city.store, city.registry, origins=list(order)), city.registry)
        for order in itertools.permutations(["210100", "210102", "210103"])
    }
    assert hashes == {state_hash(city.store, city.registry)}
    for bench in (city, *districts.values()):
        bench.close()


def test_a_changed_projection_row_is_named(make: Make) -> None:
    bench = make("210102")
    bench.journal.append(counted(1), counted(2, "sum:2")).result()
    bench.store.write(
        lambda tx: tx.execute(table(SumRow).update().where(table(SumRow).c.subject == "sum:2").values(total=9))
    )
    bench.store.write(lambda tx: tx.execute(table(SumRow).delete().where(table(SumRow).c.subject == "sum:1"))).result()
    found = replay_check(bench.store, bench.registry)
    assert [(d.table, d.key, d.live is None) for d in found] == [
        ("test_sum", ("210102", "sum:1"), True),
        ("test_sum", ("210102", "sum:2"), False),
    ]


def node_of(bench: Bench) -> NodeContext:
    return SimpleNamespace(  # type: ignore[return-value]
        code=bench.code, registry=bench.registry, journal=bench.journal, store=bench.store, clock=bench.clock
    )


def doubling(_node: NodeContext, batch: Sequence[Stored]) -> Iterable[tuple[Stored, Draft]]:
    for stored in batch:
        assert stored.entry is not None
        n = stored.entry.body["n"]
        if stored.entry.cause is not None:
            continue
        if n == 12:
            raise ValueError("12 cannot be doubled")
        yield stored, counted(2 * n, "sum:doubled")


def with_reactor() -> Registry:
    registry = summing_registry()
    registry.reactor("test.double", kinds=("test.counted",), decide=doubling)
    return registry


def test_a_reactor_acts_once_also_when_its_cursor_is_lost(make: Make) -> None:
    bench = make("210102", registry=with_reactor())
    bench.journal.append(*[counted(n) for n in (1, 2, 3)]).result()
    assert ReactorRunner(node_of(bench)).run_once() == 3
    bench.store.write(lambda tx: tx.execute(table(ReactorRow).delete())).result()
    ReactorRunner(node_of(bench)).run_once()
    assert bench.sums()["210102", "sum:doubled"] == (12, 3)
    assert bench.journal.read("210102", 3)[0].entry.cause == "210102:1#test.double"  # type: ignore[union-attr]


def test_a_reactor_goes_on_behind_a_poisoned_entry_and_shows_it(make: Make) -> None:
    bench = make("210102", registry=with_reactor())
    bench.journal.append(*[counted(n) for n in (1, 12, 3)]).result()
    ReactorRunner(node_of(bench)).run_once()
    assert bench.sums()["210102", "sum:doubled"] == (8, 2)
    with bench.store.reader() as connection:
        (row,) = connection.execute(table(ReactorFailedRow).select()).all()
    assert (row.name, row.origin, row.seq) == ("test.double", "210102", 2)
    assert "12 cannot be doubled" in row.reason


def test_reactors_in_threads_follow_the_journal(make: Make) -> None:
    bench = make("210102", registry=with_reactor())
    runner = ReactorRunner(node_of(bench))
    runner.start()
    for n in range(10):
        bench.journal.append(counted(n)).result()
    until = time.monotonic() + 20
    while bench.sums().get(("210102", "sum:doubled"), (0, 0))[1] < 10 and time.monotonic() < until:
        time.sleep(0.01)
    runner.stop()
    assert bench.sums()["210102", "sum:doubled"] == (90, 10)


def test_replay_does_not_run_reactors(make: Make) -> None:
    bench = make("210102", registry=with_reactor())
    bench.journal.append(counted(1)).result()
    rebuilt = rebuild(bench.store, bench.registry)
    assert compare(bench.store, rebuilt, bench.registry) == []
    assert bench.journal.cursor("210102").seq == 1


def test_state_survives_a_restart(make: Make, tmp_path: object) -> None:
    bench = make("210102", seed=2)
    bench.journal.append(*[counted(n) for n in range(5)]).result()
    again = Journal(
        "210102",
        bench.store,
        bench.registry,
        clock=bench.clock,
        ids=None,
        sign_key=None,
        pinned={"1": public(1)},  # type: ignore[arg-type]
    )
    assert again.cursors() == bench.journal.cursors()
    assert again.pos == 5
