"""Journal append with 100 concurrent writers, projections included, beside raw sqlite3 of the same bytes.

Floors of the same run, SQLite in WAL with synchronous=FULL, in transactions of the size that group commit reached:
(a) executemany of the entries' bytes into one plain table; (b) executemany of the very rows that the journal wrote
(entry with all columns and indexes, and the projection's row): what SQLite itself costs.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from pysqlite3 import dbapi2

from support.journals import Bench, open_bench, sqlite_url
from wanmi import kinds
from wanmi.clock import SystemClock
from wanmi.ids import SystemIds
from wanmi.models import EntryRow, ReportRow, table
from wanmi.registry import Draft

WRITERS = 100
EACH = 300
PRAGMAS = ("page_size=8192", "journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=4000")


def draft(n: int) -> Draft:
    """A photo-less report as an edge journals it: about 500 bytes signed by the terminal."""
    report_id = f"{n:026d}"
    body = kinds.ReportReceived(
        "T210102-0001", report_id, "e" * 420, "s" * 86, "d" * 64, "event", "0102", 1_790_000_000_000_000, []
    )
    return Draft("report.received", kinds.report_subject("21010201", report_id, "T210102-0001"), body)


async def write_all(bench: Bench) -> float:
    """Seconds for WRITERS coroutines that each append EACH reports, one after the other."""

    async def writer(w: int) -> None:
        for n in range(EACH):
            await bench.journal.append_async(draft(n * WRITERS + w))

    start = perf_counter()
    await asyncio.gather(*[writer(w) for w in range(WRITERS)])
    return perf_counter() - start


def raw_rate(
    path: Path, schema: Sequence[str], inserts: Sequence[tuple[str, list[tuple[Any, ...]]]], size: int
) -> float:
    """Rows of the first insert a second, in transactions of ``size``."""
    connection = dbapi2.connect(str(path), isolation_level=None)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    for statement in schema:
        connection.execute(statement)
    total = len(inserts[0][1])
    start = perf_counter()
    for at in range(0, total, size):
        connection.execute("BEGIN IMMEDIATE")
        for statement, rows in inserts:
            connection.executemany(statement, rows[at : at + size])
        connection.execute("COMMIT")
    seconds = perf_counter() - start
    connection.close()
    return total / seconds


def rows_of(bench: Bench) -> tuple[list[str], list[tuple[str, list[tuple[Any, ...]]]]]:
    """The schema and the rows that the journal wrote, to be written again by SQLite alone."""
    schema, inserts = [], []
    connection = dbapi2.connect(bench.store.url.removeprefix("sqlite:///"))
    for row in (EntryRow, ReportRow):
        name = table(row).name
        found = connection.execute("SELECT sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL", (name,))
        schema += [sql for (sql,) in found]
        rows = connection.execute(f"SELECT * FROM {name} ORDER BY rowid").fetchall()
        marks = ", ".join("?" * len(rows[0]))
        inserts.append((f"INSERT INTO {name} VALUES ({marks})", rows))
    connection.close()
    return schema, inserts


def run() -> list[dict[str, Any]]:
    """The figure beside both floors."""
    with tempfile.TemporaryDirectory(prefix="wanmi-bench-", dir=".") as folder:
        bench = open_bench("21010201", sqlite_url(Path(folder) / "node"))
        bench.journal._clock, bench.journal._ids = SystemClock(), SystemIds()
        rate = WRITERS * EACH / asyncio.run(write_all(bench))
        stats = bench.store.writer.stats
        size = max(1, round(stats.parts / stats.commits))
        raws = [(s.seq, s.raw) for s in bench.journal.read("21010201", 0, WRITERS * EACH, 1 << 40)]
        schema, inserts = rows_of(bench)
        bench.close()
        plain = raw_rate(
            Path(folder) / "plain.db", ["CREATE TABLE e (seq INTEGER PRIMARY KEY, raw BLOB)"],
            [("INSERT INTO e VALUES (?, ?)", raws)], size,
        )  # fmt: skip
        same = raw_rate(Path(folder) / "same.db", schema, inserts, size)
    name = f"journal append, {WRITERS} writers, groups of {size}"
    return [
        {"name": name, "value": rate, "unit": "entries/s", "floor": plain,
         "floor_name": "sqlite3 executemany of the entries' bytes, FULL, same groups", "goal": 0.25 * plain},
        {"name": f"{name}, beside the same rows", "value": rate, "unit": "entries/s", "floor": same,
         "floor_name": "sqlite3 executemany of the very rows and indexes, FULL", "goal": None},
    ]  # fmt: skip
