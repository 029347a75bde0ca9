"""The page /messages in Chinese and English: what waits, what failed and why, and a button to send it again."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from wanmi.codes import Lang
from wanmi.identity.sessions import csrf_of
from wanmi.registry import NodeContext
from wanmi.web import caller_of, needs, session_cookie
from wanmi_messenger import outbox
from wanmi_messenger.actions import drop_message, send_again
from wanmi_messenger.facts import local_time
from wanmi_messenger.messenger import messenger_of
from wanmi_messenger.shown import READ, SEND, message_out

TAGS: Final[Mapping[Lang, str]] = {"zh": "zh-Hans", "en": "en"}
STATE_MARKS: Final = {"sent": "fine", "failed": "warn", "dead": "bad"}
_ACTS = {"resend": send_again, "drop": drop_message}


def build_page(node: NodeContext) -> APIRouter:
    """``GET /messages`` and the form's ``POST /messages/{id}/{act}``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/messages")
    @needs(READ)
    def page(request: Request, state: str = "", cursor: str = "") -> Response:
        """The outbox, 50 messages a page."""
        return _page(node, request, state, cursor)

    @router.post("/messages/{id}/{act}")
    @needs(SEND)
    async def act(request: Request, id: str, act: str) -> Response:
        """Resend or drop; the gate has checked the form's token. Back to the page, with its filter."""
        caller = caller_of(request)
        if act not in _ACTS:
            return Response(status_code=404)
        fields = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=20)
        await run_in_threadpool(_ACTS[act], node, id, caller.actor)
        state = fields.get("state", [""])[0]
        return RedirectResponse("/messages" + (f"?{urlencode({'state': state})}" if state else ""), 303)

    return router


def _page(node: NodeContext, request: Request, state: str, cursor: str) -> HTMLResponse:
    lang, caller = language(request), caller_of(request)
    wanted = state if state in outbox.STATES else ""
    with node.store.reader() as tx:
        found = outbox.list_messages(tx, state=wanted, cursor=cursor, limit=50)
    secret = request.cookies.get(session_cookie(node, request.url.scheme == "https"), "")
    text = _environment(lang).get_template("messages.html").render(
        tag=TAGS[lang],
        lang=lang,
        other="en" if lang == "zh" else "zh",
        nav=[(item.path, item.zh if lang == "zh" else item.en) for item in sorted(node.registry.nav, key=lambda i: (i.order, i.path))],
        node=node,
        health=messenger_of(node)(node),
        state=wanted,
        states=outbox.STATES,
        marks=STATE_MARKS,
        messages=[message_out(one) for one in found.messages],
        next=f"/messages?{urlencode({'state': wanted, 'cursor': found.next})}" if found.next else "",
        may_act=not caller.refusal(node.registry.rights[SEND], node.role),
        csrf=csrf_of(secret),
    )  # fmt: skip
    return HTMLResponse(text)


def language(request: Request) -> Lang:
    """As the console has it: ``?lang=``, else the cookie, else Chinese."""
    for chosen in (request.query_params.get("lang"), request.cookies.get("wanmi_lang")):
        if chosen == "en":
            return "en"
        if chosen == "zh":
            return "zh"
    return "zh"


@lru_cache(maxsize=2)
def catalogue(lang: Lang) -> Mapping[str, str]:
    """The messages of ``locales/LANGUAGE.po``; English is the source."""
    if lang == "en":
        return {}
    from babel.messages.pofile import read_po

    with (files("wanmi_messenger") / "locales" / f"{lang}.po").open("rb") as opened:
        found = read_po(opened, locale=lang, abort_invalid=True)
    return {str(one.id): str(one.string) for one in found if one.id and one.string and not one.fuzzy}


@lru_cache(maxsize=2)
def _environment(lang: Lang) -> Environment:
    environment = Environment(
        loader=PackageLoader("wanmi_messenger"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, extensions=["jinja2.ext.i18n"],
    )  # fmt: skip
    words = catalogue(lang)

    def say(message: str) -> str:
        return words.get(message, message)

    def say_n(one: str, many: str, n: int) -> str:
        return say(one if n == 1 else many)

    install: Any = environment
    install.install_gettext_callables(say, say_n, newstyle=True)
    environment.filters["local_time"] = local_time
    return environment
