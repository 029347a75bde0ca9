"""Answers kept in memory: never older than the last commit to the tables that they were read from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, delete, insert, select

from wanmi.identity.sessions import SessionRow
from wanmi.identity.units import MemberRow, UnitRow
from wanmi.models import table
from wanmi.store import Store
from wanmi.store.kept import LONGEST, Kept, written_table

MEMBERS = table(MemberRow)


class Asked:
    """A question that counts how often it was asked."""

    def __init__(self, store: Store) -> None:
        self.kept: Kept[str] = store.kept("unit", MemberRow)
        self.times = 0
        self._store = store

    def __call__(self, at: float = 0.0) -> str | None:
        return self.kept.get("wang", at, self.read)

    def read(self) -> str | None:
        self.times += 1
        with self._store.reader() as tx:
            found: str | None = tx.execute(
                select(MEMBERS.c.unit).where(MEMBERS.c.person == "wang")
            ).scalar_one_or_none()
        return found


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:  # type: ignore[no-untyped-def]
    opened = Store.open(f"sqlite:///{tmp_path}/kept.db", [MemberRow, UnitRow, SessionRow])
    yield opened
    opened.close()


@pytest.fixture
def asked(store: Store) -> Asked:
    put(store, "roads")
    return Asked(store)


def put(store: Store, unit: str) -> None:
    def work(tx: Connection) -> None:
        tx.execute(delete(MEMBERS))
        tx.execute(insert(MEMBERS).values(person="wang", unit=unit))

    store.write(work).result()


def test_it_is_asked_once_until_its_table_changes(store: Store, asked: Asked) -> None:
    assert [asked(), asked(), asked.times] == ["roads", "roads", 1]
    store.write(lambda tx: tx.execute(insert(table(UnitRow)).values(code="x", name="X", active=1))).result()
    assert [asked(), asked.times] == ["roads", 1]
    put(store, "parks")
    assert [asked(), asked.times] == ["parks", 2]
    store.write(lambda tx: tx.exec_driver_sql("DELETE FROM unit_member")).result()
    assert asked() is None


def test_what_was_rolled_back_changes_nothing(store: Store, asked: Asked) -> None:
    asked()

    def work(tx: Connection) -> None:
        tx.execute(delete(MEMBERS))
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        store.write(work).result()
    put_elsewhere = insert(table(UnitRow)).values(code="y", name="Y", active=1)
    store.write(lambda tx: tx.execute(put_elsewhere)).result()
    assert [asked(), asked.times] == ["roads", 1]


def test_an_answer_read_while_its_table_changes_is_not_given_again(store: Store, asked: Asked) -> None:
    def slow() -> str | None:
        found = asked.read()
        put(store, "parks")
        return found

    assert asked.kept.get("wang", 0.0, slow) == "roads"
    assert asked() == "parks"


def test_nothing_is_kept_long_and_nothing_is_not_kept_at_all(store: Store, asked: Asked) -> None:
    assert [asked(0.0), asked(LONGEST - 0.1), asked(LONGEST), asked.times] == ["roads", "roads", "roads", 2]
    store.write(lambda tx: tx.execute(delete(MEMBERS))).result()
    assert [asked(), asked(), asked.times] == [None, None, 4]


@pytest.mark.parametrize(
    ("statement", "written"),
    [
        ('INSERT INTO "session" (a) VALUES (?)', "session"),
        ("INSERT OR REPLACE INTO session VALUES (?)", "session"),
        ("\n update Session SET a = 1", "session"),
        ("DELETE FROM session WHERE a = 1", "session"),
        ("SELECT * FROM session", ""),
        ("PRAGMA wal_checkpoint", ""),
    ],
)
def test_the_table_that_a_statement_writes_to(statement: str, written: str) -> None:
    assert written_table(statement) == written
