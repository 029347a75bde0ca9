"""Fast batches of rows: compiled once a table and dialect, sent as tuples.

SQLAlchemy Core writes the SQL; the driver gets plain tuples, which is what makes a batch of 100 entries
cost little more than the driver itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, Table, bindparam, delete, select

from wanmi.models import Row, table

CHUNK = 500
"""Values asked for at once: databases bound the parameters of a statement."""


def rows_among(tx: Connection, row: type[Row], column: str, values: Iterable[str]) -> Iterator[Any]:
    """The rows whose column holds one of the values. The question is written once a table, not once a call."""
    wanted = sorted(set(values))
    for start in range(0, len(wanted), CHUNK):
        yield from tx.execute(_among(table(row), column), {"among": wanted[start : start + CHUNK]})


def insert_rows(tx: Connection, row: type[Row], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert tuples in the order of the row's columns."""
    if rows:
        tx.exec_driver_sql(_insert_sql(table(row), tx.dialect.name), list(rows))


def upsert_rows(tx: Connection, row: type[Row], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert tuples in the order of the row's columns; a row with the same primary key is replaced."""
    if rows:
        tx.exec_driver_sql(_upsert_sql(table(row), tx.dialect.name), list(rows))


def delete_keys(tx: Connection, row: type[Row], keys: Sequence[tuple[Any, ...]]) -> None:
    """Delete rows by primary key tuples."""
    if keys:
        columns = list(table(row).primary_key.columns)
        statement = delete(table(row))
        for n, column in enumerate(columns):
            statement = statement.where(column == bindparam(f"k{n}"))
        tx.execute(statement, [{f"k{n}": value for n, value in enumerate(key)} for key in keys])


@lru_cache(maxsize=512)
def _among(target: Table, column: str) -> Select[Any]:
    return select(target).where(target.c[column].in_(bindparam("among", expanding=True)))


@lru_cache(maxsize=512)
def _insert_sql(target: Table, dialect: str) -> str:
    names = ", ".join(f'"{column.name}"' for column in target.columns)
    marks = ", ".join(["?" if dialect == "sqlite" else "%s"] * len(target.columns))
    return f'INSERT INTO "{target.name}" ({names}) VALUES ({marks})'  # noqa: S608 - names from row classes


@lru_cache(maxsize=512)
def _upsert_sql(target: Table, dialect: str) -> str:
    keys = [column.name for column in target.primary_key.columns]
    others = [column.name for column in target.columns if column.name not in keys]
    key_list = ", ".join(f'"{name}"' for name in keys)
    action = "DO NOTHING"
    if others:
        action = "DO UPDATE SET " + ", ".join(f'"{name}" = excluded."{name}"' for name in others)
    return f"{_insert_sql(target, dialect)} ON CONFLICT ({key_list}) {action}"
