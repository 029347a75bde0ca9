"""A whole copy of a live database as it was at one moment, while others write to it.

SQLite: its backup API, some pages at a time, within one reading transaction, so that writers neither wait nor make it
begin anew; the write-ahead log grows meanwhile. PostgreSQL: ``pg_dump`` of an exported snapshot. What is listed of the
copy is read in the same snapshot.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, select, text
from sqlalchemy.engine import make_url

from wanmi.errors import NotFound, StoreError
from wanmi.journal.rows import newest
from wanmi.models import BlobRow, table
from wanmi.store import Store, schema_of

PAGES = 1000
"""Pages of 8 KiB between two looks at whether to go on."""
DUMP_POLL = 0.2
"""Seconds between two looks at a running ``pg_dump``."""
Told = Callable[[int, int], None]
"""Told (pages done, pages in all); raises to stop the work."""


class Held:
    """What a copy holds: its schema, its chains (seq, hash), the blobs that lie in files of their own."""

    def __init__(self, connection: Connection) -> None:
        self.schema = schema_of(connection) or 0
        self.chains = {str(origin): (int(seq), bytes(hash_).hex()) for origin, seq, hash_, _ in newest(connection)}
        blob = table(BlobRow).c
        self.blobs = list(
            connection.execute(select(blob.blob).where(blob.data.is_(None)).order_by(blob.blob)).scalars()
        )


@contextmanager
def copied(store: Store, beside: Path, told: Told) -> Iterator[tuple[str, Path, Held]]:
    """The copy's name in an archive, its file beside that archive, and what it holds; the file is gone afterwards.

    One that a killed process left has the same name and is written over.
    """
    name = "journal.db" if store.dialect == "sqlite" else "journal.pg_dump"
    path = beside.with_name(f".{beside.name}.{name}")
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        held = _copy_sqlite(store, path, told) if store.dialect == "sqlite" else _dump(store, path, told)
        yield name, path, held
    finally:
        path.unlink(missing_ok=True)


def _copy_sqlite(store: Store, path: Path, told: Told) -> Held:
    from pysqlite3 import dbapi2

    with closing(dbapi2.connect(path)) as target:
        lent = store.reading.raw_connection()
        try:
            source = lent.driver_connection
            assert source is not None  # noqa: S101 - it was lent a moment ago
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM wanmi_schema").fetchone()  # the snapshot is taken by the first read
            source.backup(target, pages=PAGES, progress=lambda _, left, total: told(total - left, total))
            source.execute("ROLLBACK")
        finally:
            lent.close()
        target.execute("PRAGMA journal_mode=DELETE")
    copy = Store.open_to_read(f"sqlite:///{path}")
    try:
        with copy.reader() as connection:
            return Held(connection)
    finally:
        copy.close()


def _dump(store: Store, path: Path, told: Told) -> Held:
    with store.reader() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        held = Held(connection)
        _run("pg_dump", ["--format=custom", "--no-owner", f"--snapshot={snapshot}", f"--file={path}"], store.url, told)
        return held


def restore_postgresql(path: Path, url: str, told: Told) -> None:
    """Load a dump into the empty database at ``url``, all of it or nothing; StoreError otherwise."""
    store = Store.open_to_read(url)
    try:
        with store.reader() as connection:
            if schema_of(connection) is not None:
                raise StoreError(f"database {store.shown}: a node's tables are in it; give an empty one")
    finally:
        store.close()
    arguments = ["--single-transaction", "--exit-on-error", "--no-owner", f"--dbname={_plain(url)[0]}", str(path)]
    _run("pg_restore", arguments, url, told, named=True)


def _run(program: str, arguments: list[str], url: str, told: Told, *, named: bool = False) -> None:
    """Run one of PostgreSQL's programs; the password goes by the environment, where no list of processes shows it."""
    plain, password = _plain(url)
    environment = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    command = [program, *arguments] if named else [program, *arguments, plain]
    try:
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    except FileNotFoundError as error:
        raise NotFound(f"{program} is not installed: install PostgreSQL's client programs") from error
    try:
        said = _said(process, told)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    if process.returncode:
        raise StoreError(f"{program}: {' '.join(said.split())[:500]}")


def _said(process: subprocess.Popen[str], told: Told) -> str:
    """What the program wrote to standard error, once it has ended."""
    while True:
        try:
            return process.communicate(timeout=DUMP_POLL)[1]
        except subprocess.TimeoutExpired:
            told(0, 0)


def _plain(url: str) -> tuple[str, str]:
    """The URL as libpq takes it, without its password; the password."""
    parsed = make_url(url)
    shown = parsed.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    return shown, str(parsed.password or "")
