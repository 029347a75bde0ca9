"""Tokens of machines: shown once, hashed at rest, scoped, revoked, expiring."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from wanmi.clock import SECOND, ManualClock
from wanmi.errors import BadInput, NotFound
from wanmi.identity import add_token, list_tokens, revoke_token
from wanmi.identity.tokens import TokenRow, find_token, scope_holds
from wanmi.models import table
from wanmi.node import Node


def test_a_token_is_found_by_its_secret_alone(node: Node) -> None:
    made = add_token(node, name="big screen", scopes=["read"])
    assert find_token(node, made.secret) == made.token
    assert list_tokens(node) == [made.token]
    for wrong in (made.secret[:-1], made.secret + "x", made.token.id, "", made.secret.upper()):
        assert find_token(node, wrong) is None


def test_the_secret_is_not_stored(node: Node) -> None:
    made = add_token(node, name="big screen", scopes=["read"])
    with node.store.reader() as tx:
        [row] = tx.execute(select(table(TokenRow)))
    assert made.secret not in repr(tuple(row))
    assert made.secret.rpartition("_")[2] not in repr(tuple(row))


def test_a_revoked_token_is_nobody(node: Node) -> None:
    made, other = (add_token(node, name=name, scopes=["read"]) for name in ("a", "b"))
    revoke_token(node, made.token.id)
    revoke_token(node, made.token.id)
    assert find_token(node, made.secret) is None
    assert find_token(node, other.secret) is not None
    with pytest.raises(NotFound, match="token t123: no such token"):
        revoke_token(node, "t123")


def test_a_token_expires(node: Node) -> None:
    made = add_token(node, name="a visit", scopes=["read"], lifetime=60)
    assert isinstance(node.clock, ManualClock)
    node.clock.advance(60 * SECOND - 1)
    assert find_token(node, made.secret) is not None
    node.clock.advance(1)
    assert find_token(node, made.secret) is None


@pytest.mark.parametrize(("name", "scopes"), [("a", []), ("a", ["root"]), (" ", ["read"])])
def test_what_is_refused(node: Node, name: str, scopes: list[str]) -> None:
    with pytest.raises(BadInput):
        add_token(node, name=name, scopes=scopes)
    assert list_tokens(node) == []


@pytest.mark.parametrize(
    ("held", "needed", "holds"),
    [
        (["read"], "read", True),
        (["read"], "write", False),
        (["write"], "read", True),
        (["write"], "admin", False),
        (["admin"], "write", True),
        ([], "read", False),
    ],
)
def test_scopes_hold_what_is_below(held: list[str], needed: str, holds: bool) -> None:
    assert scope_holds(held, needed) is holds  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("held", "needed", "holds"),
    [
        (["cases:read"], "cases:read", True),
        (["cases:read"], "cases:step", False),
        (["cases:read"], "evidence:read", False),
        (["cases:read"], "read", False),
        (["cases:step"], "cases:read", False),
        (["read"], "cases:read", True),
        (["read"], "cases:step", False),
        (["write"], "hotline:events", True),
        (["write"], "admin", False),
        (["admin"], "hotline:events", True),
        (["hotline:events", "cases:read"], "hotline:events", True),
        (["notes:read"], "notes:read", True),
    ],
)
def test_scopes_reach_as_far_as_they_say(held: list[str], needed: str, holds: bool) -> None:
    assert scope_holds(held, needed) is holds


def test_a_plugins_scope_must_be_known(node: Node) -> None:
    with pytest.raises(BadInput, match="notes:read"):
        add_token(node, name="a", scopes=["notes:read"])
    assert add_token(node, name="a", scopes=["notes:read"], more=["notes:read"]).token.scopes == ("notes:read",)
