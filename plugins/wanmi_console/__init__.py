"""The console: server-rendered pages in Chinese and English, and the sessions of the people who use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wanmi.hookspecs import Actor, hookimpl
from wanmi_console.settings import ConsoleSettings

if TYPE_CHECKING:
    from starlette.requests import Request

    from wanmi.registry import NodeContext, Registry


@hookimpl
def register(to: Registry) -> None:
    """Pages, their place in the navigation, the section ``[console]``."""
    from wanmi_console.routes import build_routes

    to.section("console", ConsoleSettings)
    to.router("", build_routes)
    to.page("/", zh="概览", en="Overview", order=10)
    to.page("/cases", zh="案卷", en="Cases", order=20)
    to.page("/node", zh="节点", en="Node", order=90)


@hookimpl
def actor_from_request(node: NodeContext, request: Request) -> Actor | None:
    """The person whose session cookie came with the request."""
    from wanmi.identity.sessions import find_session
    from wanmi.web import session_cookie

    token = request.cookies.get(session_cookie(node, request.scope.get("scheme") == "https"))
    session = find_session(node, token) if token else None
    return None if session is None else Actor(session.person.id, session.post, session.person.name)
