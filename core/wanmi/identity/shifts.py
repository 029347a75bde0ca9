"""Shifts: who is on duty from when to when, in which post. A local table; who steps a case is in its entries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, Index, String, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.clock import SECOND
from wanmi.errors import BadInput, Conflict, NotFound
from wanmi.identity.people import Desk, Person, PersonRow, person_of_row
from wanmi.models import Row, mark, table

LONGEST = 24 * 3600 * SECOND
"""µs that a shift lasts at most."""


class ShiftRow(Row):
    """One shift of one person; from ``starts_at`` to before ``ends_at``, µs UTC."""

    __tablename__ = "shift"
    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    person: Mapped[str] = mapped_column(String(40))
    post: Mapped[str] = mapped_column(String(20))
    starts_at: Mapped[int] = mapped_column(BigInteger)
    ends_at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local", Index("shift_time", "starts_at", "ends_at"))


@dataclass(frozen=True)
class Shift:
    """A shift as lists show it; times µs UTC."""

    id: str
    login: str
    name: str
    post: str
    starts_at: int
    ends_at: int


def add_shift(desk: Desk, *, login: str, post: str, starts_at: int, ends_at: int) -> Shift:
    """Put a person on duty; BadInput for a bad time or a post not theirs, Conflict when they are on duty then."""
    if not 0 < ends_at - starts_at <= LONGEST or starts_at < 0:
        raise BadInput(f"shift of {login[:60]}: it ends after it starts, and lasts at most 24 hours")
    shift_id = "s" + desk.ids.token(6).hex()

    def work(tx: Connection) -> Person:
        person = _holder(tx, login, post)
        _check_free(tx, person, starts_at, ends_at)
        row = {"id": shift_id, "person": person.id, "post": post, "starts_at": starts_at, "ends_at": ends_at}
        tx.execute(insert(table(ShiftRow)).values(row))
        return person

    person = desk.store.write(work).result()
    return Shift(shift_id, person.login, person.name, post, starts_at, ends_at)


def remove_shift(desk: Desk, shift_id: str) -> None:
    """Take a shift off the roster; NotFound for an unknown id."""
    shifts = table(ShiftRow)

    def work(tx: Connection) -> None:
        if tx.execute(delete(shifts).where(shifts.c.id == shift_id)).rowcount == 0:
            raise NotFound(f"shift {shift_id[:40]}: no such shift; `wanmi people shifts` shows the ids")

    desk.store.write(work).result()


def list_shifts(desk: Desk, since: int, until: int) -> list[Shift]:
    """The shifts that touch the time from ``since`` to before ``until`` (µs UTC), by start."""
    shifts = table(ShiftRow)
    return _read(desk, (shifts.c.starts_at < until) & (shifts.c.ends_at > since))


def on_duty(desk: Desk, at: int, posts: Iterable[str] = ()) -> list[Shift]:
    """Who is on duty at a time (µs UTC), in one of the posts when some are named; locked-out people too."""
    shifts, wanted = table(ShiftRow), tuple(posts)
    during = (shifts.c.starts_at <= at) & (shifts.c.ends_at > at)
    return _read(desk, during & shifts.c.post.in_(wanted) if wanted else during)


def _read(desk: Desk, which: Any) -> list[Shift]:
    shifts, people = table(ShiftRow), table(PersonRow)
    query = (
        select(shifts, people.c.login, people.c.name)
        .join(people, people.c.id == shifts.c.person)
        .where(which, people.c.active == 1)
        .order_by(shifts.c.starts_at, people.c.login)
    )
    with desk.store.reader() as tx:
        return [Shift(row.id, row.login, row.name, row.post, row.starts_at, row.ends_at) for row in tx.execute(query)]


def _holder(tx: Connection, login: str, post: str) -> Person:
    people = table(PersonRow)
    row = tx.execute(select(people).where(people.c.login == login)).one_or_none()
    if row is None:
        raise NotFound(f"nobody here has the login {login[:60]}; `wanmi people list` shows who has one")
    person = person_of_row(row)
    if post not in person.posts:
        raise BadInput(f"{login} does not hold the post {post[:40]}; give it first, or name one of theirs")
    return person


def _check_free(tx: Connection, person: Person, starts_at: int, ends_at: int) -> None:
    shifts = table(ShiftRow).c
    overlaps = (shifts.person == person.id) & (shifts.starts_at < ends_at) & (shifts.ends_at > starts_at)
    if tx.execute(select(shifts.id).where(overlaps).limit(1)).first() is not None:
        raise Conflict(f"{person.login} is on duty in that time already; remove that shift first")
