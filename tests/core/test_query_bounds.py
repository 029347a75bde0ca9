"""No question about cases reads more than it may: windows join up, counts say "at least", no plan reads the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from core.test_query import CASES, FILTERS, fits, in_order, put
from support.postgres import new_database, postgresql
from wanmi.models import CORE_ROWS, CaseRow, table
from wanmi.query import CaseFilter, CaseLine, Count, count_cases, list_cases
from wanmi.query.looking import Look
from wanmi.store import Store

ALIKE = st.sampled_from([(), (), (("event", "0101"), ("component", "0102")), (("component", "0505"),)])
BOUNDED = [
    CaseFilter(district=district, grid=grid, category=category, kind=kind, stage=stage, number=number, since=since)
    for district, grid, category, kind, stage, number, since in product(
        ("", "210102"), ("", "210102001", "210102001001", "210102001001000"), ("", "0102"), ("", "event"),
        ("", "collect"), ("", "210102-E0102-2026", "20261123", "0007", "E0102-20261123"), ("", "2026-11-23"),
    )
]  # fmt: skip
"""Every combination of filters."""


@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('bounds') / 'journal.db'}", CORE_ROWS)
    put(store, CASES)
    yield store
    store.close()


def walk(tx: Connection, wanted: CaseFilter, limit: int, seen: str) -> list[CaseLine]:
    """All pages by their cursors."""
    department = table(CaseRow).c.department == seen if seen else None
    found: list[CaseLine] = []
    cursor: str | None = ""
    while cursor is not None:
        page = list_cases(tx, wanted, cursor=cursor, limit=limit, seen=department)
        found += page.cases
        cursor = page.next
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    wanted=FILTERS, alike=ALIKE, limit=st.integers(1, 60), window=st.integers(4, 90), seen=st.sampled_from(["", "d1"])
)
def test_windows_join_up_to_all_that_fits(
    lite: Store, monkeypatch: pytest.MonkeyPatch, wanted: CaseFilter, alike: tuple[tuple[str, str], ...], limit: int,
    window: int, seen: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("wanmi.query.looking.WINDOW", window)
    if alike:
        wanted = replace(wanted, category="0101", kind="", alike=alike)
        plain = replace(wanted, category="", alike=())
        fitting = [one for one in CASES if fits(one, plain) and (one.kind, one.category) in alike]
    else:
        fitting = [one for one in CASES if fits(one, wanted)]
    expected = in_order([] if seen else fitting)
    with lite.reader() as tx:
        assert walk(tx, wanted, limit, seen) == expected
        if not seen:
            count = count_cases(tx, wanted)
            assert count.cases <= len(expected)
            assert not count.exact or count.cases == len(expected)


def test_a_rare_case_is_looked_for_in_pieces(lite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wanmi.query.looking.WINDOW", 20)
    with lite.reader() as tx:
        page = list_cases(tx, CaseFilter(district="210104"))
        assert page.cases == ()
        assert page.next is not None, "the rest has not been looked through"
        assert count_cases(tx, CaseFilter(district="210104")) == Count(0, exact=False)


def test_many_cases_are_not_counted_to_the_end(lite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wanmi.query.cases.MOST_COUNTED", 100)
    with lite.reader() as tx:
        assert count_cases(tx, CaseFilter()) == Count(100, exact=False)
        assert count_cases(tx, CaseFilter(stage="file")).cases <= 100


def plan(tx: Connection, store: Store, wanted: CaseFilter, department: bool) -> str:
    seen = table(CaseRow).c.department == "d1" if department else None
    sql = str(Look.of(wanted, seen).keys("", 51).compile(store.reading, compile_kwargs={"literal_binds": True}))
    word = "EXPLAIN QUERY PLAN " if store.dialect == "sqlite" else "EXPLAIN "
    return "\n".join(str(row[-1]) for row in tx.execute(text(word + sql.replace(":", r"\:"))))


@pytest.mark.parametrize("department", [False, True])
def test_no_page_reads_or_sorts_the_table(lite: Store, department: bool) -> None:
    with lite.reader() as tx:
        for wanted in BOUNDED:
            told = plan(tx, lite, wanted, department)
            for line in told.splitlines():
                assert "case_" not in line or " USING " in line, (wanted, told)
                assert "TEMP B-TREE" not in line or "MERGE" in told or "UNION" in told, (wanted, told)


@pytest.mark.postgresql
@pytest.mark.xdist_group("postgresql")
def test_postgresql_walks_indexes_in_order() -> None:
    with postgresql() as base:
        store = Store.open(new_database(base, "bounds"), CORE_ROWS)
        many = [replace(one, number=f"{one.number}{n}", department=f"d{n}") for n in range(8) for one in CASES]
        put(store, many)
        store.write(lambda tx: tx.execute(text("ANALYZE"))).result()
        with store.reader() as tx:
            tx.execute(text("SET enable_seqscan = off"))  # the tables of a test are too small for any index to pay
            for wanted in BOUNDED:
                told = plan(tx, store, wanted, False)
                assert "Seq Scan" not in told, (wanted, told)
        store.close()


def test_the_kept_store_is_what_was_asked_for(tmp_path: Path) -> None:
    from bench.kept import NotKeptError, Recipe, find_kept, keep_cases

    recipe = Recipe(40, 1.0)
    assert find_kept(tmp_path, recipe) is None
    written = keep_cases(tmp_path, recipe)
    assert find_kept(tmp_path, recipe) == written
    for other in (Recipe(41, 1.0), Recipe(40, 0.5), Recipe(40, 1.0, seed=2)):
        with pytest.raises(NotKeptError, match="the recipe is"):
            find_kept(tmp_path, other)
    (tmp_path / "kept.json").unlink()
    with pytest.raises(NotKeptError, match="not written to its end"):
        keep_cases(tmp_path, recipe)
