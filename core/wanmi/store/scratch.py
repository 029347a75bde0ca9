"""A database for rows that are made, compared and thrown away: a SQLite file that has no name.

The file is unlinked as soon as it is open: a process that is killed leaves nothing. It lies where temporary files lie
(``TMPDIR``). What does not fit into ``CACHE_KB`` of memory goes there; nothing is ever synced.
"""

from __future__ import annotations

from collections.abc import Collection
from tempfile import NamedTemporaryFile
from typing import Any

from sqlalchemy import Engine, Table, create_engine
from sqlalchemy.pool import StaticPool
from sqlalchemy.schema import CreateTable

from wanmi.errors import NeedsExtra
from wanmi.models import Row, table
from wanmi.store.engine import Store, on_sqlite_connect
from wanmi.store.writer import Writer

CACHE_KB = 64_000
"""Memory for pages; a transaction's old pages come on top while it runs."""


def open_scratch(rows: Collection[type[Row]], *, indexed: Collection[type[Row]] = ()) -> Store:
    """An empty store with tables for ``rows``, written in the caller's thread; ``indexed`` ones get their indexes too.

    Rows lie in the order of their keys, so that a change touches one tree and reading in key order is reading along.
    """
    engine = _engine()
    with engine.begin() as tx:
        for row in rows:
            tx.exec_driver_sql(_created(engine, table(row)))
            for index in table(row).indexes if row in indexed else ():
                index.create(tx)
    return Store("sqlite://", engine, engine, Writer(engine, inline=True))


def _engine() -> Engine:
    try:
        from pysqlite3 import dbapi2
    except ImportError as error:
        raise NeedsExtra("edge", "pysqlite3") from error

    def nameless() -> Any:  # SQLite's own temporary database ("") stays wholly in memory as pysqlite3 is built
        with NamedTemporaryFile(prefix="wanmi-scratch-") as file:
            connection = dbapi2.connect(file.name, check_same_thread=False)
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("PRAGMA journal_mode=MEMORY")
            return connection

    engine = create_engine("sqlite://", module=dbapi2, poolclass=StaticPool, creator=nameless)
    on_sqlite_connect(engine, ["PRAGMA synchronous=OFF", f"PRAGMA cache_size=-{CACHE_KB}"], "BEGIN")
    return engine


def _created(engine: Engine, one: Table) -> str:
    """The statement; a table whose keys SQLite counts up itself needs its row ids."""
    statement = str(CreateTable(one).compile(dialect=engine.dialect))
    return statement if one.autoincrement_column is not None else f"{statement} WITHOUT ROWID"
