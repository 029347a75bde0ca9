"""Who makes a request: a person with a session, or a machine with a token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar, cast

from fastapi import Depends
from starlette.requests import HTTPConnection, Request

from wanmi.errors import NotAllowed
from wanmi.hookspecs import Actor
from wanmi.identity.people import POSTS
from wanmi.identity.tokens import Scope, Token, find_token, scope_holds
from wanmi.registry import NodeContext

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])
_OPEN = "__wanmi_open__"


@dataclass(frozen=True)
class Caller:
    """Somebody known: what their scopes reach, and whether they may open sealed evidence."""

    actor: Actor
    scopes: tuple[Scope, ...]
    by_token: bool
    opens_sealed: bool

    def need(self, scope: Scope) -> None:
        """NotAllowed unless the scope is reached."""
        if not scope_holds(self.scopes, scope):
            who = f"token {self.actor.id}" if self.by_token else f"post {self.actor.post}"
            raise NotAllowed(f"{who} does not reach {scope!r}; an administrator can give it")


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
    return None if actor is None else _person(actor)


def _machine(token: Token) -> Caller:
    actor = Actor(f"token:{token.id}", "machine", token.name)
    return Caller(actor, token.scopes, by_token=True, opens_sealed=True)


def _person(actor: Actor) -> Caller:
    post = POSTS.get(actor.post)
    scopes: tuple[Scope, ...] = ("read", "write", "admin") if actor.post == "administrator" else ("read", "write")
    return Caller(actor, scopes, by_token=False, opens_sealed=post is not None and post.opens_sealed)


def _reading(request: Request) -> Caller:
    caller = caller_of(request)
    caller.need("read")
    return caller


Reading = Annotated[Caller, Depends(_reading)]
"""The caller of an endpoint that reads."""
