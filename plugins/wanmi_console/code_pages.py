"""The second step of a login: the one-time code, or setting it up where the post needs one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Form
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from wanmi.errors import NotAllowed, WanmiError
from wanmi.identity.codes import begin_enrolment, code_state
from wanmi.identity.login_steps import LoginRules, give_code, give_first_code, holder_of, post_of
from wanmi.identity.sessions import csrf_of
from wanmi.identity.totp import otpauth_uri, qr_svg, secret_text
from wanmi.web import open_route
from wanmi_console.login_form import form_page, logged_in, login_page, safe_next, start_and_go, start_session_for

if TYPE_CHECKING:
    from fastapi import APIRouter

    from wanmi_console.pages import Pages, Visit

Ticket = Annotated[str, Form(max_length=200)]
Code = Annotated[str, Form(max_length=200)]
Next = Annotated[str, Form(max_length=2000)]


def code_routes(router: APIRouter, pages: Pages, rules: LoginRules) -> None:
    """/login/code, /login/enrol: open, since nobody is logged in yet; a ticket of the first step opens them."""

    @router.post("/login/code")
    @open_route
    async def code(request: Request, ticket: Ticket = "", code: Code = "", next: Next = "/") -> Response:
        """The code; a session when it fits."""
        return await run_in_threadpool(_take_code, pages, rules, request, (ticket, code, next))

    @router.post("/login/enrol")
    @open_route
    async def enrol(request: Request, ticket: Ticket = "", code: Code = "", next: Next = "/") -> Response:
        """The first code of a new second factor; a session and the recovery codes when it fits."""
        return await run_in_threadpool(_take_first_code, pages, request, (ticket, code, next))


def ask_for_code(pages: Pages, visit: Visit, ticket: str, wanted: str, status: int = 200, wrong: str = "") -> Response:
    """The form of the second step: for the code, or with the secret to set up."""
    node, person = pages.node, holder_of(pages.node, ticket)
    if person is None:
        said = visit.t("The login took too long or too many tries. Begin again.")
        return login_page(pages, visit, wanted, 403, "", said)
    values = {"ticket": ticket, "wanted": safe_next(wanted), "wrong": wrong}
    if code_state(node, person.id) is not None:
        return form_page(pages, visit, "login_code.html", status, **values)
    key = begin_enrolment(node, person.id)
    uri = otpauth_uri(key, issuer=f"Wanmi {node.code}", account=person.login)
    return form_page(pages, visit, "login_enrol.html", status, secret=secret_text(key), qr=qr_svg(uri), **values)


def _take_code(pages: Pages, rules: LoginRules, request: Request, given: tuple[str, str, str]) -> Response:
    ticket, code, wanted = given
    try:
        person = give_code(pages.node, rules, ticket, code)
    except NotAllowed:
        return _again(pages, request, ticket, wanted)
    return start_and_go(pages, request, person, wanted, post_of(ticket))


def _take_first_code(pages: Pages, request: Request, given: tuple[str, str, str]) -> Response:
    ticket, code, wanted = given
    visit = pages.visit(request)
    try:
        person, recovery = give_first_code(pages.node, ticket, code)
    except WanmiError:
        return _again(pages, request, ticket, wanted)
    token = start_session_for(pages, request, person, post_of(ticket))
    response = pages.show(
        visit, "login_recovery.html", 200, recovery=recovery, wanted=safe_next(wanted), login_csrf=csrf_of(token)
    )
    response.headers["cache-control"] = "no-store"
    return logged_in(pages, request, response, token)


def _again(pages: Pages, request: Request, ticket: str, wanted: str) -> Response:
    visit = pages.visit(request)
    said = visit.t("The code does not fit, or was used already. Take the next one.")
    return ask_for_code(pages, visit, ticket, wanted, 403, said)
