"""Replay: rebuild every projection from the chains and compare row by row in key order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, String, Text, select

from wanmi.errors import StoreError
from wanmi.journal.projecting import Projector
from wanmi.journal.proof.show import count_entries
from wanmi.journal.rows import ENTRY, select_stored, stored_of
from wanmi.models import QuarantineRow, Row, key_columns, mark_of, table
from wanmi.registry import Registry
from wanmi.store import Store

BATCH = 1000
Told = Callable[[int, int], None]
"""Told (entries done, entries in all) while a replay runs."""


@dataclass(frozen=True)
class Difference:
    """A row that the live table and the replay do not agree on; None where it is not there."""

    table: str
    key: tuple[Any, ...]
    live: tuple[Any, ...] | None
    replayed: tuple[Any, ...] | None

    def __str__(self) -> str:
        return f"{self.table} {self.key}: live {self.live}, replayed {self.replayed}"


def projection_rows(registry: Registry) -> list[type[Row]]:
    """Every row class that is marked projection, in a fixed order."""
    rows = {row.__tablename__: row for row in registry.rows.values() if mark_of(row) == "projection"}
    rows[QuarantineRow.__tablename__] = QuarantineRow
    return [rows[name] for name in sorted(rows)]


def rebuild(source: Store, registry: Registry, *, origins: list[str] | None = None, told: Told | None = None) -> Store:
    """A store in memory whose projections were built by replay from genesis.

    In the order of local application, or chain by chain in the order of ``origins``: the same must come out.
    """
    target = Store.open("sqlite://", projection_rows(registry), inline=True)
    projector = Projector(registry)
    done, total = 0, count_entries(source)
    for batch in _batches(source, origins):
        entries = [stored.entry for stored in batch if stored.entry is not None]
        target.write(lambda tx, entries=entries: projector.project_replica(tx, entries)).result()  # type: ignore[misc]
        done += len(batch)
        if told is not None:
            told(done, total)
    return target


def compare(live: Store, replayed: Store, registry: Registry, *, most: int = 100) -> list[Difference]:
    """Rows that differ, at most ``most``."""
    differences: list[Difference] = []
    for row in projection_rows(registry):
        for difference in _compare_table(live, replayed, row):
            differences.append(difference)
            if len(differences) >= most:
                return differences
    return differences


def replay_check(store: Store, registry: Registry, *, told: Told | None = None) -> list[Difference]:
    """Rebuild and compare: an empty list says that the projections are what the chains add up to."""
    replayed = rebuild(store, registry, told=told)
    try:
        return compare(store, replayed, registry)
    finally:
        replayed.close()


def state_hash(store: Store, registry: Registry) -> str:
    """SHA-256 over every projection's rows in key order: equal state, equal hash, on any database."""
    digest = hashlib.sha256()
    for row in projection_rows(registry):
        digest.update(row.__tablename__.encode())
        for values in _rows(store, row):
            digest.update(repr(values).encode())
    return digest.hexdigest()


def _batches(source: Store, origins: list[str] | None) -> Iterator[list[Any]]:
    with source.reader() as connection:
        if origins is None:
            yield from _read(connection, select_stored().order_by(ENTRY.c.pos))
            return
        for origin in origins:
            yield from _read(connection, select_stored().where(ENTRY.c.origin == origin).order_by(ENTRY.c.seq))


def _read(connection: Connection, query: Any) -> Iterator[list[Any]]:
    result = connection.execution_options(yield_per=BATCH).execute(query)
    for part in result.partitions(BATCH):
        yield [stored_of(row) for row in part]


def _compare_table(live: Store, replayed: Store, row: type[Row]) -> Iterator[Difference]:
    keys = len(key_columns(row))
    ours, theirs = _rows(live, row), _rows(replayed, row)
    a, b = next(ours, None), next(theirs, None)
    while a is not None or b is not None:
        if a is not None and b is not None and a[:keys] == b[:keys]:
            if a != b:
                yield Difference(row.__tablename__, a[:keys], a, b)
            a, b = next(ours, None), next(theirs, None)
        elif b is None or (a is not None and a[:keys] < b[:keys]):
            if a is None:
                raise StoreError("comparison ran out of rows")
            yield Difference(row.__tablename__, a[:keys], a, None)
            a = next(ours, None)
        else:
            yield Difference(row.__tablename__, b[:keys], None, b)
            b = next(theirs, None)


def _rows(store: Store, row: type[Row]) -> Iterator[tuple[Any, ...]]:
    """Rows as tuples, key columns first, ordered by key byte for byte on both databases."""
    columns = table(row).columns
    keys = [columns[name] for name in key_columns(row)]
    others = [column for column in columns if column.name not in key_columns(row)]
    order = [_bytewise(column) if store.dialect == "postgresql" else column for column in keys]
    with store.reader() as connection:
        result = connection.execution_options(yield_per=BATCH).execute(select(*keys, *others).order_by(*order))
        for values in result:
            yield tuple(bytes(v) if isinstance(v, (bytes, memoryview)) else v for v in values)


def _bytewise(column: Any) -> Any:
    return column.collate("C") if isinstance(column.type, (String, Text)) else column
