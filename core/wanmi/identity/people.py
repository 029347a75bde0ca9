"""People and their posts: a local table, never journaled; entries name a person by an opaque id only.

Posts are those of the two-tier platform (the city's and the districts'); each stands on one of the two axes, and
nobody may hold posts on both: who supervises does not command.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Protocol

from sqlalchemy import BigInteger, Connection, Integer, String, Text, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.clock import Clock
from wanmi.errors import BadInput, Conflict, NotFound
from wanmi.ids import Ids
from wanmi.models import Row, mark, table

if TYPE_CHECKING:
    from argon2 import PasswordHasher

    from wanmi.store import Store

Axis = Literal["supervision", "command", "none"]
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")


@dataclass(frozen=True)
class Post:
    """A post: its words, its axis (监督轴, 指挥轴 or neither), and whether it may open sealed evidence."""

    name: str
    zh: str
    en: str
    axis: Axis
    opens_sealed: bool = True


POSTS: Mapping[str, Post] = MappingProxyType(
    {
        post.name: post
        for post in (
            Post("collector", "信息采集员", "Collector", "supervision", opens_sealed=False),
            Post("operator", "坐席员", "Operator", "supervision"),
            Post("shift_leader", "值班长", "Shift leader", "supervision"),
            Post("dispatcher", "派遣员", "Dispatcher", "command"),
            Post("department", "专业部门", "Department", "command"),
            Post("assessor", "考评员", "Assessor", "supervision"),
            Post("supervisor", "督察员", "Supervisor", "supervision"),
            Post("technician", "运维员", "Technician", "none", opens_sealed=False),
            Post("administrator", "管理员", "Administrator", "none"),
        )
    }
)
"""The posts of the seed text and CJ/T 292: city 考评员 坐席员 派遣员, district 信息采集员 坐席员 值班长 派遣员;
运维员 keeps devices and nodes running and touches no case."""


class Desk(Protocol):
    """What identity needs of a node: its local tables, its time, its randomness."""

    store: Store
    clock: Clock
    ids: Ids


class PersonRow(Row):
    """A person who may log in here. ``posts`` is a JSON list, ``password`` an argon2id hash; times µs UTC."""

    __tablename__ = "person"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    login: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(Text)
    posts: Mapped[str] = mapped_column(Text)
    password: Mapped[str] = mapped_column(Text)
    active: Mapped[int] = mapped_column(Integer)
    made_at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local")


@dataclass(frozen=True)
class Person:
    """A person as the rest of the node sees them: no password in it."""

    id: str
    login: str
    name: str
    posts: tuple[str, ...]
    active: bool


def add_person(desk: Desk, *, login: str, name: str, posts: Iterable[str], password: str) -> Person:
    """Add somebody who may log in; BadInput for a bad login, post or password, Conflict for a login that is taken."""
    wanted = check_posts(posts)
    if not _LOGIN.fullmatch(login):
        raise BadInput(f"login {login!r}: 2 to 40 of a-z 0-9 . _ -, beginning with a letter or digit")
    if not name.strip():
        raise BadInput(f"login {login}: a name is needed (what the screens show)")
    hashed = hash_password(login, password)
    person = Person("p-" + desk.ids.token(10).hex(), login, name.strip(), wanted, active=True)
    made_at = desk.clock.now()
    desk.store.write(lambda tx: _insert(tx, person, hashed, made_at)).result()
    return person


def set_password(desk: Desk, login: str, password: str) -> None:
    """Give a person a new password and end their sessions; NotFound for an unknown login."""
    hashed = hash_password(login, password)
    desk.store.write(lambda tx: _change(tx, login, password=hashed)).result()


def set_active(desk: Desk, login: str, active: bool) -> None:
    """Let a person log in or no longer; their sessions end either way. NotFound for an unknown login."""
    desk.store.write(lambda tx: _change(tx, login, active=int(active))).result()


def set_posts(desk: Desk, login: str, posts: Iterable[str]) -> None:
    """Give a person other posts and end their sessions; BadInput as in ``add_person``."""
    wanted = json.dumps(check_posts(posts))
    desk.store.write(lambda tx: _change(tx, login, posts=wanted)).result()


def list_people(desk: Desk) -> list[Person]:
    """Everybody, by login."""
    people = table(PersonRow)
    with desk.store.reader() as tx:
        return [person_of_row(row) for row in tx.execute(select(people).order_by(people.c.login))]


def names_of(desk: Desk, ids: Iterable[str]) -> dict[str, str]:
    """Names by person id, for screens; ids that are not people of this node are left out."""
    people = table(PersonRow)
    query = select(people.c.id, people.c.name).where(people.c.id.in_(sorted(set(ids))))
    with desk.store.reader() as tx:
        return {row.id: row.name for row in tx.execute(query)}


def check_posts(posts: Iterable[str]) -> tuple[str, ...]:
    """The posts, each known and together on one axis; BadInput otherwise."""
    wanted = tuple(dict.fromkeys(posts))
    unknown = [name for name in wanted if name not in POSTS]
    if unknown or not wanted:
        raise BadInput(f"posts {', '.join(unknown) or '(none)'}: name at least one of {', '.join(POSTS)}")
    if {"supervision", "command"} <= {POSTS[name].axis for name in wanted}:
        raise BadInput(
            f"posts {', '.join(wanted)}: one person stands on one axis, supervision or command; "
            "give the posts to two people"
        )
    return wanted


def hash_password(login: str, password: str) -> str:
    """The argon2id hash to store; BadInput when the password is too short, too long or the login itself."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD or password.lower() == login.lower():
        raise BadInput(
            f"password of {login}: {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters, and not the login itself"
        )
    return _hasher().hash(password)


def find_password(desk: Desk, login: str) -> tuple[Person, str] | None:
    """The person with that login and their hash; None when there is nobody."""
    people = table(PersonRow)
    with desk.store.reader() as tx:
        row = tx.execute(select(people).where(people.c.login == login)).one_or_none()
    return None if row is None else (person_of_row(row), str(row.password))


def password_fits(hashed: str | None, password: str) -> bool:
    """Whether the password belongs to the hash. None takes as long as a wrong password and never fits."""
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        _hasher().verify(hashed or _nobodys_hash(), password[: LONGEST_PASSWORD + 1])
    except (VerificationError, InvalidHashError):
        return False
    return hashed is not None


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _hasher().hash("nobody has this password")


def _insert(tx: Connection, person: Person, hashed: str, made_at: int) -> None:
    people = table(PersonRow)
    if tx.execute(select(people.c.id).where(people.c.login == person.login)).one_or_none() is not None:
        raise Conflict(f"login {person.login} is taken; choose another or set that person's password")
    tx.execute(
        insert(people).values(
            id=person.id,
            login=person.login,
            name=person.name,
            posts=json.dumps(person.posts),
            password=hashed,
            active=1,
            made_at=made_at,
        )
    )


def _change(tx: Connection, login: str, **values: str | int) -> None:
    from wanmi.identity.sessions import end_sessions_of

    people = table(PersonRow)
    found = tx.execute(select(people.c.id).where(people.c.login == login)).scalar_one_or_none()
    if found is None:
        raise NotFound(f"nobody here has the login {login}; `wanmi people list` shows who has one")
    tx.execute(update(people).where(people.c.id == found).values(**values))
    end_sessions_of(tx, found)


def person_of_row(row: Any) -> Person:
    """A row of ``person`` as the rest of the node sees it."""
    posts = tuple(name for name in json.loads(row.posts) if name in POSTS)
    return Person(row.id, row.login, row.name, posts, bool(row.active))
