"""Replay: rebuild every projection from the chains and compare row by row in key order.

It reads what was verified when it was stored; ``wanmi journal verify`` proves bytes, chains and signatures.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from sqlalchemy import Connection, Select, String, Text, func, select

from wanmi.entries import decode_trusted
from wanmi.journal.projecting import Projector
from wanmi.journal.rows import ENTRY
from wanmi.models import QuarantineRow, Row, key_columns, mark_of, table
from wanmi.registry import Progress, Registry
from wanmi.store import Store, open_scratch

BATCH = 1000
CONTAINERS = 50_000
"""New containers before Python looks for garbage in cycles: a batch of entries is some ten thousand, and none of it is."""
Told = Callable[[int, int], None]
"""Told (entries done, entries in all) while a replay runs."""
Values = tuple[Any, ...]


@dataclass(frozen=True)
class Difference:
    """A row that the live table and the replay do not agree on; None where it is not there."""

    table: str
    key: Values
    live: Values | None
    replayed: Values | None

    def __str__(self) -> str:
        return f"{self.table} {self.key}: live {self.live}, replayed {self.replayed}"


@dataclass(frozen=True)
class Replayed:
    """How many entries were replayed, and the rows that differ."""

    entries: int
    differences: list[Difference]


def projection_rows(registry: Registry) -> list[type[Row]]:
    """Every row class that is marked projection, in a fixed order."""
    rows = {row.__tablename__: row for row in registry.rows.values() if mark_of(row) == "projection"}
    rows[QuarantineRow.__tablename__] = QuarantineRow
    return [rows[name] for name in sorted(rows)]


def rebuild(source: Store, registry: Registry, *, origins: list[str] | None = None, told: Told | None = None) -> Store:
    """A temporary store whose projections were built by replay from genesis; the caller closes it.

    In the order of local application, or chain by chain in the order of ``origins``: the same must come out.
    """
    target = _empty(registry)
    try:
        with source.reader() as connection:
            for done, total in _rebuild(connection, target, registry, origins):
                if told is not None:
                    told(done, total)
    except BaseException:
        target.close()
        raise
    return target


def compare(live: Store, replayed: Store, registry: Registry, *, most: int = 100) -> list[Difference]:
    """Rows that differ, at most ``most``."""
    with live.reader() as ours, replayed.reader() as theirs:
        rows = projection_rows(registry)
        return list(islice(chain.from_iterable(_differences(row, ours, theirs) for row in rows), most))


def replaying(store: Store, registry: Registry, *, most: int = 100) -> Generator[Progress, None, Replayed]:
    """Rebuild and compare, batch by batch and table by table, with at most ``most`` differences.

    Entries and rows are read in one snapshot, so that a node which goes on working is compared with what it was at
    the beginning. Whoever closes the generator ends the work and leaves nothing behind.
    """
    target = _empty(registry)
    try:
        with store.reader() as ours:
            done, found = 0, list[Difference]()
            for done, total in _rebuild(ours, target, registry, None):
                yield Progress(done, total, "entries replayed")
            with target.reader() as theirs:
                for row in projection_rows(registry):
                    yield Progress(done, done, f"entries replayed, comparing {row.__tablename__}")
                    found += islice(_differences(row, ours, theirs), most - len(found))
            return Replayed(done, found)
    finally:
        target.close()


def replay_check(store: Store, registry: Registry) -> list[Difference]:
    """Rebuild and compare: an empty list says that the projections are what the chains add up to."""
    steps = replaying(store, registry)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            replayed: Replayed = end.value
            return replayed.differences


def state_hash(store: Store, registry: Registry) -> str:
    """SHA-256 over every projection's rows in key order: equal state, equal hash, on any database."""
    digest = hashlib.sha256()
    with store.reader() as connection:
        for row in projection_rows(registry):
            digest.update(row.__tablename__.encode())
            for part in _parts(connection, row):
                for values in part:
                    digest.update(repr(values).encode())
    return digest.hexdigest()


def _empty(registry: Registry) -> Store:
    """The tables to rebuild. The core's projections find their rows by key; a plugin's may stand on an index."""
    indexed = [row for one in registry.projections.values() if not one.plugin.startswith("wanmi@") for row in one.rows]
    return open_scratch(projection_rows(registry), indexed=indexed)


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Let Python's collector look seldom: decoding makes it run all the time, and that took 40 % of a replay.

    It is the process's: where two replays overlap it may stay so, which costs some memory and nothing else.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], CONTAINERS), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _rebuild(
    connection: Connection, target: Store, registry: Registry, origins: list[str] | None
) -> Iterator[tuple[int, int]]:
    """Apply every entry to ``target``; (entries done, entries in all) after each batch."""
    projector, done = Projector(registry), 0
    total = int(connection.execute(select(func.count()).select_from(ENTRY)).scalar_one())
    for batch in _batches(connection, origins):
        with _rare_collections():
            entries = [decode_trusted(raw) for raw in batch if raw is not None]
            target.write(lambda tx, entries=entries: projector.project_replica(tx, entries)).result()  # type: ignore[misc]
        done += len(batch)
        yield done, total


def _batches(connection: Connection, origins: list[str] | None) -> Iterator[list[bytes | None]]:
    if origins is None:
        yield from _read(connection, select(ENTRY.c.raw).order_by(ENTRY.c.pos))
        return
    for origin in origins:
        yield from _read(connection, select(ENTRY.c.raw).where(ENTRY.c.origin == origin).order_by(ENTRY.c.seq))


def _read(connection: Connection, query: Select[Any]) -> Iterator[list[bytes | None]]:
    result = connection.execute(query, execution_options={"yield_per": BATCH})
    for part in result.scalars().partitions(BATCH):
        yield list(part)


def _differences(row: type[Row], live: Connection, replayed: Connection) -> Iterator[Difference]:
    """Part by part while parts are equal, row by row from the first one that is not."""
    ours, theirs = _parts(live, row), _parts(replayed, row)
    mine, other = next(ours, []), next(theirs, [])
    while mine and mine == other:
        mine, other = next(ours, []), next(theirs, [])
    yield from _merge(row, chain(mine, chain.from_iterable(ours)), chain(other, chain.from_iterable(theirs)))


def _merge(row: type[Row], ours: Iterator[Values], theirs: Iterator[Values]) -> Iterator[Difference]:
    name, keys = row.__tablename__, len(key_columns(row))
    a, b = next(ours, None), next(theirs, None)
    while a is not None or b is not None:
        if a is not None and (b is None or a[:keys] < b[:keys]):
            yield Difference(name, a[:keys], a, None)
            a = next(ours, None)
        elif b is not None and (a is None or b[:keys] < a[:keys]):
            yield Difference(name, b[:keys], None, b)
            b = next(theirs, None)
        elif a is not None:
            if a != b:
                yield Difference(name, a[:keys], a, b)
            a, b = next(ours, None), next(theirs, None)


def _parts(connection: Connection, row: type[Row]) -> Iterator[list[Values]]:
    """Rows as tuples, key columns first, ordered by key byte for byte on both databases; ``BATCH`` at a time."""
    columns, names = table(row).columns, key_columns(row)
    keys = [columns[name] for name in names]
    others = [column for column in columns if column.name not in names]
    order = [_bytewise(column) if connection.dialect.name == "postgresql" else column for column in keys]
    result = connection.execute(select(*keys, *others).order_by(*order), execution_options={"yield_per": BATCH})
    for part in result.partitions(BATCH):
        yield [tuple(values) for values in part]


def _bytewise(column: Any) -> Any:
    return column.collate("C") if isinstance(column.type, (String, Text)) else column
