"""Units: the departments whose cases their people see and step, and who belongs to which. Local tables.

A unit's code is the department's code in the entries; its name is for screens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import Connection, Integer, String, Text, delete, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.errors import BadInput, Conflict, NotFound
from wanmi.identity.people import Desk, PersonRow
from wanmi.identity.sessions import end_sessions_of
from wanmi.models import Row, mark, table

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
LONGEST_NAME = 200


class UnitRow(Row):
    """A department; ``active`` 0 once it is no longer given people."""

    __tablename__ = "unit"
    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    active: Mapped[int] = mapped_column(Integer)
    __table_args__ = mark("local")


class MemberRow(Row):
    """The one unit of a person."""

    __tablename__ = "unit_member"
    person: Mapped[str] = mapped_column(String(40), primary_key=True)
    unit: Mapped[str] = mapped_column(String(40))
    __table_args__ = mark("local")


@dataclass(frozen=True)
class Unit:
    """A department with the logins of its people."""

    code: str
    name: str
    active: bool
    members: tuple[str, ...] = ()


def add_unit(desk: Desk, *, code: str, name: str) -> Unit:
    """Add a department; BadInput for a bad code or name, Conflict for a code that is taken."""
    if not _CODE.fullmatch(code):
        raise BadInput(f"unit {code[:60]!r}: 1 to 40 of letters, digits, . _ -, beginning with a letter or digit")
    if not name.strip() or len(name) > LONGEST_NAME:
        raise BadInput(f"unit {code}: a name of 1 to {LONGEST_NAME} characters is needed (what the screens show)")
    units = table(UnitRow)

    def work(tx: Connection) -> None:
        if tx.execute(select(units.c.code).where(units.c.code == code)).one_or_none() is not None:
            raise Conflict(f"unit {code} is there already; choose another code")
        tx.execute(insert(units).values(code=code, name=name.strip(), active=1))

    desk.store.write(work).result()
    return Unit(code, name.strip(), active=True)


def set_unit_active(desk: Desk, code: str, active: bool) -> None:
    """Give a department people again, or no longer (those it has stay until moved). NotFound for an unknown code."""
    units = table(UnitRow)

    def work(tx: Connection) -> None:
        _known(tx, code)
        tx.execute(update(units).where(units.c.code == code).values(active=int(active)))

    desk.store.write(work).result()


def set_unit(desk: Desk, login: str, code: str | None) -> None:
    """Put a person into a department (None: into none) and end their sessions; NotFound for an unknown one."""
    members = table(MemberRow)

    def work(tx: Connection) -> None:
        person = person_id(tx, login)
        if code is not None and not _known(tx, code):
            raise BadInput(f"unit {code} is closed; open it first, or choose another")
        tx.execute(delete(members).where(members.c.person == person))
        if code is not None:
            tx.execute(insert(members).values(person=person, unit=code))
        end_sessions_of(tx, person)

    desk.store.write(work).result()


def list_units(desk: Desk) -> list[Unit]:
    """Every department, by code, with its people's logins."""
    units, members, people = table(UnitRow), table(MemberRow), table(PersonRow)
    named = select(members.c.unit, people.c.login).join(people, people.c.id == members.c.person)
    with desk.store.reader() as tx:
        found: dict[str, list[str]] = {}
        for row in tx.execute(named.order_by(people.c.login)):
            found.setdefault(row.unit, []).append(row.login)
        rows = tx.execute(select(units).order_by(units.c.code))
        return [Unit(row.code, row.name, bool(row.active), tuple(found.get(row.code, ()))) for row in rows]


def unit_of(desk: Desk, person: str) -> str | None:
    """The department's code of a person (by id); None when they belong to none."""
    unit: str | None = desk.store.kept("unit", MemberRow).get(
        person, desk.clock.monotonic(), lambda: _read_unit(desk, person)
    )
    return unit


def _read_unit(desk: Desk, person: str) -> str | None:
    members = table(MemberRow)
    with desk.store.reader() as tx:
        return tx.execute(select(members.c.unit).where(members.c.person == person)).scalar_one_or_none()


def _known(tx: Connection, code: str) -> bool:
    """Whether the unit takes people; NotFound when there is none."""
    units = table(UnitRow)
    active = tx.execute(select(units.c.active).where(units.c.code == code)).scalar_one_or_none()
    if active is None:
        raise NotFound(f"unit {code[:60]}: no such unit; `wanmi people units` lists them")
    return bool(active)


def person_id(tx: Connection, login: str) -> str:
    """The id of a login; NotFound when nobody has it."""
    people = table(PersonRow)
    found = tx.execute(select(people.c.id).where(people.c.login == login)).scalar_one_or_none()
    if found is None:
        raise NotFound(f"nobody here has the login {login[:60]}; `wanmi people list` shows who has one")
    return str(found)
