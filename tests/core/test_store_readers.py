"""Readers on both databases: one snapshot for the whole use of a connection; a PostgreSQL server that went and came."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Insert, func, insert, select, text
from sqlalchemy.exc import OperationalError

from support.postgres import new_database, postgresql
from wanmi.identity.units import MemberRow
from wanmi.models import table
from wanmi.store import Store, engine

MEMBERS = table(MemberRow)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgresql])])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        opened = Store.open(f"sqlite:///{tmp_path / 'journal.db'}", [MemberRow])
        yield opened
        opened.close()
        return
    with postgresql() as base:
        opened = Store.open(new_database(base, "readers"), [MemberRow])
        yield opened
        opened.close()


def _join(person: str) -> Insert:
    return insert(MEMBERS).values(person=person, unit="市政")


def _count(tx: Connection) -> int:
    return int(tx.execute(select(func.count()).select_from(MEMBERS)).scalar_one())


def test_a_reader_sees_one_snapshot_for_its_whole_use(store: Store) -> None:
    store.write(lambda tx: tx.execute(_join("wang"))).result()
    with store.reader() as tx:
        assert _count(tx) == 1
        store.write(lambda other: other.execute(_join("li"))).result()
        assert _count(tx) == 1
    with store.reader() as tx:
        assert _count(tx) == 2


@pytest.mark.parametrize("store", [pytest.param("postgresql", marks=[pytest.mark.postgresql])], indirect=True)
def test_a_reader_that_the_server_dropped_is_opened_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.reader() as tx:
        assert _count(tx) == 0
    _end_readers(store)
    monkeypatch.setattr(engine, "RESTED_SECONDS", -1.0)
    with store.reader() as tx:
        assert _count(tx) == 0


@pytest.mark.parametrize("store", [pytest.param("postgresql", marks=[pytest.mark.postgresql])], indirect=True)
def test_a_reader_dropped_between_two_uses_costs_one_error_at_most(store: Store) -> None:
    with store.reader() as tx:
        assert _count(tx) == 0
    _end_readers(store)
    with pytest.raises(OperationalError), store.reader() as tx:
        _count(tx)
    with store.reader() as tx:
        assert _count(tx) == 0


def _end_readers(store: Store) -> None:
    ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = :name"
    store.write(lambda tx: tx.execute(text(ended), {"name": "readers"}).scalar_one()).result()


def test_an_asker_sees_what_was_committed_last(store: Store) -> None:
    with store.asker() as tx:
        assert _count(tx) == 0
    store.write(lambda tx: tx.execute(_join("wang"))).result()
    with store.asker() as tx:
        assert _count(tx) == 1
    with store.reader() as tx:  # the same connection, with its snapshot again
        assert _count(tx) == 1
        store.write(lambda other: other.execute(_join("li"))).result()
        assert _count(tx) == 1
