"""Logging in and out, changing the post."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from fastapi import Form
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wanmi.errors import NotAllowed
from wanmi.identity.locks import LockedOut
from wanmi.identity.login_steps import FirstStep, LoginRules, give_password, step_up
from wanmi.identity.logins import LoginGate, TooManyTries
from wanmi.identity.rules import login_rules
from wanmi.identity.sessions import end_session, find_session, start_session
from wanmi.web import needs, open_route, session_cookie
from wanmi_console.code_pages import ask_for_code, code_routes
from wanmi_console.login_form import login_page, safe_next, start_and_go, with_session
from wanmi_console.pages import Pages, is_secure

if TYPE_CHECKING:
    from fastapi import APIRouter


@dataclass(frozen=True)
class Attempt:
    """What was filled into the login form; ``next`` is a path of this node."""

    login: str
    password: str = field(repr=False)
    next: str


def login_routes(router: APIRouter, pages: Pages) -> None:
    """/login and its second step (open), /logout, /post."""
    node = pages.node
    gate, rules = LoginGate(node.clock.monotonic), login_rules(node.settings.identity)
    code_routes(router, pages, rules)

    @router.get("/login", name="login")
    @open_route
    async def login_form(request: Request, next: str = "/") -> Response:
        """The form; who is logged in already goes on."""
        visit = pages.visit(request)
        if visit.caller is not None:
            return RedirectResponse(safe_next(next), 303)
        return login_page(pages, visit, next)

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
        return await _log_in(pages, gate, rules, request, attempt)

    @router.post("/logout")
    @needs("self")
    async def logout(request: Request) -> Response:
        """End the session."""
        name = session_cookie(node, is_secure(request))
        await run_in_threadpool(end_session, node, request.cookies.get(name, ""))
        response = RedirectResponse("/login", 303)
        response.delete_cookie(name, path="/", secure=is_secure(request), httponly=True, samesite="lax")
        return response

    @router.post("/post")
    @needs("self")
    async def change_post(request: Request, post: Annotated[str, Form(max_length=40)]) -> Response:
        """Go on in another post of one's own: a new session takes the place of the old one, after a one-time code where
        the post needs one.
        """
        old = request.cookies.get(session_cookie(node, is_secure(request)), "")
        session = find_session(node, old)
        if session is None:
            return RedirectResponse("/login", 303)
        owed = await run_in_threadpool(step_up, node, rules, session.person, session.post, post)
        if owed:
            return await run_in_threadpool(ask_for_code, pages, pages.visit(request), owed, "/")
        left = max(1, (session.expires_at - node.clock.now()) // 1_000_000)
        token = await run_in_threadpool(start_session, node, session.person, post, replaces=old, lifetime=left)
        return with_session(pages, request, RedirectResponse("/", 303), token)


async def _log_in(pages: Pages, gate: LoginGate, rules: LoginRules, request: Request, attempt: Attempt) -> Response:
    """A new session, the second step, or the form again with what is wrong; hashing happens in a thread."""
    visit, node = pages.visit(request), pages.node
    address = request.client.host if request.client else ""

    def work() -> FirstStep:
        return give_password(node, gate, rules, login=attempt.login, password=attempt.password, address=address)

    try:
        first = await run_in_threadpool(work)
    except TooManyTries as error:
        said = visit.t("Too many failed logins. Try again in %(n)s seconds.") % {"n": error.wait}
        return login_page(pages, visit, attempt.next, 429, attempt.login, said)
    except LockedOut as error:
        said = visit.t("This login is locked for %(n)s more minutes. An administrator can release it.")
        return login_page(pages, visit, attempt.next, 423, attempt.login, said % {"n": -(-error.wait // 60)})
    except NotAllowed:
        said = visit.t("Login or password is not right.")
        return login_page(pages, visit, attempt.next, 403, attempt.login, said)
    if first.then != "session":
        return await run_in_threadpool(ask_for_code, pages, visit, first.ticket, attempt.next)
    return await run_in_threadpool(start_and_go, pages, request, first.person, attempt.next)
