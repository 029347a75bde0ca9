"""A machine's disk: the shipped store on a SQLite in memory, which survives what the machine does not.

A commit is durable here as it is with ``synchronous=FULL`` (tests/faults/test_wal.py shows that on files). The disk can
be copied, put back to an old copy, and be full: SQLite itself then refuses to write.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import StaticPool

from faults.casework import registry_for
from wanmi.kinds import Role
from wanmi.store import Store

UNBOUNDED = 1 << 30
"""Pages that a disk has room for while it is not full."""


class _Standing:
    """Reading without a new connection and BEGIN for each question: half of a run's time would go there."""

    def __init__(self, raw: Any) -> None:
        engine = create_engine("sqlite://", module=dbapi2, poolclass=StaticPool, creator=lambda: raw)
        self.dialect = engine.dialect
        self._connection = engine.connect()

    def connect(self) -> _Standing:
        """The connection that stands."""
        return self

    def __enter__(self) -> Connection:
        """Use it."""
        return self._connection

    def __exit__(self, *_: object) -> None:
        """Leave it as it is."""


class Disk:
    """One machine's database."""

    def __init__(self, store: Store) -> None:
        self.raw: Any = store.writing.raw_connection().driver_connection
        self.store = Store(store.url, store.writing, _Standing(self.raw), store.writer)  # type: ignore[arg-type]

    def reopen(self, on_commit: Callable[[str], None] | None = None) -> Store:
        """The store of a process that starts on this disk; the one before it looks at no statement any more."""
        engine, told = self.store.writing, "before_cursor_execute"
        event.remove(engine, told, self.store.writer.changes._executed)
        self.store = Store.reopen(self.store, on_commit=on_commit)
        return self.store

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a question, past SQLAlchemy: the watch asks at every step."""
        rows: list[tuple[Any, ...]] = self.raw.execute(sql, values).fetchall()
        return rows

    def copy(self) -> Any:
        """The disk as it is now."""
        copy = dbapi2.connect(":memory:", check_same_thread=False)
        self.raw.backup(copy)
        return copy

    def put_back(self, copy: Any) -> None:
        """The disk as it was when the copy was made."""
        self.lift()
        copy.backup(self.raw)

    def fill(self) -> None:
        """No room for another page from now on."""
        self.raw.execute(f"PRAGMA max_page_count = {self.ask('PRAGMA page_count')[0][0]}").fetchall()

    def lift(self) -> None:
        """Room again."""
        self.raw.execute(f"PRAGMA max_page_count = {UNBOUNDED}").fetchall()


class FileDisk(Disk):
    """The same on a file, as a node has it: what happens in memory must happen here."""

    def __init__(self, path: Path, role: Role) -> None:
        self.store = Store.open(f"sqlite:///{path}", registry_for(role).rows.values(), inline=True)
        self.raw = dbapi2.connect(str(path), check_same_thread=False)


@lru_cache(maxsize=64)
def _made(code: str, role: Role) -> tuple[Disk, Any]:
    disk = Disk(Store.open("sqlite://", registry_for(role).rows.values(), inline=True))
    return disk, disk.copy()


def blank_disk(code: str, role: Role) -> Disk:
    """An empty disk; made once and wiped for each run, so that SQLAlchemy keeps what it has compiled."""
    disk, blank = _made(code, role)
    disk.put_back(blank)
    return disk
