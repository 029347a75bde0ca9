"""Logging in and out, changing the post."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from fastapi import Form
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wanmi.errors import NotAllowed
from wanmi.identity.logins import LoginGate, TooManyTries, log_in
from wanmi.identity.sessions import csrf_of, end_session, find_session, new_token, start_session
from wanmi.web import login_cookie, open_route, session_cookie
from wanmi_console.pages import Pages, Visit, is_secure

if TYPE_CHECKING:
    from fastapi import APIRouter


@dataclass(frozen=True)
class Attempt:
    """What was filled into the login form; ``next`` is a path of this node."""

    login: str
    password: str = field(repr=False)
    next: str


def login_routes(router: APIRouter, pages: Pages) -> None:
    """/login (open), /logout, /post."""
    node = pages.node
    gate = LoginGate(node.clock.monotonic)

    @router.get("/login", name="login")
    @open_route
    async def login_form(request: Request, next: str = "/") -> Response:
        """The form; who is logged in already goes on."""
        visit = pages.visit(request)
        if visit.caller is not None:
            return RedirectResponse(safe_next(next), 303)
        return _login_page(pages, visit, next)

    @router.post("/login", name="login-post")
    @open_route
    async def login(
        request: Request,
        login: Annotated[str, Form(max_length=100)] = "",
        password: Annotated[str, Form(max_length=1000)] = "",
        next: Annotated[str, Form(max_length=2000)] = "/",
    ) -> Response:
        """Begin a session; the gate has checked the form's token."""
        attempt = Attempt(login.strip().lower(), password, safe_next(next))
        return await _log_in(pages, gate, request, attempt)

    @router.post("/logout")
    async def logout(request: Request) -> Response:
        """End the session."""
        name = session_cookie(node, is_secure(request))
        await run_in_threadpool(end_session, node, request.cookies.get(name, ""))
        response = RedirectResponse("/login", 303)
        response.delete_cookie(name, path="/", secure=is_secure(request), httponly=True, samesite="lax")
        return response

    @router.post("/post")
    async def change_post(request: Request, post: Annotated[str, Form(max_length=40)]) -> Response:
        """Go on in another post of one's own: a new session takes the place of the old one."""
        old = request.cookies.get(session_cookie(node, is_secure(request)), "")
        session = find_session(node, old)
        if session is None:
            return RedirectResponse("/login", 303)
        left = max(1, (session.expires_at - node.clock.now()) // 1_000_000)
        token = await run_in_threadpool(start_session, node, session.person, post, replaces=old, lifetime=left)
        return _with_session(pages, request, RedirectResponse("/", 303), token)


async def _log_in(pages: Pages, gate: LoginGate, request: Request, attempt: Attempt) -> Response:
    """A new session, or the form again with what is wrong; hashing the password happens in a thread."""
    visit, node, secure = pages.visit(request), pages.node, is_secure(request)
    old = request.cookies.get(session_cookie(node, secure))
    address = request.client.host if request.client else ""

    def work() -> str:
        person = log_in(node, gate, login=attempt.login, password=attempt.password, address=address)
        return start_session(node, person, replaces=old, lifetime=pages.settings.session_hours * 3600)

    try:
        token = await run_in_threadpool(work)
    except TooManyTries as error:
        said = visit.t("Too many failed logins. Try again in %(n)s seconds.") % {"n": error.wait}
        return _login_page(pages, visit, attempt.next, 429, attempt.login, said)
    except NotAllowed:
        said = visit.t("Login or password is not right.")
        return _login_page(pages, visit, attempt.next, 403, attempt.login, said)
    response = RedirectResponse(attempt.next, 303)
    response.delete_cookie(login_cookie(node, secure), path="/", secure=secure)
    return _with_session(pages, request, response, token)


def safe_next(wanted: str) -> str:
    """Where to go after the login: a path of this node, the first page otherwise."""
    is_path = wanted.startswith("/") and not wanted.startswith(("//", "/\\", "/login"))
    clean = wanted.isprintable() and "\\" not in wanted
    return wanted if is_path and clean else "/"


def _login_page(
    pages: Pages, visit: Visit, wanted: str, status: int = 200, login: str = "", wrong: str = ""
) -> Response:
    """The form with its own token, which belongs to a cookie of its own."""
    secure = is_secure(visit.request)
    name = login_cookie(pages.node, secure)
    token = visit.request.cookies.get(name) or new_token(pages.node)
    values = {"wanted": safe_next(wanted), "login": login, "wrong": wrong, "login_csrf": csrf_of(token)}
    response = pages.show(visit, "login.html", status, **values)
    response.set_cookie(name, token, httponly=True, samesite="lax", secure=secure, path="/")
    return response


def _with_session(pages: Pages, request: Request, response: Response, token: str) -> Response:
    secure = is_secure(request)
    response.set_cookie(
        session_cookie(pages.node, secure),
        token,
        max_age=pages.settings.session_hours * 3600,
        httponly=True,
        samesite="lax",
        secure=secure,
        path="/",
    )
    return response
