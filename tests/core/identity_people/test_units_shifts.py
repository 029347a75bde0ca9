"""Units and shifts: added, joined, refused with a reason; sessions listed and ended."""

from __future__ import annotations

import pytest

from wanmi.clock import SECOND, ManualClock
from wanmi.errors import BadInput, Conflict, NotFound
from wanmi.identity import (
    Person,
    add_person,
    add_shift,
    add_unit,
    list_shifts,
    list_units,
    on_duty,
    remove_shift,
    set_active,
    set_unit,
)
from wanmi.identity.sessions import find_session, list_sessions, revoke_session, start_session
from wanmi.identity.units import set_unit_active, unit_of
from wanmi.node import Node

PASSWORD = "correct horse battery"
HOUR = 3600 * SECOND


@pytest.fixture
def person(node: Node) -> Person:
    add_unit(node, code="roads", name=" 市政 ")
    return add_person(node, login="wang", name="王敏", posts=["department"], password=PASSWORD)


def test_a_person_is_in_one_unit(node: Node, person: Person) -> None:
    add_unit(node, code="parks", name="园林")
    set_unit(node, "wang", "roads")
    token = start_session(node, person)
    set_unit(node, "wang", "parks")
    assert find_session(node, token) is None, "who moves logs in again"
    assert unit_of(node, person.id) == "parks"
    assert [(u.code, u.name, u.members) for u in list_units(node)] == [
        ("parks", "园林", ("wang",)),
        ("roads", "市政", ()),
    ]
    set_unit(node, "wang", None)
    assert unit_of(node, person.id) is None


@pytest.mark.parametrize(
    ("code", "name", "error"),
    [("", "x", BadInput), ("a b", "x", BadInput), ("x" * 41, "x", BadInput), ("parks", "  ", BadInput),
     ("parks", "x" * 201, BadInput), ("roads", "x", Conflict), ("'; drop table unit", "x", BadInput)],
)  # fmt: skip
def test_bad_units_are_refused(node: Node, person: Person, code: str, name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        add_unit(node, code=code, name=name)
    assert [unit.code for unit in list_units(node)] == ["roads"]


def test_a_closed_unit_takes_nobody(node: Node, person: Person) -> None:
    set_unit_active(node, "roads", active=False)
    with pytest.raises(BadInput, match="closed"):
        set_unit(node, "wang", "roads")
    set_unit_active(node, "roads", active=True)
    set_unit(node, "wang", "roads")
    for login, code in (("ghost", "roads"), ("wang", "nowhere")):
        with pytest.raises(NotFound):
            set_unit(node, login, code)
    assert unit_of(node, person.id) == "roads"


def test_who_is_on_duty(node: Node, person: Person) -> None:
    at = node.clock.now()
    shift = add_shift(node, login="wang", post="department", starts_at=at, ends_at=at + 8 * HOUR)
    assert on_duty(node, at) == [shift]
    assert on_duty(node, at + 8 * HOUR) == []
    assert on_duty(node, at, ["operator"]) == []
    assert list_shifts(node, at - HOUR, at) == []
    assert list_shifts(node, at + 7 * HOUR, at + 9 * HOUR) == [shift]
    set_active(node, "wang", active=False)
    assert on_duty(node, at) == [], "who may not log in is not on duty"
    remove_shift(node, shift.id)
    with pytest.raises(NotFound):
        remove_shift(node, shift.id)


def test_bad_shifts_are_refused(node: Node, person: Person) -> None:
    at = node.clock.now()
    add_shift(node, login="wang", post="department", starts_at=at, ends_at=at + HOUR)
    add_shift(node, login="wang", post="department", starts_at=at + HOUR, ends_at=at + 2 * HOUR)
    for login, post, starts, ends, error in (
        ("wang", "department", at, at, BadInput),
        ("wang", "department", at, at + 25 * HOUR, BadInput),
        ("wang", "operator", at + 5 * HOUR, at + 6 * HOUR, BadInput),
        ("ghost", "department", at + 5 * HOUR, at + 6 * HOUR, NotFound),
        ("wang", "department", at + HOUR // 2, at + HOUR, Conflict),
    ):
        with pytest.raises(error):
            add_shift(node, login=login, post=post, starts_at=starts, ends_at=ends)
    assert len(list_shifts(node, 0, 2**53)) == 2


def test_sessions_are_listed_and_ended(node: Node, person: Person) -> None:
    other = add_person(node, login="li", name="李", posts=["operator"], password=PASSWORD)
    tokens = [start_session(node, person), start_session(node, other)]
    assert isinstance(node.clock, ManualClock)
    lines = list_sessions(node)
    assert {line.login for line in lines} == {"wang", "li"}
    assert not any(line.id in token for line in lines for token in tokens)
    [mine] = list_sessions(node, person.id)
    with pytest.raises(NotFound):
        revoke_session(node, mine.id, other.id)
    for hostile in ("", "%", "_" * 16, mine.id[:15], mine.id.upper() + "0", "0" * 16):
        with pytest.raises(NotFound):
            revoke_session(node, hostile)
    revoke_session(node, mine.id, person.id)
    assert [find_session(node, token) is not None for token in tokens] == [False, True]
