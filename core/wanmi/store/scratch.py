"""A database for rows that are made, compared and thrown away: a temporary file of SQLite's own.

SQLite removes the file when the connection closes, or at once where the system allows it: a process that is killed
leaves nothing. What does not fit into ``CACHE_KB`` of memory goes to the file; nothing is ever synced.
"""

from __future__ import annotations

from collections.abc import Collection

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
    engine = create_engine(
        "sqlite://", module=dbapi2, poolclass=StaticPool, creator=lambda: dbapi2.connect("", check_same_thread=False)
    )
    on_sqlite_connect(engine, [f"PRAGMA cache_size=-{CACHE_KB}", "PRAGMA journal_mode=MEMORY"], "BEGIN")
    return engine


def _created(engine: Engine, one: Table) -> str:
    """The statement; a table whose keys SQLite counts up itself needs its row ids."""
    statement = str(CreateTable(one).compile(dialect=engine.dialect))
    return statement if one.autoincrement_column is not None else f"{statement} WITHOUT ROWID"
