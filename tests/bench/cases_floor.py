"""Floors beside the figures: bare SQL by the database's own driver, and the same rows in another database."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from pysqlite3 import dbapi2
from sqlalchemy import Connection, select

from bench.load import Times
from wanmi.journal.rows import ENTRY, select_stored, stored_of
from wanmi.models import CaseRow, Row, table
from wanmi.node import Node
from wanmi.query import CaseFilter
from wanmi.query.looking import Look
from wanmi.store import Store

COMMITS = 500
STEP_BYTES = 1_900
"""Bytes of a step's entry with its columns."""


def query_floor(store: Store, wanted: Sequence[CaseFilter | str]) -> Times:
    """Pages (filters) or cases with their entries (numbers) as bare SQL on one connection."""
    statements = [[_plain(store, one) for one in _questions(ask)] for ask in wanted]
    times = Times()
    with store.reading.connect() as connection:
        cursor: Any = connection.connection.cursor()
        for asked in [statements[0], *statements]:
            start = perf_counter()
            for statement in asked:
                cursor.execute(statement)
                cursor.fetchall()
            times.each.append(perf_counter() - start)
    times.each.pop(0)
    return times


def _questions(ask: CaseFilter | str) -> list[Any]:
    cases = table(CaseRow)
    if isinstance(ask, CaseFilter):
        return [select(cases).where(cases.c.number.in_(select(Look.of(ask).keys("", 51).subquery().c.number)))]
    return [
        select(cases).where(cases.c.number == ask),
        select_stored().where(ENTRY.c.subject == f"case:{ask}").order_by(ENTRY.c.pos),
    ]


def _plain(store: Store, query: Any) -> str:
    return str(query.compile(store.reading, compile_kwargs={"literal_binds": True}))


def read_floor(store: Store, entries: int) -> float:
    """Seconds to read and decode so many entries."""
    start = perf_counter()
    with store.reader() as connection:
        query = select_stored().order_by(ENTRY.c.pos).limit(entries)
        for row in connection.execution_options(yield_per=1000).execute(query):
            stored_of(row)
    return perf_counter() - start


def commit_floor(url: str, dir: Path) -> tuple[float, float]:
    """Commits of a step's bytes a second, one by one, and their p99 in milliseconds."""
    connection, mark = _bare(url, dir)
    cursor = connection.cursor()
    blob = "BLOB" if mark == "?" else "BYTEA"
    cursor.execute(f"CREATE TABLE floor (n INTEGER PRIMARY KEY, raw {blob})")
    connection.commit()
    times, start = Times(), perf_counter()
    for n in range(COMMITS):
        began = perf_counter()
        cursor.execute(f"INSERT INTO floor VALUES ({mark}, {mark})", (n, b"s" * STEP_BYTES))
        connection.commit()
        times.each.append(perf_counter() - began)
    times.seconds = perf_counter() - start
    cursor.execute("DROP TABLE floor")
    connection.commit()
    connection.close()
    return times.rate, times.ms(0.99)


def _bare(url: str, dir: Path) -> tuple[Any, str]:
    if url.startswith("sqlite"):
        connection = dbapi2.connect(str(dir / "floor.db"))
        for pragma in ("page_size=8192", "journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
        return connection, "?"
    import psycopg

    return psycopg.connect(url.replace("+psycopg", "")), "%s"


def copy_database(source: Path, target: Path, url: str) -> None:
    """A node directory like ``source`` whose database is the one at ``url``, with the very same rows."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("journal.db*", "run.json", "admin.*", "node.lock"))
    config = target / "node.toml"
    config.write_text(f'{config.read_text(encoding="utf-8")}\n[database]\nurl = "{url}"\n', encoding="utf-8")
    with Node.open(source) as node:
        rows = list(node.registry.rows.values())
        store = Store.open(url, rows)
        try:
            _copy(node.store, url, rows)
        finally:
            store.close()


def _copy(source: Store, url: str, rows: Iterable[type[Row]]) -> None:
    """COPY table by table; the indexes are made afterwards, then vacuum and the planner's figures."""
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        names = [table(row).name for row in rows]
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY(%s) AND indexname "
            "NOT IN (SELECT conname FROM pg_constraint)", (names,),
        ).fetchall()  # fmt: skip
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"')
        with source.reader() as reading:
            reading.execute(select(1))  # one snapshot for all tables
            for row in rows:
                _copy_table(reading, connection, row)
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute("VACUUM (ANALYZE)")  # as the server itself has done it when cases came over years


def _copy_table(reading: Connection, connection: Any, row: type[Row]) -> None:
    columns = table(row).columns
    names = ", ".join(f'"{column.name}"' for column in columns)
    cursor: Any = reading.connection.cursor()
    cursor.execute(f'SELECT {names} FROM "{table(row).name}"')
    with connection.cursor().copy(f'COPY "{table(row).name}" ({names}) FROM STDIN') as copy:
        for values in cursor:
            copy.write_row(values)
