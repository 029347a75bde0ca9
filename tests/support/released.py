"""Stored databases of released schemas, and how they are made: ``python -m support.released`` in tests/.

Each holds a city's journal with a district's and an edge's chain, and the tables of every plugin of the project. Once
a schema was given to somebody its files are never written again; the next one gets files of its own beside them.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Table
from sqlalchemy.schema import SchemaItem

from support.postgres import BINARIES, new_database, postgresql
from support.two_tiers import FILED, WORKED, small_tiers
from wanmi.errors import StoreError
from wanmi.journal import refill
from wanmi.journal.proof import replay_check
from wanmi.models import Row, mark_of, table
from wanmi.node import load_enabled, new_registry
from wanmi.plugins import installed_plugins
from wanmi.registry import Registry
from wanmi.store import Store
from wanmi.store.migrations import SCHEMA

FOLDER = Path(__file__).parent.parent / "core" / "store" / "released"
PROJECT = (
    "casework", "console", "demo", "edge", "federation", "gis", "hardware", "hotline", "messenger", "supervision",
    "terminal",
)  # fmt: skip
"""The plugins whose tables are in the files."""


def all_plugins() -> Registry:
    """What the core and every plugin of the project register."""
    return new_registry(load_enabled([name for name in PROJECT if name in installed_plugins()], "all"))


def schemas() -> list[int]:
    """The released schemas of which a database is stored."""
    return sorted(int(path.name.split(".")[0]) for path in FOLDER.glob("*.sqlite.gz"))


def stored_sqlite(schema: int, folder: Path) -> str:
    """Unpack a stored SQLite database; its URL."""
    path = folder / "journal.db"
    path.write_bytes(gzip.decompress((FOLDER / f"{schema}.sqlite.gz").read_bytes()))
    return f"sqlite:///{path}"


def stored_postgresql(schema: int, base: str, name: str) -> str:
    """Load a stored PostgreSQL dump into a new database of a server; its URL."""
    url = new_database(base, name)
    dump = gzip.decompress((FOLDER / f"{schema}.pg_dump.gz").read_bytes())
    plain = url.replace("+psycopg", "")
    subprocess.run([str(BINARIES[0] / "psql"), "-q", "-v", "ON_ERROR_STOP=1", plain], input=dump, check=True)
    return url


def brought(url: str, registry: Registry) -> Store:
    """The database opened by this program, migrated first only where the program itself asks for that."""
    try:
        return Store.open(url, registry.rows.values())
    except StoreError as error:
        if "wanmi migrate" not in str(error):
            raise
    Store.migrate(url, registry.rows.values(), lambda tx: refill(tx, registry))
    return Store.open(url, registry.rows.values())


def forgotten(store: Store, registry: Registry) -> list[str]:
    """What a step of ``wanmi.store.migrations`` should have done to a database that was brought to this program."""
    kept = {table(row).name for row in registry.rows.values() if mark_of(row) != "projection"}
    with store.reader() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": _only(kept)})
        found = [f"a table differs: {difference}" for difference in compare_metadata(context, Row.metadata)]
    return found + [f"a projection comes out otherwise: {one}" for one in replay_check(store, registry)]


def _only(names: set[str]) -> Callable[[SchemaItem, str | None, str, bool, SchemaItem | None], bool]:
    """Alembic's filter: these tables and what is in them."""

    def included(item: SchemaItem, name: str | None, kind: str, _reflected: bool, _other: SchemaItem | None) -> bool:
        return (name if kind == "table" else item.table.name) in names  # type: ignore[attr-defined]

    return included


def _worked(folder: Path) -> Path:
    """A city's database after a day: a case of its own, one that it handed down, one of its district."""
    with small_tiers(folder) as tiers:
        above, _order = tiers.handed_down()
        tiers.exchange()
        tiers.district_case()
        own = tiers.case_from()
        tiers.work(tiers.city, own, *FILED, *WORKED)
        tiers.settled()
        assert above != own
        return tiers.city.dir / "journal.db"


def _write() -> None:
    registry = all_plugins()
    with tempfile.TemporaryDirectory() as name, postgresql() as base:
        database = _worked(Path(name) / "town")
        Store.open(f"sqlite:///{database}", registry.rows.values()).close()
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{SCHEMA}.sqlite.gz").write_bytes(gzip.compress(database.read_bytes(), mtime=0))
        url = new_database(base, "released")
        _copy(Store.open_to_read(f"sqlite:///{database}"), Store.open(url, registry.rows.values()), registry)
        dumped = subprocess.run(
            [str(BINARIES[0] / "pg_dump"), "--no-owner", url.replace("+psycopg", "")], check=True, capture_output=True
        )
        (FOLDER / f"{SCHEMA}.pg_dump.gz").write_bytes(gzip.compress(dumped.stdout, mtime=0))


def _copy(source: Store, target: Store, registry: Registry) -> None:
    for row in registry.rows.values():
        _copy_table(source, target, table(row))
    target.close()


def _copy_table(source: Store, target: Store, one: Table) -> None:
    with source.reader() as connection:
        rows = [dict(values._mapping) for values in connection.execute(one.select())]
    if rows:
        target.write(lambda tx: tx.execute(one.insert(), rows)).result()


if __name__ == "__main__":
    if (FOLDER / f"{SCHEMA}.sqlite.gz").exists() and not os.environ.get("AGAIN"):
        sys.exit(f"schema {SCHEMA} is stored already; AGAIN=1 writes it anew, before it was given to anybody")
    _write()
