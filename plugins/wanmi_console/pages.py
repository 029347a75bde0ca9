"""What every page shares: language, who is there, navigation, form token, templates, errors as pages."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from wanmi.codes import Lang
from wanmi.errors import WanmiError
from wanmi.identity.sessions import csrf_of, find_session
from wanmi.profiles import ProfileStore
from wanmi.query import nodes
from wanmi.registry import NodeContext
from wanmi.web import Caller, session_cookie
from wanmi.web.callers import known_caller
from wanmi.web.problems import status_of, title_of, title_zh
from wanmi_console import files, shown
from wanmi_console.names import Names
from wanmi_console.say import Teller
from wanmi_console.settings import ConsoleSettings
from wanmi_console.words import LANGS, ROLES, TAGS, Translate, translator

if TYPE_CHECKING:
    from jinja2 import Environment

LANG_COOKIE = "wanmi_lang"
_YEAR = 365 * 86400


@dataclass(frozen=True)
class Visit:
    """One request to a page: its language and who makes it."""

    request: Request
    lang: Lang
    t: Translate
    names: Names
    caller: Caller | None


class Pages:
    """Renders templates for a node, in either language."""

    def __init__(self, node: NodeContext) -> None:
        self.node = node
        self.settings = node.settings.section("console", ConsoleSettings)
        self.profiles = ProfileStore(node).watching()
        self._environments: dict[Lang, Environment] = {}

    def visit(self, request: Request) -> Visit:
        """The visit that a request is."""
        lang = language(request)
        return Visit(request, lang, translator(lang), Names.load(lang, self.profiles), known_caller(request))

    def teller(self, visit: Visit) -> Teller:
        """Tells entries in the visit's language."""
        return Teller(visit.t, visit.names, self.node.registry)

    def show(self, visit: Visit, template: str, status: int = 200, **values: object) -> HTMLResponse:
        """A page. A language chosen by ``?lang=`` is remembered."""
        page = self._environment(visit.lang).get_template(template)
        response = HTMLResponse(page.render({**self._shared(visit), **values}), status)
        if visit.request.query_params.get("lang") in LANGS:
            secure = is_secure(visit.request)
            response.set_cookie(
                LANG_COOKIE, visit.lang, max_age=_YEAR, httponly=True, samesite="lax", secure=secure, path="/"
            )
        return response

    def _environment(self, lang: Lang) -> Environment:
        """Made with the first page of its language: most edges never show one."""
        if lang not in self._environments:
            self._environments[lang] = _environment(lang)
        return self._environments[lang]

    def _shared(self, visit: Visit) -> dict[str, object]:
        node = self.node
        return {
            "lang": visit.lang,
            "lang_tag": TAGS[visit.lang],
            "other_lang": next(lang for lang in LANGS if lang != visit.lang),
            "other_tag": next(TAGS[lang] for lang in LANGS if lang != visit.lang),
            "here": lambda **changed: here(visit.request, **changed),
            "path": visit.request.url.path,
            "address": files.address,
            "names": visit.names,
            "node": node,
            "node_name": self._node_name(visit),
            "node_role": visit.t(ROLES[node.role]),
            "nav": _nav(node, visit),
            "caller": visit.caller,
            "posts": self._posts(visit),
            "csrf": csrf_of(visit.request.cookies.get(session_cookie(node, is_secure(visit.request)), "")),
            "now": node.clock.now(),
        }

    def _node_name(self, visit: Visit) -> str:
        with self.node.store.reader() as tx:
            given = next((one.name for one in nodes(tx) if one.code == self.node.code and one.name), "")
        return given or visit.names.division(self.node.code[:6])

    def _posts(self, visit: Visit) -> tuple[str, ...]:
        """The posts that the person may change to."""
        token = visit.request.cookies.get(session_cookie(self.node, is_secure(visit.request)))
        session = find_session(self.node, token) if token and visit.caller else None
        return session.person.posts if session else ()


def page_route_class(pages: Pages) -> type[APIRoute]:
    """Routes whose errors are pages of the console."""

    class PageRoute(APIRoute):
        """Shows Wanmi's own errors in the reader's language."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            """The endpoint with its errors told."""
            endpoint = super().get_route_handler()

            async def told(request: Request) -> Response:
                try:
                    return await endpoint(request)
                except WanmiError as error:
                    return error_page(pages, request, error)

            return told

    return PageRoute


def error_page(pages: Pages, request: Request, error: WanmiError) -> HTMLResponse:
    """An error as a page."""
    visit, status = pages.visit(request), status_of(error)
    title = title_zh(status) if visit.lang == "zh" else title_of(status)
    return pages.show(visit, "error.html", status, title=title, detail=str(error))


def language(request: Request) -> Lang:
    """Chosen by ``?lang=``, remembered by a cookie, Chinese otherwise."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(LANG_COOKIE)):
        for lang in LANGS:
            if chosen == lang:
                return lang
    return "zh"


def is_secure(request: Request) -> bool:
    """Whether the request came over HTTPS."""
    return request.url.scheme == "https"


def here(request: Request, **changed: str | None) -> str:
    """This page's address with some parameters changed, or left out where None."""
    params = {name: value for name, value in request.query_params.items() if name not in changed}
    params.update({name: value for name, value in changed.items() if value})
    return request.url.path + (f"?{urlencode(params)}" if params else "")


def _nav(node: NodeContext, visit: Visit) -> list[Mapping[str, object]]:
    path = visit.request.url.path
    return [
        {
            "path": item.path,
            "name": item.zh if visit.lang == "zh" else item.en,
            "current": path == item.path or (item.path != "/" and path.startswith(item.path + "/")),
        }
        for item in sorted(node.registry.nav, key=lambda item: (item.order, item.path))
    ]


def _environment(lang: Lang) -> Environment:
    """Templates of one language: everything escaped, nothing undefined."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("wanmi_console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    t = translator(lang)
    environment.install_gettext_callables(t, lambda one, many, n: t(one if n == 1 else many), newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(position=shown.position, fact=shown.fact)
    environment.filters.update(
        local_time=shown.local_time,
        machine_time=shown.machine_time,
        short_time=shown.short_time,
        size=shown.size,
        short_hash=shown.short_hash,
        ago=lambda seconds: shown.ago(t, seconds),
        say=lambda value, words: t(words.get(value, value)),
    )
    return environment
