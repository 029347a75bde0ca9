"""Engines: SQLite (WAL, FULL, one writing and checkpointing connection) and PostgreSQL, behind one URL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError
from sqlalchemy.pool import QueuePool, StaticPool

from wanmi.errors import NeedsExtra, StoreError
from wanmi.models import Row, table
from wanmi.store.kept import Kept
from wanmi.store.schema import Migrated, migrate, prepare
from wanmi.store.writer import Boundary, Writer

T = TypeVar("T")
BUSY_SECONDS = 30
"""How long a connection waits for a lock."""
READERS = 32
"""Reading connections that are kept: opening one costs more than most questions; one that was never needed is never opened."""
RESTED_SECONDS = 1.0
"""A PostgreSQL reader that lay unused for longer is pinged before its next use."""
SCRUB_MS = 1000
"""How long ``scrub`` waits for readers: the writer waits with it."""
SAFE_SQLITE = (3, 51, 3)
"""Older SQLite has the WAL-reset bug (two connections that write or checkpoint at once)."""


class Store:
    """One node's database: ``write`` goes through the one writer, ``reader`` is query-only."""

    def __init__(self, url: str, writing: Engine, reading: Engine, writer: Writer) -> None:
        self.url = url
        self.writing = writing
        self.reading = reading
        self.writer = writer
        postgresql = reading.dialect.name == "postgresql"
        self._asking = reading.execution_options(isolation_level="AUTOCOMMIT") if postgresql else reading
        self._kept: dict[str, Kept[Any]] = {}

    @classmethod
    def open(
        cls, url: str, rows: Iterable[type[Row]], *, inline: bool = False, on_commit: Boundary | None = None
    ) -> Store:
        """Open (and create the tables of) the database at ``url``.

        ``sqlite:////dir/journal.db``, ``sqlite://`` (memory, for the simulator) or ``postgresql+psycopg://…``.
        ``inline`` runs the writer in the caller's thread. Raises StoreError, NeedsExtra.
        """
        writing, reading = _engines(url)
        try:
            prepare(writing, rows)
        except SQLAlchemyError as error:
            raise StoreError(f"database {_shown(url)}: cannot be opened: {error}") from error
        except StoreError as error:
            raise StoreError(f"database {_shown(url)}: {error}") from error
        return cls(url, writing, reading, Writer(writing, inline=inline, on_commit=on_commit))

    @classmethod
    def migrate(cls, url: str, rows: Iterable[type[Row]], refill: Callable[[Connection], object]) -> Migrated:
        """Bring the database of an older release to this one, in one transaction (see ``schema.migrate``)."""
        writing, reading = _engines(url)
        reading.dispose()
        try:
            return migrate(writing, rows, refill)
        except (SQLAlchemyError, StoreError) as error:
            raise StoreError(f"database {_shown(url)}: cannot be migrated, it stays as it was: {error}") from error
        finally:
            writing.dispose()

    @classmethod
    def reopen(cls, old: Store, *, on_commit: Boundary | None = None) -> Store:
        """The same database after a crash of its process: what was committed is there, nothing else."""
        return cls(old.url, old.writing, old.reading, Writer(old.writing, inline=True, on_commit=on_commit))

    @classmethod
    def open_to_read(cls, url: str) -> Store:
        """Open a database that may be damaged or somebody else's, to read only: no table is made."""
        writing, reading = _engines(url)
        writing.dispose()
        return cls(url, reading, reading, Writer(reading, inline=True))

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.writing.dialect.name

    @property
    def shown(self) -> str:
        """The URL for people: without its password."""
        return _shown(self.url)

    @contextmanager
    def reader(self) -> Iterator[Connection]:
        """A query-only connection with one snapshot for its whole use."""
        with self.reading.connect() as connection:
            yield connection

    @contextmanager
    def asker(self) -> Iterator[Connection]:
        """As ``reader``, for a single question: PostgreSQL is spared the round trips of a transaction around it."""
        with self._asking.connect() as connection:
            yield connection

    def kept(self, question: str, *of: type[Row]) -> Kept[Any]:
        """Answers to a question that are kept until one of the tables ``of`` changes; one for each question's name."""
        found = self._kept.get(question)
        if found is None:
            found = self._kept.setdefault(question, Kept(self.writer.changes, [table(row).name for row in of]))
        return found

    def write(self, work: Callable[[Connection], T]) -> Future[T]:
        """Run ``work`` in the one writer; the future resolves after the durable commit."""
        return self.writer.write(work)

    def scrub(self) -> bool:
        """Move SQLite's write-ahead log into the database and empty it, so that no overwritten page is left there.

        False when readers held it up (the next checkpoint does it) and for PostgreSQL, whose vacuum does it.
        """
        if self.dialect != "sqlite":
            return False
        connection = self.writing.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout={SCRUB_MS}")
            busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
            return busy is not None and busy[0] == 0
        finally:
            connection.close()

    def close(self) -> None:
        """Write what waits, checkpoint, close."""
        self.writer.close()
        self.reading.dispose()
        self.writing.dispose()


