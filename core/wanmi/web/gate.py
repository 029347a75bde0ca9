"""The gate: every route is closed unless it declares who may pass, whichever plugin it belongs to.

It stands before routing and before any body is read. A stranger passes only where the endpoint is marked open; anybody
else needs the right that the endpoint declares (wanmi.identity.rights), and a route without one is closed to all.
Unsafe methods need the form token (CSRF) when the caller is known by a cookie.
"""

from __future__ import annotations

from urllib.parse import parse_qs, quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from wanmi.errors import NotFound
from wanmi.identity.sessions import csrf_fits
from wanmi.registry import NodeContext
from wanmi.web.bodies import read_body, replay
from wanmi.web.callers import Caller, find_caller, login_cookie, session_cookie
from wanmi.web.doors import Door, Doors
from wanmi.web.problems import problem, wants_page
from wanmi.web.seen import need_case

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_FIELD = "csrf_token"
CSRF_HEADER = "x-csrf-token"
MAX_FORM = 64 * 1024
"""Bytes of a form that is looked into for its token."""
_FORM = "application/x-www-form-urlencoded"


class Gate:
    """ASGI middleware; ``doors`` are the routes with what they declare, ``login`` the login page's path or ""."""

    def __init__(self, app: ASGIApp, node: NodeContext, doors: Doors, login: str) -> None:
        self._app = app
        self._node = node
        self._doors = doors
        self._login = login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass, or answer in its place."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request = Request({**scope, "type": "http", "method": scope.get("method", "GET")}, receive)
        caller = find_caller(self._node, request)
        scope.setdefault("state", {})["caller"] = caller
        door = self._doors.find(scope["type"], request.method, scope["path"])
        if scope["type"] == "websocket":
            await self._socket(caller, door, scope, receive, send)
            return
        is_open = door is not None and door.is_open
        refusal = None if is_open else self._refuse(request, caller, door)
        if refusal is None and request.method not in SAFE:
            refusal, receive = await self._check_unsafe(request, caller, is_open, receive)
        if refusal is None and caller is not None and door is not None and door.direct is not None:
            rest = await door.direct.answer(scope, receive, send, caller, door.parts_of(scope["path"]))
            if rest is None:
                return
            receive = rest
        await (refusal or self._app)(scope, receive, send)

    def _refuse(self, request: Request, caller: Caller | None, door: Door | None) -> Response | None:
        """The refusal, None when the caller may pass. A path or method that nobody serves is told by the router."""
        if caller is None:
            return self._refuse_stranger(request)
        if door is None:
            if self._doors.knows(request.url.path):
                return None
            return problem(request, 404, f"{request.url.path}: there is nothing here")
        why = self._doors.refusal(door, caller, self._node.role)
        if why:
            return problem(request, 403, why)
        return self._refuse_hidden(request, caller, door.case_in(request.scope["path"]))

    def _refuse_hidden(self, request: Request, caller: Caller, case: str) -> Response | None:
        """A case that the caller does not see is not there, whatever is done with it and whoever made the route."""
        if not case or caller.sees_all_cases:
            return None
        try:
            with self._node.store.reader() as tx:
                need_case(tx, caller, case)
        except NotFound as error:
            return problem(request, 404, str(error))
        return None

    async def _socket(
        self, caller: Caller | None, door: Door | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """WebSockets bypass forms, so that they need a token, or a page of this very host."""
        headers = Request({**scope, "type": "http", "method": "GET"}).headers
        ours = headers.get("origin", "").partition("://")[2] == headers.get("host")
        may = caller is not None and door is not None and not self._doors.refusal(door, caller, self._node.role)
        if caller is not None and may and (caller.by_token or ours):
            await self._app(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _refuse_stranger(self, request: Request) -> Response:
        if self._login and request.method == "GET" and wants_page(request):
            wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"{self._login}?next={quote(wanted, safe='')}", 303)
        detail = "log in, or send a token: Authorization: Bearer wanmi_…"
        return problem(request, 401, detail, {"www-authenticate": 'Bearer realm="wanmi"'})

    async def _check_unsafe(
        self, request: Request, caller: Caller | None, is_open: bool, receive: Receive
    ) -> tuple[Response | None, Receive]:
        if caller is not None and caller.by_token:
            return None, receive
        given = request.headers.get(CSRF_HEADER)
        if given is None and request.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM:
            body = await read_body(receive, MAX_FORM)
            if body is None:
                return problem(request, 413, f"a form holds at most {MAX_FORM} bytes"), receive
            given, receive = _form_token(body), replay(body, receive)
        if csrf_fits(self._secret(request, is_open), given):
            return None, receive
        detail = f"the form's token is missing or old; load the page again (programs: header {CSRF_HEADER})"
        return problem(request, 403, detail), receive

    def _secret(self, request: Request, is_open: bool) -> str | None:
        """The cookie that the form's token must belong to: at the login form there is no session yet."""
        name = login_cookie if is_open else session_cookie
        return request.cookies.get(name(self._node, request.scope.get("scheme") == "https"))


def _form_token(body: bytes) -> str | None:
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=1000)
    except ValueError:
        return None
    return fields.get(CSRF_FIELD, [""])[0]
