"""Sessions: unguessable, hashed at rest, ended by time, logout, a new password, lost posts."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from wanmi.clock import SECOND, ManualClock
from wanmi.errors import NotAllowed
from wanmi.identity import Person, add_person, set_active, set_password, set_posts
from wanmi.identity.sessions import (
    LIFETIME,
    SessionRow,
    csrf_fits,
    csrf_of,
    end_session,
    find_session,
    start_session,
)
from wanmi.models import table
from wanmi.node import Node

PASSWORD = "correct horse battery"


@pytest.fixture
def person(node: Node) -> Person:
    return add_person(node, login="wang", name="王敏", posts=["operator", "shift_leader"], password=PASSWORD)


def held(node: Node) -> int:
    with node.store.reader() as tx:
        return int(tx.execute(select(func.count()).select_from(table(SessionRow))).scalar_one())


def advance(node: Node, seconds: float) -> None:
    assert isinstance(node.clock, ManualClock)
    node.clock.advance(int(seconds * SECOND))


def test_a_session_knows_its_person_and_post(node: Node, person: Person) -> None:
    session = find_session(node, start_session(node, person))
    assert session is not None
    assert (session.person, session.post) == (person, "operator")


def test_tokens_are_long_different_and_not_stored(node: Node, person: Person) -> None:
    tokens = {start_session(node, person) for _ in range(20)}
    assert len(tokens) == 20
    assert all(len(token) == 43 for token in tokens)
    with node.store.reader() as tx:
        stored = set(tx.execute(select(table(SessionRow).c.digest)).scalars())
    assert len(stored) == 20
    assert not tokens & stored


def test_a_session_ends_by_time(node: Node, person: Person) -> None:
    token = start_session(node, person)
    advance(node, LIFETIME - 1)
    assert find_session(node, token) is not None
    advance(node, 1)
    assert find_session(node, token) is None
    start_session(node, person)
    assert held(node) == 1, "the next login clears what expired"


def test_a_session_ends_by_logout(node: Node, person: Person) -> None:
    token, other = start_session(node, person), start_session(node, person)
    end_session(node, token)
    assert find_session(node, token) is None
    assert find_session(node, other) is not None


@pytest.mark.parametrize(
    "change",
    [
        lambda node: set_password(node, "wang", "another long password"),
        lambda node: set_active(node, "wang", active=False),
        lambda node: set_posts(node, "wang", ["operator"]),
    ],
)
def test_a_change_of_the_person_ends_their_sessions(node: Node, person: Person, change) -> None:  # type: ignore[no-untyped-def]
    token = start_session(node, person)
    change(node)
    assert find_session(node, token) is None
    assert held(node) == 0


def test_another_post_is_another_session(node: Node, person: Person) -> None:
    old = start_session(node, person)
    new = start_session(node, person, "shift_leader", replaces=old)
    assert find_session(node, old) is None
    session = find_session(node, new)
    assert session is not None
    assert session.post == "shift_leader"


def test_a_post_that_is_not_theirs_is_refused(node: Node, person: Person) -> None:
    with pytest.raises(NotAllowed, match="does not hold the post dispatcher"):
        start_session(node, person, "dispatcher")


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "x" * 10_000, "'; DROP TABLE session --"])
def test_unknown_tokens_are_nobody(node: Node, person: Person, token: str) -> None:
    start_session(node, person)
    assert find_session(node, token) is None


def test_the_form_token_belongs_to_its_session(node: Node, person: Person) -> None:
    one, other = start_session(node, person), start_session(node, person)
    assert csrf_fits(one, csrf_of(one))
    assert not csrf_fits(one, csrf_of(other))
    assert not csrf_fits(None, csrf_of(one))
    assert not csrf_fits(one, None)
    assert not csrf_fits("", csrf_of(""))
    assert not csrf_fits(one, "令牌")
    assert one not in csrf_of(one)
