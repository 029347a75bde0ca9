"""The terminal's memory: one SQLite file that holds every report until it is safe.

    new      durable here, nobody has said that he has it
    kept     the edge has it on its disk
    (gone)   the district countersigned: the report and its parts are deleted, the receipt stays as evidence
    refused  it will not be taken as it is; stays, with the reason, until a person sends it again or deletes it

Every change is one transaction with synchronous=FULL: what was answered here survives a pulled battery.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from wanmi.errors import StoreError
from wanmi.reports import Receipt, encode_receipt

State = Literal["new", "kept", "safe", "refused"]
ANSWER = "answer"
"""The kind under which an answer to a task lies among the reports: it is kept, sent and forgotten as they are."""
KEEP_RECEIPTS = 100_000
"""How many last safe receipts are kept as evidence."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS report (
    n INTEGER PRIMARY KEY AUTOINCREMENT, report_id TEXT NOT NULL UNIQUE, made_at INTEGER NOT NULL,
    kind TEXT NOT NULL, category TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('new', 'kept', 'refused')),
    reason TEXT, edge TEXT, answered_at INTEGER, payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS part (digest TEXT PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS report_part (
    report_id TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (report_id, digest)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS part_use ON report_part (digest);
CREATE TABLE IF NOT EXISTS safe (n INTEGER PRIMARY KEY AUTOINCREMENT, report_id TEXT NOT NULL UNIQUE, receipt BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS task (
    task_id TEXT PRIMARY KEY, n INTEGER NOT NULL, state TEXT NOT NULL, deadline INTEGER NOT NULL, payload BLOB NOT NULL,
    report_id TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS track (n INTEGER PRIMARY KEY AUTOINCREMENT, payload BLOB NOT NULL);
"""


@dataclass(frozen=True)
class SignedReport:
    """A report ready to be kept and sent: the MQTT payload, and the parts that travel apart (photos)."""

    report_id: str
    made_at: int
    kind: str
    category: str
    payload: bytes
    parts: Mapping[str, bytes]


@dataclass(frozen=True)
class Held:
    """A report in the spool, as far as lists need it; ``n`` is the order in which reports were made."""

    n: int
    report_id: str
    made_at: int
    kind: str
    category: str
    state: State
    reason: str | None
    edge: str | None


@dataclass(frozen=True)
class Counts:
    """How many reports are in which state; ``safe`` counts since the terminal was set up."""

    new: int = 0
    kept: int = 0
    refused: int = 0
    safe: int = 0

    @property
    def unsafe(self) -> int:
        """Reports that still wait for somebody."""
        return self.new + self.kept

    def after(self, changes: Iterable[Change]) -> Counts:
        """The counts when these changes have happened."""
        counts = {"new": self.new, "kept": self.kept, "refused": self.refused, "safe": self.safe}
        for change in changes:
            counts[change.old] -= 1
            counts[change.new] += 1
        return Counts(**counts)


@dataclass(frozen=True)
class Change:
    """A report went from one state to another."""

    old: State
    new: State


_HELD = "SELECT n, report_id, made_at, kind, category, state, reason, edge FROM report"


class Spool:
    """The reports on disk. May be used by several threads, and by several processes (one of which sends)."""

    def __init__(self, path: Path) -> None:
        from pysqlite3 import dbapi2

        self._failure: type[Exception] = dbapi2.Error
        self._lock = threading.RLock()
        try:
            path.touch(mode=0o600)
            self._db = dbapi2.connect(str(path), isolation_level=None, check_same_thread=False, timeout=10)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
                self._db.execute(f"PRAGMA {pragma}").fetchall()
            self._db.executescript(_SCHEMA)
            self._version = self._db.execute("PRAGMA data_version").fetchone()[0]
        except (dbapi2.Error, OSError) as error:
            raise StoreError(f"spool {path}: {error}; check the disk and the file's rights") from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def add(self, reports: Sequence[SignedReport], also: Callable[[Any], None] | None = None) -> None:
        """Keep reports as new: on disk when this returns, with what ``also`` writes in the same transaction."""
        rows = [(r.report_id, r.made_at, r.kind, r.category, r.payload) for r in reports]
        parts = [(digest, content) for r in reports for digest, content in r.parts.items()]
        uses = [(r.report_id, digest) for r in reports for digest in r.parts]
        with self.changing() as db:
            db.executemany("INSERT OR IGNORE INTO part VALUES (?, ?)", parts)
            db.executemany("INSERT INTO report_part VALUES (?, ?)", uses)
            db.executemany(
                "INSERT INTO report (report_id, made_at, kind, category, state, payload) VALUES (?, ?, ?, ?, 'new', ?)",
                rows,
            )
            if also is not None:
                also(db)

    def apply(self, receipts: Iterable[Receipt], now: int) -> dict[str, Change]:
        """Bring reports to the state that valid receipts say, in one transaction; what changed, by report id.

        ``safe`` receipts must have been checked before. A report that one edge keeps is not refused any more by
        another; a passing refusal leaves the report new, with the reason shown.
        """
        changes: dict[str, Change] = {}
        with self.changing() as db:
            for receipt in receipts:
                change = self._apply_one(db, receipt, now)
                if change is not None and receipt.report_id is not None:
                    before = changes.get(receipt.report_id, change)
                    changes[receipt.report_id] = Change(before.old, change.new)
        return changes

    def send_again(self, report_ids: Sequence[str], now: int) -> None:
        """Make refused reports new again, by a person's wish."""
        with self.changing() as db:
            db.executemany(
                "UPDATE report SET state = 'new', reason = NULL, answered_at = ? WHERE report_id = ? AND state = 'refused'",
                [(now, report_id) for report_id in report_ids],
            )

    def discard(self, report_ids: Sequence[str]) -> None:
        """Delete refused reports, by a person's wish; reports in other states stay."""
        refused = {held.report_id for held in self.held("refused")}
        with self.changing() as db:
            for report_id in refused.intersection(report_ids):
                self._delete(db, report_id)

    def held(self, *states: State, after: int = 0, limit: int = -1) -> list[Held]:
        """Reports in the order in which they were made: those after number ``after``, in these states (all if none)."""
        chosen = states or ("new", "kept", "refused")
        where = f" WHERE n > ? AND state IN ({', '.join('?' * len(chosen))}) ORDER BY n LIMIT ?"
        return [Held(*row) for row in self.rows(_HELD + where, (after, *chosen, limit))]

    def counts(self) -> Counts:
        """How many reports are in which state."""
        with self._lock:
            states = dict(self.rows("SELECT state, count(*) FROM report GROUP BY state"))
            safe = self.rows("SELECT coalesce(max(n), 0) FROM safe")[0][0]
        return Counts(states.get("new", 0), states.get("kept", 0), states.get("refused", 0), safe)

    def changed_elsewhere(self) -> bool:
        """Whether another process has changed the spool since this was last asked."""
        version = self.rows("PRAGMA data_version")[0][0]
        before, self._version = self._version, version
        return bool(version != before)

    def payload(self, report_id: str) -> bytes | None:
        """The message of a report, or None when it is gone."""
        rows = self.rows("SELECT payload FROM report WHERE report_id = ?", (report_id,))
        return bytes(rows[0][0]) if rows else None

    def is_answer(self, report_id: str) -> bool:
        """Whether what lies under this id answers a task: it goes out on another topic."""
        return bool(self.rows("SELECT 1 FROM report WHERE report_id = ? AND kind = ?", (report_id, ANSWER)))

    def parts(self, report_id: str) -> list[str]:
        """Digests of the parts of a report that travel apart."""
        return [row[0] for row in self.rows("SELECT digest FROM report_part WHERE report_id = ?", (report_id,))]

    def part(self, digest: str) -> bytes | None:
        """The content of a part, or None when it is gone."""
        rows = self.rows("SELECT content FROM part WHERE digest = ?", (digest,))
        return bytes(rows[0][0]) if rows else None

    def receipt(self, report_id: str) -> bytes | None:
        """The safe receipt of a report that is gone, as evidence."""
        rows = self.rows("SELECT receipt FROM safe WHERE report_id = ?", (report_id,))
        return bytes(rows[0][0]) if rows else None

    def _apply_one(self, db: Any, receipt: Receipt, now: int) -> Change | None:
        row = db.execute("SELECT state FROM report WHERE report_id = ?", (receipt.report_id,)).fetchone()
        if row is None or receipt.status == "want":
            return None
        if receipt.status == "safe":
            self._forget(db, receipt)
            return Change(row[0], "safe")
        state = _next_state(row[0], receipt)
        if state is not None:
            db.execute(
                "UPDATE report SET state = ?, reason = ?, edge = ?, answered_at = ? WHERE report_id = ?",
                (state, receipt.reason, receipt.edge, now, receipt.report_id),
            )
        return Change(row[0], state) if state is not None else None

    def _forget(self, db: Any, receipt: Receipt) -> None:
        self._delete(db, receipt.report_id)
        db.execute(
            "INSERT OR IGNORE INTO safe (report_id, receipt) VALUES (?, ?)",
            (receipt.report_id, encode_receipt(receipt)),
        )
        db.execute("DELETE FROM safe WHERE n <= (SELECT max(n) FROM safe) - ?", (KEEP_RECEIPTS,))

    def _delete(self, db: Any, report_id: str | None) -> None:
        parts = db.execute("SELECT digest FROM report_part WHERE report_id = ?", (report_id,)).fetchall()
        db.execute("DELETE FROM report_part WHERE report_id = ?", (report_id,))
        for (digest,) in parts:
            db.execute(
                "DELETE FROM part WHERE digest = ?1 AND NOT EXISTS (SELECT 1 FROM report_part WHERE digest = ?1)",
                (digest,),
            )
        db.execute("DELETE FROM report WHERE report_id = ?", (report_id,))

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Any]:
        """What a query finds; StoreError when the file cannot be read. For the modules that keep tables of theirs here."""
        with self._lock:
            try:
                return list(self._db.execute(sql, values).fetchall())
            except self._failure as error:
                raise StoreError(f"spool cannot be read: {error}") from error

    @contextmanager
    def changing(self) -> Iterator[Any]:
        """One transaction: on disk when the block ends. StoreError when it cannot be written."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield self._db
                except BaseException:
                    self._db.execute("ROLLBACK")
                    raise
                self._db.execute("COMMIT")
            except self._failure as error:
                raise StoreError(
                    f"spool cannot be written: {error}; free some space or check the file's rights"
                ) from error


def _next_state(state: str, receipt: Receipt) -> State | None:
    """The state after a kept or refused receipt; None when it changes nothing."""
    if receipt.status == "kept":
        return "kept" if state != "kept" else None
    if state == "kept":
        return None
    return "new" if receipt.passing else "refused"