def _engines(url: str) -> tuple[Engine, Engine]:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engines(url, parsed.database)
    if parsed.get_backend_name() == "postgresql":
        return _postgresql_engines(url)
    raise StoreError(f"database {_shown(url)}: use sqlite:// or postgresql+psycopg://")


def _sqlite_engines(url: str, database: str | None) -> tuple[Engine, Engine]:
    try:
        from pysqlite3 import dbapi2
    except ImportError as error:
        raise NeedsExtra("edge", "pysqlite3") from error
    if dbapi2.sqlite_version_info < SAFE_SQLITE:
        raise StoreError(
            f"SQLite {dbapi2.sqlite_version} has the WAL-reset bug; install pysqlite3 with 3.51.3 or newer"
        )
    if not database or database == ":memory:":
        engine = create_engine(
            "sqlite://", module=dbapi2, poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
        on_sqlite_connect(engine, ["PRAGMA foreign_keys=ON"], "BEGIN")
        return engine, engine
    arguments: dict[str, Any] = {"check_same_thread": False, "timeout": float(BUSY_SECONDS), "cached_statements": 512}
    writing = create_engine(
        url, module=dbapi2, poolclass=QueuePool, pool_size=1, max_overflow=0, connect_args=arguments
    )
    on_sqlite_connect(
        writing,
        [
            "PRAGMA page_size=8192",
            "PRAGMA journal_mode=WAL",
            "PRAGMA wal_autocheckpoint=4000",
            "PRAGMA synchronous=FULL",
            "PRAGMA cache_size=-32000",
            "PRAGMA temp_store=MEMORY",
        ],
        "BEGIN IMMEDIATE",
    )
    reading = create_engine(
        url, module=dbapi2, poolclass=QueuePool, pool_size=READERS, max_overflow=8, connect_args=arguments
    )
    on_sqlite_connect(reading, ["PRAGMA query_only=ON", "PRAGMA cache_size=-8000"], "BEGIN")
    return writing, reading


def on_sqlite_connect(engine: Engine, pragmas: list[str], begin: str) -> None:
    """What each new connection of an engine says first, and how its transactions begin."""

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, so that it takes the lock we mean
        for pragma in pragmas:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def _postgresql_engines(url: str) -> tuple[Engine, Engine]:
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        raise NeedsExtra("postgresql", "psycopg") from error
    writing = create_engine(url, pool_size=1, max_overflow=0, pool_pre_ping=True)
    reading = create_engine(
        url,
        pool_size=READERS,
        max_overflow=8,
        isolation_level="REPEATABLE READ",  # one snapshot for a reader's whole use, as SQLite gives it
        connect_args={"options": "-c default_transaction_read_only=on"},
    )
    _ping_the_rested(reading)
    return writing, reading


def _ping_the_rested(engine: Engine) -> None:
    """Ask a connection that lay in the pool for a while whether its server is still there; a busy one costs no ping."""

    @event.listens_for(engine, "checkin")
    def returned(_connection: Any, record: Any) -> None:
        record.info["returned"] = monotonic()

    @event.listens_for(engine, "checkout")
    def taken(connection: Any, record: Any, _proxy: Any) -> None:
        if monotonic() - record.info.get("returned", monotonic()) > RESTED_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise DisconnectionError from error


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)
