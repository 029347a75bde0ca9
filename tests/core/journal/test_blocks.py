"""However entries are cut into blocks, and whatever of them is refused, the same rows come out."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.cases.test_golden import all_kinds
from core.cases.test_machine import CAST, REFUSALS, STEPS, TABLE
from core.cases.worked import LIMIT, WAY, Worked
from support.journals import Make, SumRow, answer_of, counted, summing_registry
from wanmi.entries import Entry
from wanmi.journal.projecting import Projector
from wanmi.journal.proof import Difference, compare, rebuild, replay, replaying, state_hash
from wanmi.journal.proof.replay import projection_rows
from wanmi.models import table
from wanmi.store import Store, open_scratch

REGISTRY = summing_registry()
TRIES = st.lists(st.tuples(STEPS, st.sampled_from(CAST)), max_size=12)
LIVES = st.lists(st.tuples(st.integers(0, len(WAY)), TRIES), min_size=1, max_size=3)
CUTS = st.lists(st.integers(1, 9), max_size=8)


def life(n: int, way: int, tries: Sequence[tuple[str, tuple[str, str, str | None]]]) -> list[Entry]:
    """The entries of a case that goes some way, and then wherever it is let."""
    worked = Worked(TABLE, number=f"210102-E0102-20261124-{n:04d}")
    for step in WAY[:way]:
        worked.step(step)
    for step, (actor, post, unit) in tries:
        try:
            worked.step(step, actor, post, unit=unit, department="dep-1", limit=LIMIT, fields={"result": "exists"})
        except REFUSALS:
            continue
    return worked.entries


@st.composite
def histories(draw: st.DrawFn) -> list[Entry]:
    """Cases side by side, with entries that are missing, come twice or too early: some of it must be refused."""
    lives = [life(n, *one) for n, one in enumerate(draw(LIVES), 3)] + [all_kinds()]
    order = draw(st.permutations([n for n, one in enumerate(lives) for _ in one]))
    waiting = [iter(one) for one in lives]
    entries = [next(waiting[n]) for n in order]
    for at, to, again in draw(st.lists(st.tuples(*[st.integers(0, len(entries) - 1)] * 2, st.booleans()), max_size=6)):
        entries.insert(to, entries[at] if again else entries.pop(at))
    return [msgspec.structs.replace(entry, seq=seq) for seq, entry in enumerate(entries, 1)]


def blocks(entries: Sequence[Entry], cuts: Sequence[int]) -> Iterator[Sequence[Entry]]:
    """Blocks of these sizes, and one of what is left."""
    for size in cuts:
        yield entries[:size]
        entries = entries[size:]
    yield entries


def project(store: Store, parts: Iterator[Sequence[Entry]]) -> tuple[str, int]:
    """The state's hash after the parts, and how many entries were refused."""
    with closing(store):
        projector = Projector(REGISTRY)
        refused = sum(store.write(lambda tx, p=part: projector.project_replica(tx, p)).result() for part in parts)  # type: ignore[misc]
        return state_hash(store, REGISTRY), refused


@settings(max_examples=25, deadline=None)
@given(histories(), CUTS)
def test_any_blocks_into_a_scratch_store_are_entry_by_entry_into_a_full_one(
    entries: list[Entry], cuts: list[int]
) -> None:
    rows = projection_rows(REGISTRY)
    one_by_one = project(Store.open("sqlite://", rows, inline=True), blocks(entries, [1] * len(entries)))
    assert project(open_scratch(rows), blocks(entries, cuts)) == one_by_one
    assert project(open_scratch(rows), iter([entries])) == one_by_one


@contextmanager
def batches_of(size: int) -> Iterator[None]:
    """Let replay read and compare so many at a time."""
    with patch.object(replay, "BATCH", size):
        yield


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_replay_comes_out_the_same_in_batches_of_any_size(make: Make, size: int) -> None:
    bench = make("210102")
    bench.journal.append(*[counted(n, f"sum:{n % 3}") for n in range(12)]).result()
    with batches_of(size), closing(rebuild(bench.store, bench.registry)) as rebuilt:
        assert state_hash(rebuilt, bench.registry) == state_hash(bench.store, bench.registry)
        assert compare(bench.store, rebuilt, bench.registry) == []


KEYS = st.sampled_from([f"sum:{n}" for n in range(8)])


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(KEYS, st.integers(0, 2)), st.dictionaries(KEYS, st.integers(0, 2)), st.integers(1, 4))
def test_comparing_names_every_row_that_differs_in_key_order(
    live: dict[str, int], replayed: dict[str, int], size: int
) -> None:
    rows = projection_rows(REGISTRY)
    with closing(open_scratch(rows)) as ours, closing(open_scratch(rows)) as theirs, batches_of(size):
        for store, sums in ((ours, live), (theirs, replayed)):
            for subject, total in sums.items():
                values = {"origin": "210102", "subject": subject, "total": total, "count": 1}
                store.write(lambda tx, v=values: tx.execute(table(SumRow).insert().values(v))).result()  # type: ignore[misc]
        found = compare(ours, theirs, REGISTRY)
    keys = sorted(key for key in live.keys() | replayed.keys() if live.get(key) != replayed.get(key))
    assert found == [_difference(key, live.get(key), replayed.get(key)) for key in keys]


def _difference(subject: str, live: int | None, replayed: int | None) -> Difference:
    key = ("210102", subject)
    a, b = (None if total is None else (*key, total, 1) for total in (live, replayed))
    return Difference("test_sum", key, a, b)


def test_a_node_that_goes_on_working_is_compared_with_what_it_was(make: Make) -> None:
    bench = make("210102")
    bench.journal.append(*[counted(n) for n in range(9)]).result()
    with batches_of(4):
        steps = replaying(bench.store, bench.registry)
        first = next(steps)
        bench.journal.append(counted(1), counted(2, "sum:new")).result()
        replayed = answer_of(steps)
    assert (first.done, first.total) == (4, 9)
    assert (replayed.entries, replayed.differences) == (9, [])


def test_a_replay_that_is_stopped_lets_go_of_the_database(make: Make) -> None:
    bench, before = make("210102"), gc.get_threshold()
    bench.journal.append(*[counted(n) for n in range(9)]).result()
    with batches_of(2):
        steps = replaying(bench.store, bench.registry)
        next(steps)
        steps.close()
    bench.journal.append(counted(1)).result()
    assert bench.store.scrub(), "a reader is still open"
    assert gc.get_threshold() == before


def test_a_scratch_store_lies_in_a_file_that_nobody_has_to_remove() -> None:
    with closing(open_scratch([SumRow])) as store, store.reader() as connection:
        (_, _, path), *_ = connection.exec_driver_sql("PRAGMA database_list").all()
        assert Path(path).is_absolute(), "the rows lie in memory"
        assert not Path(path).exists()
        assert not list(Path(path).parent.glob(f"{Path(path).name}*"))
