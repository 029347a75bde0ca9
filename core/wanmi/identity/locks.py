"""Lock-out: after many failed passwords in a row a login is closed for a time; an administrator can open it again.

LoginGate (wanmi.identity.logins) slows guessing by address, in memory; this counts by person, in the database, so that
neither a restart nor many addresses help. An administrator may also lock somebody until a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import BigInteger, Connection, Integer, String, Text, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.clock import SECOND
from wanmi.errors import BadInput, NotAllowed
from wanmi.identity.people import Desk, PersonRow
from wanmi.identity.sessions import end_sessions_of
from wanmi.identity.units import person_id
from wanmi.models import Row, mark, table
from wanmi.store import upsert_rows

LONGEST_LOCK = 366 * 24 * 3600


class LockRow(Row):
    """Failures in a row of a person, and until when they are locked out (0: they are not). µs UTC."""

    __tablename__ = "person_lock"
    person: Mapped[str] = mapped_column(String(40), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    locked_at: Mapped[int] = mapped_column(BigInteger)
    locked_until: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    __table_args__ = mark("local")


@dataclass(frozen=True)
class Lock:
    """A person who is locked out; times µs UTC."""

    login: str
    locked_at: int
    locked_until: int
    reason: str


@dataclass(frozen=True)
class LockRule:
    """After how many failures in a row somebody is locked out, and for how many seconds."""

    failures: int = 20
    seconds: int = 1800


class LockedOut(NotAllowed):
    """The person is locked out; ``wait`` is how many seconds it still lasts."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"this login is locked for {wait} more seconds; an administrator can release it")
        self.wait = wait


def locked_seconds(desk: Desk, person: str) -> int:
    """Seconds that a person (by id) is still locked out; 0 when they are not."""
    locks = table(LockRow)
    with desk.store.reader() as tx:
        until = tx.execute(select(locks.c.locked_until).where(locks.c.person == person)).scalar_one_or_none() or 0
    return max(0, -(-(until - desk.clock.now()) // SECOND))


def note_failure(desk: Desk, person: str, rule: LockRule) -> None:
    """One more wrong password or code; the last one allowed locks the person out and begins the count anew."""
    now = desk.clock.now()

    def work(tx: Connection) -> None:
        locks = table(LockRow)
        row = tx.execute(select(locks).where(locks.c.person == person)).one_or_none()
        failures = 1 if row is None else row.failures + 1
        if failures < rule.failures:
            kept = (0, 0, "") if row is None else (row.locked_at, row.locked_until, row.reason)
            upsert_rows(tx, LockRow, [(person, failures, *kept)])
            return
        upsert_rows(tx, LockRow, [(person, 0, now, now + rule.seconds * SECOND, "too many failed logins")])

    desk.store.write(work).result()


def note_success(desk: Desk, person: str) -> None:
    """A whole login went well: failures are forgotten (nothing is written when there were none)."""
    locks = table(LockRow)
    with desk.store.reader() as tx:
        if tx.execute(select(locks.c.person).where(locks.c.person == person)).one_or_none() is None:
            return
    desk.store.write(lambda tx: _forget(tx, person)).result()


def lock_person(
    desk: Desk, login: str, seconds: int, reason: str = "", also: Callable[[Connection, Lock], None] | None = None
) -> Lock:
    """Lock somebody out for a time and end their sessions, with the writes of ``also``; NotFound for an unknown login."""
    if not 0 < seconds <= LONGEST_LOCK:
        raise BadInput(f"lock of {login[:60]}: 1 second to a year; to close a login for good, use `wanmi people lock`")
    now = desk.clock.now()
    lock = Lock(login, now, now + seconds * SECOND, reason.strip()[:200] or "by an administrator")

    def work(tx: Connection) -> None:
        person = person_id(tx, login)
        upsert_rows(tx, LockRow, [(person, 0, now, lock.locked_until, lock.reason)])
        end_sessions_of(tx, person)
        if also is not None:
            also(tx, lock)

    desk.store.write(work).result()
    return lock


def release_person(desk: Desk, login: str) -> None:
    """Open a login that was locked out; NotFound for an unknown one. Nothing happens when it was open."""
    desk.store.write(lambda tx: _forget(tx, person_id(tx, login))).result()


def list_locks(desk: Desk) -> list[Lock]:
    """Who is locked out now, by login."""
    locks, people = table(LockRow), table(PersonRow)
    query = (
        select(locks, people.c.login)
        .join(people, people.c.id == locks.c.person)
        .where(locks.c.locked_until > desk.clock.now())
        .order_by(people.c.login)
    )
    with desk.store.reader() as tx:
        return [Lock(row.login, row.locked_at, row.locked_until, row.reason) for row in tx.execute(query)]


def _forget(tx: Connection, person: str) -> None:
    tx.execute(delete(table(LockRow)).where(table(LockRow).c.person == person))
