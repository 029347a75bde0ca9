"""People: added, changed, never with two axes, never with their passwords in the open."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from wanmi.errors import BadInput, Conflict, NotFound
from wanmi.identity import POSTS, add_person, list_people, set_active, set_password, set_posts
from wanmi.identity.people import PersonRow, find_password, names_of, password_fits
from wanmi.models import mark_of, table
from wanmi.node import Node

PASSWORD = "correct horse battery"


def test_a_person_is_listed_without_password(node: Node) -> None:
    person = add_person(node, login="wang.min", name=" 王敏 ", posts=["operator", "operator"], password=PASSWORD)
    assert list_people(node) == [person]
    assert (person.name, person.posts, person.active) == ("王敏", ("operator",), True)
    assert names_of(node, [person.id, "p-unknown"]) == {person.id: "王敏"}
    assert PASSWORD not in repr(person)


def test_the_password_is_stored_as_argon2id(node: Node) -> None:
    add_person(node, login="wang", name="王敏", posts=["operator"], password=PASSWORD)
    with node.store.reader() as tx:
        [stored] = tx.execute(select(table(PersonRow).c.password)).scalars()
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored
    assert password_fits(stored, PASSWORD)
    assert not password_fits(stored, PASSWORD + "x")
    assert not password_fits(stored, "")


def test_nobody_has_no_password(node: Node) -> None:
    assert find_password(node, "nobody") is None
    assert not password_fits(None, "nobody has this password")


def test_people_are_local_rows() -> None:
    assert mark_of(PersonRow) == "local"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"login": "Wang Min"}, "login 'Wang Min'"),
        ({"login": "w"}, "login 'w'"),
        ({"name": "  "}, "a name is needed"),
        ({"posts": []}, "(none)"),
        ({"posts": ["mayor"]}, "mayor"),
        ({"posts": ["operator", "dispatcher"]}, "one axis"),
        ({"password": "short"}, "10 to 200"),
        ({"password": "x" * 201}, "10 to 200"),
        ({"login": "wang.min.long", "password": "Wang.Min.Long"}, "not the login itself"),
    ],
)
def test_what_is_refused_is_named(node: Node, changed: dict[str, object], said: str) -> None:
    given = {"login": "wang", "name": "王敏", "posts": ["operator"], "password": PASSWORD, **changed}
    with pytest.raises(BadInput) as refused:
        add_person(node, **given)  # type: ignore[arg-type]
    assert said in str(refused.value)
    assert list_people(node) == []


def test_a_login_is_given_once(node: Node) -> None:
    add_person(node, login="wang", name="王敏", posts=["operator"], password=PASSWORD)
    with pytest.raises(Conflict, match="login wang is taken"):
        add_person(node, login="wang", name="王芳", posts=["operator"], password=PASSWORD)


def test_changes_reach_the_table(node: Node) -> None:
    add_person(node, login="wang", name="王敏", posts=["operator"], password=PASSWORD)
    set_password(node, "wang", "another long password")
    set_posts(node, "wang", ["dispatcher"])
    set_active(node, "wang", active=False)
    [person] = list_people(node)
    assert (person.posts, person.active) == (("dispatcher",), False)
    found = find_password(node, "wang")
    assert found is not None
    assert password_fits(found[1], "another long password")


@pytest.mark.parametrize("change", [set_password, lambda node, login, _: set_active(node, login, active=False)])
def test_changing_nobody_is_an_error(node: Node, change) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(NotFound, match="nobody here has the login ghost"):
        change(node, "ghost", PASSWORD)


def test_posts_stand_on_the_axes_of_the_seed_text() -> None:
    on = {axis: {post.name for post in POSTS.values() if post.axis == axis} for axis in ("supervision", "command")}
    assert on["supervision"] == {"collector", "operator", "shift_leader", "assessor", "supervisor"}
    assert on["command"] == {"dispatcher", "department"}
    assert POSTS["operator"].zh == "坐席员"
    assert POSTS["dispatcher"].zh == "派遣员"
