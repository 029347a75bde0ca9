"""Who makes a request: a person with a session, or a machine with a token; what they may do and see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, cast

from fastapi import Depends
from sqlalchemy import ColumnElement, false
from starlette.requests import HTTPConnection, Request

from wanmi.errors import NotAllowed
from wanmi.hookspecs import Actor
from wanmi.identity.people import POSTS, Axis
from wanmi.identity.rights import refusal_of_post, refusal_of_scopes
from wanmi.identity.tokens import Scope, Token, find_token, scope_holds
from wanmi.identity.units import unit_of
from wanmi.registry import NodeContext, Right
from wanmi.web.seen import of_collector

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])
_OPEN = "__wanmi_open__"
_RIGHT = "__wanmi_right__"


@dataclass(frozen=True)
class Caller:
    """Somebody known: what their scopes reach, whether they may open sealed evidence, where they stand.

    ``axis`` is that of the post held, ``unit`` the department's code of a person in the post department.
    """

    actor: Actor
    scopes: tuple[Scope, ...]
    by_token: bool
    opens_sealed: bool
    axis: Axis = "none"
    unit: str | None = None

    def need(self, scope: Scope) -> None:
        """NotAllowed unless the scope is reached."""
        if not scope_holds(self.scopes, scope):
            who = f"token {self.actor.id}" if self.by_token else f"post {self.actor.post}"
            raise NotAllowed(f"{who} does not reach {scope!r}; an administrator can give it")

    def refusal(self, right: Right, tier: str) -> str:
        """Why the caller may not do what needs the right, at a node of that tier; empty when they may."""
        if self.by_token:
            return refusal_of_scopes(right, self.scopes, tier)
        return refusal_of_post(right, self.actor.post, tier)

    @property
    def sees_all_cases(self) -> bool:
        """Whether every case of the node may be seen: a department and a collector see their own only."""
        return self.by_token or self.actor.post not in ("department", "collector")

    def cases_seen(self, columns: Any) -> ColumnElement[bool] | None:
        """What to add to a query over cases (``columns`` of them); None when nothing."""
        if self.sees_all_cases:
            return None
        if self.actor.post == "collector":
            return of_collector(columns, self.actor.id)
        department = getattr(columns, "department", None)
        if self.unit is None or department is None:
            return false()
        return cast("ColumnElement[bool]", department == self.unit)


def needs(right: str) -> Callable[[Endpoint], Endpoint]:
    """Declare the right that a route needs: ``@router.get(…)`` above, ``@needs("case.read")`` below it."""

    def declare(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _RIGHT, right)
        return endpoint

    return declare


def right_name_of(endpoint: object) -> str:
    """The right that an endpoint declares; empty when none."""
    name = getattr(endpoint, _RIGHT, "")
    return name if isinstance(name, str) else ""


def open_route(endpoint: Endpoint) -> Endpoint:
    """Mark an endpoint as open to strangers: the login page and what it needs, nothing else."""
    setattr(endpoint, _OPEN, True)
    return endpoint


def is_open(endpoint: object) -> bool:
    """Whether the endpoint was marked with ``open_route``."""
    return getattr(endpoint, _OPEN, False) is True


def caller_of(request: HTTPConnection) -> Caller:
    """Who asks; NotAllowed for a stranger (at open routes there may be one)."""
    caller = known_caller(request)
    if caller is None:
        raise NotAllowed("log in first")
    return caller


def known_caller(request: HTTPConnection) -> Caller | None:
    """Who asks, None for a stranger."""
    return cast("Caller | None", request.scope.get("state", {}).get("caller"))


def session_cookie(node: NodeContext, secure: bool) -> str:
    """Name of the session's cookie: the node's own, since nodes on one host share a cookie jar whatever their port.

    Over HTTPS the ``__Host-`` prefix keeps other hosts of the domain from planting one.
    """
    return f"{'__Host-' if secure else ''}wanmi_{node.code}"


def login_cookie(node: NodeContext, secure: bool) -> str:
    """Name of the cookie that guards the login form before there is a session."""
    return session_cookie(node, secure) + "_login"


def find_caller(node: NodeContext, request: Request) -> Caller | None:
    """Bearer tokens are the core's; everything else is asked of the plugins (``actor_from_request``).

    A request that brings a token is judged by it alone.
    """
    given = request.headers.get("authorization")
    if given is not None:
        scheme, _, secret = given.partition(" ")
        token = find_token(node, secret.strip()) if scheme.lower() == "bearer" else None
        return None if token is None else _machine(token)
    actor = node.hooks.actor_from_request(node, request)
    return None if actor is None else _person(node, actor)


def _machine(token: Token) -> Caller:
    actor = Actor(f"token:{token.id}", "machine", token.name)
    return Caller(actor, token.scopes, by_token=True, opens_sealed=scope_holds(token.scopes, "evidence:read"))


def _person(node: NodeContext, actor: Actor) -> Caller:
    post = POSTS.get(actor.post)
    scopes: tuple[Scope, ...] = ("read", "write", "admin") if actor.post == "administrator" else ("read", "write")
    return Caller(
        actor,
        scopes,
        by_token=False,
        opens_sealed=post is not None and post.opens_sealed,
        axis=post.axis if post is not None else "none",
        unit=unit_of(node, actor.id) if actor.post == "department" else None,
    )


Reading = Annotated[Caller, Depends(caller_of)]
"""The caller, as an endpoint's argument: the gate has checked the right that the endpoint declares."""
