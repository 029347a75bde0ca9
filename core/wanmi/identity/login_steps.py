"""Logging in by steps: password, then the one-time code where the person has a second factor or their post needs one.

Between the steps there is a ticket of five minutes: it opens nothing but the next step.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import BigInteger, Connection, Integer, String, delete, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.clock import SECOND
from wanmi.errors import NotAllowed
from wanmi.identity.codes import CodeDesk, code_state, confirm_enrolment, take_code
from wanmi.identity.locks import LockedOut, LockRule, locked_seconds, note_failure, note_success
from wanmi.identity.logins import LoginGate, log_in
from wanmi.identity.people import Desk, Person, PersonRow, find_password, person_of_row
from wanmi.identity.sessions import new_token
from wanmi.models import Row, mark, table

TICKET_LIFE = 300
"""Seconds from the password to the code."""
TRIES = 5
"""Codes that may be tried with one ticket."""
NOBODY = "nobody"
"""Counts the failures of logins that nobody has, so that those take as long as others."""
_LONGEST_TICKET = 100

Step = Literal["session", "code", "enrol"]


class TicketRow(Row):
    """Somebody who gave the right password and still owes a code; ``digest`` is the SHA-256 of the ticket. µs UTC."""

    __tablename__ = "login_ticket"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[str] = mapped_column(String(40))
    expires_at: Mapped[int] = mapped_column(BigInteger)
    tries: Mapped[int] = mapped_column(Integer)
    __table_args__ = mark("local")


@dataclass(frozen=True)
class LoginRules:
    """Posts that need a second factor, and when somebody is locked out."""

    code_posts: frozenset[str] = frozenset()
    lock: LockRule = field(default_factory=LockRule)


@dataclass(frozen=True)
class FirstStep:
    """What comes after the password: a session at once, or a code (with a ticket), or enrolment first."""

    person: Person
    then: Step
    ticket: str = ""


def give_password(
    desk: CodeDesk, gate: LoginGate, rules: LoginRules, *, login: str, password: str, address: str
) -> FirstStep:
    """The first step; NotAllowed as in ``log_in``, LockedOut for somebody who knows the password and is locked out.

    Whoever does not know it learns nothing of locks: the refusal is the same for all.
    """
    found = find_password(desk, login)
    person_id = found[0].id if found else ""
    wait = locked_seconds(desk, person_id) if person_id else 0
    try:
        person = log_in(desk, gate, login=login, password=password, address=address)
    except NotAllowed as refused:
        if type(refused) is NotAllowed:
            note_failure(desk, person_id if person_id and not wait else NOBODY, rules.lock)
        raise
    if wait:
        raise LockedOut(wait)
    then = next_step(desk, rules, person)
    if then == "session":
        note_success(desk, person.id)
        return FirstStep(person, then)
    return FirstStep(person, then, _new_ticket(desk, person.id))


def next_step(desk: Desk, rules: LoginRules, person: Person) -> Step:
    """What somebody with the right password still owes."""
    if code_state(desk, person.id) is not None:
        return "code"
    return "enrol" if rules.code_posts.intersection(person.posts) else "session"


def step_up(desk: CodeDesk, rules: LoginRules, person: Person, held: str, post: str) -> str:
    """The ticket that somebody in post ``held`` owes a code with before they go on in ``post``; empty where none is owed.

    A session tells only that a code was given by being in a post that needs one.
    """
    if post not in person.posts or post not in rules.code_posts or held in rules.code_posts:
        return ""
    return _new_ticket(desk, person.id, post)


def post_of(ticket: str) -> str | None:
    """The post that the session of a ticket begins in; None: the first of their posts."""
    return ticket.partition(".")[2] or None


def give_code(desk: CodeDesk, rules: LoginRules, ticket: str, code: str) -> Person:
    """The second step: the person, when the code fits; the ticket is used up then. NotAllowed otherwise."""
    person = _use_ticket(desk, ticket)
    if not take_code(desk, person.id, code):
        note_failure(desk, person.id, rules.lock)
        raise NotAllowed("the code does not fit, or was used already; take the next one")
    _end_ticket(desk, ticket)
    note_success(desk, person.id)
    return person


def give_first_code(desk: CodeDesk, ticket: str, code: str) -> tuple[Person, tuple[str, ...]]:
    """The second step of somebody who enrols while logging in: the person and their recovery codes."""
    person = _use_ticket(desk, ticket)
    recovery = confirm_enrolment(desk, person.id, code)
    _end_ticket(desk, ticket)
    note_success(desk, person.id)
    return person, recovery


def holder_of(desk: Desk, ticket: str) -> Person | None:
    """Whose ticket it is; None when it is unknown, expired, used up, or its person may not log in now."""
    if not ticket or len(ticket) > _LONGEST_TICKET:
        return None
    tickets, people = table(TicketRow), table(PersonRow)
    query = (
        select(people)
        .join(tickets, people.c.id == tickets.c.person)
        .where(tickets.c.digest == _digest(ticket), tickets.c.expires_at > desk.clock.now(), tickets.c.tries < TRIES)
        .where(people.c.active == 1)
    )
    with desk.store.reader() as tx:
        row = tx.execute(query).one_or_none()
    person = None if row is None else person_of_row(row)
    if person is None or not person.posts or locked_seconds(desk, person.id):
        return None
    return person


def _use_ticket(desk: Desk, ticket: str) -> Person:
    """The holder, with one try counted before the code is looked at."""
    person, tickets = holder_of(desk, ticket), table(TicketRow)

    def work(tx: Connection) -> bool:
        left = (tickets.c.digest == _digest(ticket)) & (tickets.c.tries < TRIES)
        return tx.execute(update(tickets).where(left).values(tries=tickets.c.tries + 1)).rowcount == 1

    if person is None or not desk.store.write(work).result():
        raise NotAllowed("the login took too long or too many tries; begin again with the password")
    return person


def _new_ticket(desk: Desk, person: str, post: str = "") -> str:
    """A ticket; the post stands at its end, where nobody can change it: the digest is of all."""
    ticket, now = new_token(desk) + (f".{post}" if post else ""), desk.clock.now()
    row = {"digest": _digest(ticket), "person": person, "expires_at": now + TICKET_LIFE * SECOND, "tries": 0}

    def work(tx: Connection) -> None:
        tickets = table(TicketRow)
        tx.execute(delete(tickets).where(tickets.c.expires_at <= now))
        tx.execute(insert(tickets).values(row))

    desk.store.write(work).result()
    return ticket


def _end_ticket(desk: Desk, ticket: str) -> None:
    tickets = table(TicketRow)
    desk.store.write(lambda tx: tx.execute(delete(tickets).where(tickets.c.digest == _digest(ticket)))).result()


def _digest(ticket: str) -> str:
    return hashlib.sha256(b"wanmi/ticket/1\n" + ticket.encode("utf-8", "replace")).hexdigest()
