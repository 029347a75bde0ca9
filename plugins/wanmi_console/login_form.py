"""What the steps of a login share: the form with its token, where to go on, the session's cookie."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wanmi.identity import Person
from wanmi.identity.sessions import csrf_of, new_token, start_session
from wanmi.web import login_cookie, session_cookie
from wanmi_console.pages import Pages, Visit, is_secure


def safe_next(wanted: str) -> str:
    """Where to go after the login: a path of this node, the first page otherwise."""
    is_path = wanted.startswith("/") and not wanted.startswith(("//", "/\\", "/login"))
    clean = wanted.isprintable() and "\\" not in wanted
    return wanted if is_path and clean else "/"


def login_page(
    pages: Pages, visit: Visit, wanted: str, status: int = 200, login: str = "", wrong: str = ""
) -> Response:
    """The form of the first step."""
    return form_page(pages, visit, "login.html", status, wanted=safe_next(wanted), login=login, wrong=wrong)


def form_page(pages: Pages, visit: Visit, template: str, status: int, **values: object) -> Response:
    """A form of the login with its own token, which belongs to a cookie of its own."""
    secure = is_secure(visit.request)
    name = login_cookie(pages.node, secure)
    token = visit.request.cookies.get(name) or new_token(pages.node)
    response = pages.show(visit, template, status, login_csrf=csrf_of(token), **values)
    response.set_cookie(name, token, httponly=True, samesite="lax", secure=secure, path="/")
    return response


def start_session_for(pages: Pages, request: Request, person: Person, post: str | None = None) -> str:
    """A new session in place of the one that the browser had, in their first post where none is named."""
    old = request.cookies.get(session_cookie(pages.node, is_secure(request)))
    return start_session(pages.node, person, post, replaces=old, lifetime=pages.settings.session_hours * 3600)


def start_and_go(pages: Pages, request: Request, person: Person, wanted: str, post: str | None = None) -> Response:
    """The last step of a login: a session, and on to where the person wanted."""
    token = start_session_for(pages, request, person, post)
    return logged_in(pages, request, RedirectResponse(safe_next(wanted), 303), token)


def logged_in(pages: Pages, request: Request, response: Response, token: str) -> Response:
    """The answer with the session's cookie, and without the login form's."""
    secure = is_secure(request)
    response.delete_cookie(login_cookie(pages.node, secure), path="/", secure=secure)
    return with_session(pages, request, response, token)


def with_session(pages: Pages, request: Request, response: Response, token: str) -> Response:
    """The answer with the session's cookie."""
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
