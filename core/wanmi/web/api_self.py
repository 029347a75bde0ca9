"""/api/v1/self: who one is to this node, and the token that a program's writes need when it has a session."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request

from wanmi.identity.sessions import csrf_of
from wanmi.registry import NodeContext
from wanmi.web.callers import Reading, needs, session_cookie


@dataclass(frozen=True)
class SelfOut:
    """Who asks: ``actor`` is how entries name them. ``csrf`` goes into the header x-csrf-token of every write."""

    actor: str
    post: str
    unit: str | None
    axis: str
    csrf: str


def who_routes(node: NodeContext) -> APIRouter:
    """The route."""
    router = APIRouter(tags=["self"])

    @router.get("/self")
    @needs("self")
    async def who(caller: Reading, request: Request) -> SelfOut:
        """Who one is here, in which post, of which unit."""
        cookie = request.cookies.get(session_cookie(node, request.url.scheme == "https"), "")
        return SelfOut(caller.actor.id, caller.actor.post, caller.unit, caller.axis, csrf_of(cookie))

    return router
