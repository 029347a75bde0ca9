"""Tables of a database: made, compared with this program's, brought from an older release to this one.

``wanmi_schema`` holds one number, the version of the journal and local tables (``migrations.SCHEMA``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Table, inspect, text

from wanmi.errors import StoreError
from wanmi.models import Row, mark_of, table
from wanmi.store.migrations import SCHEMA, STEPS

HOW = "make a backup with the program that wrote it, then run `wanmi migrate DIR`"


@dataclass(frozen=True)
class Migrated:
    """Schemas before and after, and how many projections' tables were made anew."""

    before: int
    after: int
    projections: int


def prepare(engine: Engine, rows: Iterable[type[Row]]) -> None:
    """Make what is missing in the database; StoreError if it is of another release and must be migrated first."""
    classes = list(rows)
    tables = [table(row) for row in classes]
    with engine.begin() as tx:
        version = schema_of(tx)
        if version is None:
            tx.execute(text("CREATE TABLE wanmi_schema (version INTEGER NOT NULL)"))
            tx.execute(text("INSERT INTO wanmi_schema (version) VALUES (:v)"), {"v": SCHEMA})
        else:
            _refuse_other_version(version)
            _refuse_other_columns(tx, classes)
        _make_tables(tx, tables)
        if version is not None:
            _follow_indexes(tx, tables)


def schema_of(tx: Connection) -> int | None:
    """The version that the database says; None if it is no node's database (an empty one, as a rule)."""
    if not inspect(tx).has_table("wanmi_schema"):
        return None
    version: int = tx.execute(text("SELECT max(version) FROM wanmi_schema")).scalar_one()
    return version


def migrate(engine: Engine, rows: Iterable[type[Row]], refill: Callable[[Connection], object]) -> Migrated:
    """Run the steps that are missing and make the projections' tables anew; ``refill`` puts their rows in.

    One transaction: who is killed meanwhile finds the database as it was. Raises StoreError (no node's database, or
    one of a newer program) and what the steps and ``refill`` raise.
    """
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    classes = list(rows)
    made_anew = [table(row) for row in classes if mark_of(row) == "projection"]
    with engine.begin() as tx:
        before = schema_of(tx)
        if before is None:
            raise StoreError("there is no node's database; `wanmi init` makes one")
        _refuse_newer(before, SCHEMA)
        operations = Operations(MigrationContext.configure(tx))
        for step in STEPS[before - 1 :]:
            step(operations)
        tx.execute(text("UPDATE wanmi_schema SET version = :v"), {"v": SCHEMA})
        Row.metadata.drop_all(tx, tables=made_anew)
        tables = [table(row) for row in classes]
        _make_tables(tx, tables)
        _follow_indexes(tx, tables)
        refill(tx)
    return Migrated(before, SCHEMA, len(made_anew))


def _make_tables(tx: Connection, tables: Sequence[Table]) -> None:
    """Make those that are missing. PostgreSQL's indexes get the conditions that rows state for SQLite's: stated for
    both they would bring PostgreSQL's dialect (2 MB) into every process on SQLite, an edge's among them.
    """
    if tx.dialect.name == "postgresql":
        for index in (index for one in tables for index in one.indexes):
            index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]
    Row.metadata.create_all(tx, tables=tables)


def _refuse_other_version(version: int) -> None:
    _refuse_newer(version, SCHEMA)
    if version < SCHEMA:
        raise StoreError(f"the database has schema {version}, this program needs {SCHEMA}: {HOW}")


def _refuse_newer(version: int, known: int) -> None:
    if version > known:
        raise StoreError(f"the database has schema {version}, this program knows {known}; upgrade the program")


def _refuse_other_columns(tx: Connection, rows: Sequence[type[Row]]) -> None:
    """A table with other columns than this program's would fail somewhere, some time: it is refused here and now."""
    names = [table(row).name for row in rows]
    held = {
        name: {column["name"] for column in columns}
        for (_, name), columns in inspect(tx).get_multi_columns(filter_names=names).items()
    }
    for row in rows:
        wanted = {column.name for column in table(row).columns}
        found = held.get(table(row).name, wanted)
        if found != wanted:
            told = ", ".join(
                [f"{name} is missing" for name in sorted(wanted - found)]
                + [f"{name} is not known" for name in sorted(found - wanted)]
            )
            advice = HOW if mark_of(row) == "projection" else "it was written by another program; run that one"
            raise StoreError(f"table {table(row).name} has other columns than this program's ({told}): {advice}")


def _follow_indexes(tx: Connection, tables: Sequence[Table]) -> None:
    """Make the indexes of an older database those of this program; they hold nothing of their own."""
    inspector = inspect(tx)
    for one in tables:
        wanted = {str(index.name): index for index in one.indexes}
        held = {
            str(index["name"]): index["column_names"]
            for index in inspector.get_indexes(one.name)
            if not index.get("duplicates_constraint")
        }
        for name, columns in held.items():
            if name not in wanted or columns != [column.name for column in wanted[name].columns]:
                tx.execute(text(f'DROP INDEX "{name}"'))
        for name, index in wanted.items():
            if held.get(name) != [column.name for column in index.columns]:
                index.create(tx)
