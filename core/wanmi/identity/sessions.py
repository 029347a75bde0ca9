"""Sessions of people at the web pages: random 256-bit tokens, kept here only as hashes, gone when they expire.

A token is made anew at every login and at every change of post, so that nobody can plant one beforehand. The token
that guards forms against forgery (CSRF) follows from the session's token and is never stored.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Index, Select, String, bindparam, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.clock import SECOND
from wanmi.errors import NotAllowed, NotFound
from wanmi.identity.people import POSTS, Desk, Person, PersonRow
from wanmi.models import Row, mark, table

LIFETIME = 12 * 3600
"""Seconds that a session lives: a shift and the way home."""
_LONGEST_TOKEN = 100
_ID_DIGITS = 16


class SessionRow(Row):
    """A live session; ``digest`` is the SHA-256 of its token. Times µs UTC."""

    __tablename__ = "session"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[str] = mapped_column(String(40))
    post: Mapped[str] = mapped_column(String(20))
    made_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local", Index("session_person", "person"))


@dataclass(frozen=True)
class Session:
    """Who holds a session, with the post held in it."""

    person: Person
    post: str
    expires_at: int


def new_token(desk: Desk) -> str:
    """256 random bits in base64url: a session's token, or a login form's."""
    return base64.urlsafe_b64encode(desk.ids.token(32)).rstrip(b"=").decode()


def csrf_of(token: str) -> str:
    """The form token that belongs to a session's (or a login form's) token."""
    return hashlib.sha256(b"wanmi/csrf/1\n" + token.encode()).hexdigest()


def csrf_fits(token: str | None, given: str | None) -> bool:
    """Whether a form's token belongs to the cookie's; False when either is missing."""
    return bool(token and given) and hmac.compare_digest(
        csrf_of(token or ""), (given or "").encode("ascii", "replace").decode()
    )


def start_session(
    desk: Desk, person: Person, post: str | None = None, *, replaces: str | None = None, lifetime: int = LIFETIME
) -> str:
    """Begin a session with one of the person's posts (the first when None) and return its token.

    ``replaces`` is a token whose session ends with this. NotAllowed for a post that is not theirs.
    """
    held = post or next(iter(person.posts), "")
    if held not in person.posts:
        raise NotAllowed(f"{person.login} does not hold the post {held or '(none)'}; an administrator can give it")
    token, now = new_token(desk), desk.clock.now()
    row = {
        "digest": _digest(token),
        "person": person.id,
        "post": held,
        "made_at": now,
        "expires_at": now + lifetime * SECOND,
    }

    def work(tx: Connection) -> None:
        sessions = table(SessionRow)
        tx.execute(delete(sessions).where(sessions.c.expires_at <= now))
        if replaces:
            tx.execute(delete(sessions).where(sessions.c.digest == _digest(replaces)))
        tx.execute(insert(sessions).values(row))

    desk.store.write(work).result()
    return token


def find_session(desk: Desk, token: str) -> Session | None:
    """The session with that token: None when it is unknown, expired, or its person may no longer log in."""
    if not token or len(token) > _LONGEST_TOKEN:
        return None
    digest = _digest(token)
    kept = desk.store.kept("session", SessionRow, PersonRow)
    session: Session | None = kept.get(digest, desk.clock.monotonic(), lambda: _read_session(desk, digest))
    return session if session is not None and session.expires_at > desk.clock.now() else None


def _read_session(desk: Desk, digest: str) -> Session | None:
    with desk.store.reader() as tx:
        row = tx.execute(_live_session(), {"digest": digest, "now": desk.clock.now()}).one_or_none()
    if row is None:
        return None
    posts = tuple(name for name in json.loads(row.posts) if name in POSTS)
    if row.post not in posts:
        return None
    return Session(Person(row.id, row.login, row.name, posts, active=True), row.post, row.expires_at)


@lru_cache(maxsize=1)
def _live_session() -> Select[Any]:
    """The question behind a session's first request, put together once."""
    sessions, people = table(SessionRow), table(PersonRow)
    live = (sessions.c.digest == bindparam("digest"), sessions.c.expires_at > bindparam("now"), people.c.active == 1)
    query = select(people, sessions.c.post, sessions.c.expires_at).join(people, people.c.id == sessions.c.person)
    return query.where(*live)


def end_session(desk: Desk, token: str) -> None:
    """Log out: the token is worthless from now on."""
    sessions = table(SessionRow)
    desk.store.write(lambda tx: _delete(tx, sessions.c.digest == _digest(token))).result()


def end_sessions_of(tx: Connection, person: str) -> None:
    """End every session of a person, within a write."""
    _delete(tx, table(SessionRow).c.person == person)


def _delete(tx: Connection, which: object) -> None:
    tx.execute(delete(table(SessionRow)).where(which))  # type: ignore[arg-type]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True)
class SessionLine:
    """A live session as lists show it: ``id`` names it without giving its token away. Times µs UTC."""

    id: str
    login: str
    post: str
    made_at: int
    expires_at: int


def list_sessions(desk: Desk, person: str | None = None) -> list[SessionLine]:
    """Live sessions, newest first; of one person (by id) when named."""
    sessions, people = table(SessionRow), table(PersonRow)
    query = (
        select(sessions, people.c.login)
        .join(people, people.c.id == sessions.c.person)
        .where(sessions.c.expires_at > desk.clock.now())
        .order_by(sessions.c.made_at.desc(), sessions.c.digest)
    )
    if person is not None:
        query = query.where(sessions.c.person == person)
    with desk.store.reader() as tx:
        return [
            SessionLine(row.digest[:_ID_DIGITS], row.login, row.post, row.made_at, row.expires_at)
            for row in tx.execute(query)
        ]


def revoke_session(desk: Desk, session_id: str, person: str | None = None) -> None:
    """End a session by its id from the list, only of one person (by id) when named; NotFound otherwise."""
    if len(session_id) != _ID_DIGITS or not set(session_id) <= set("0123456789abcdef"):
        raise NotFound(f"session {session_id[:40]}: no such session; the list shows the ids")
    sessions = table(SessionRow)
    which = sessions.c.digest.startswith(session_id, autoescape=True)
    if person is not None:
        which &= sessions.c.person == person

    def work(tx: Connection) -> None:
        if tx.execute(delete(sessions).where(which)).rowcount == 0:
            raise NotFound(f"session {session_id}: no such session; the list shows the ids")

    desk.store.write(work).result()
