"""/hotline: one page, drawn by the server, on which a call can be seen and wrapped up."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Form, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from wanmi.codes import CITY_ZONE, Lang
from wanmi.coords import parse_degrees
from wanmi.errors import BadInput, NotFound, WanmiError
from wanmi.identity.sessions import csrf_of
from wanmi.registry import NodeContext
from wanmi.web import caller_of, needs, open_route, session_cookie
from wanmi.web.problems import status_of
from wanmi_hotline.popup import popups_of
from wanmi_hotline.seats import seat_of, take_seat
from wanmi_hotline.words import LANGS, translator
from wanmi_hotline.wrapup import WrapUp, running_profile, wrap_up

if TYPE_CHECKING:
    from wanmi_hotline.parts import Hotline

FILES = "/static/hotline"
_MEDIA = {"hotline.css": "text/css; charset=utf-8", "hotline.js": "text/javascript; charset=utf-8"}
_COOKIE = "wanmi_lang"


def page_routes(node: NodeContext, hotline: Hotline) -> APIRouter:
    """The page, its forms, its files."""
    router = APIRouter(include_in_schema=False)
    page = Page(node, hotline)

    @router.get(f"{FILES}/{{name}}", name="hotline-file")
    @open_route
    async def hotline_file(name: str) -> Response:
        """Style sheet and script."""
        content, media = _content(name)
        return Response(content, media_type=media, headers={"cache-control": "public, max-age=86400"})

    @router.get("/hotline", name="hotline")
    @needs("hotline.work")
    async def show(request: Request, done: str = "") -> Response:
        """The calls on one's screen."""
        return await run_in_threadpool(page.show, request, 200, "", done)

    @router.post("/hotline/seat", name="hotline-seat")
    @needs("hotline.work")
    async def sit(request: Request, seat: Annotated[str, Form(max_length=100)] = "") -> Response:
        """Sit down at a telephone."""
        return await run_in_threadpool(page.sit, request, seat)

    @router.post("/hotline/calls/{call}", name="hotline-wrap-up")
    @needs("hotline.work")
    async def wrap(request: Request, call: str) -> Response:
        """Wrap a call up."""
        form = await request.form()
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        return await run_in_threadpool(page.wrap, request, call, fields)

    return router


class Page:
    """Draws the page and does what its forms ask."""

    def __init__(self, node: NodeContext, hotline: Hotline) -> None:
        self._node = node
        self._hotline = hotline

    def show(self, request: Request, status: int = 200, trouble: str = "", done: str = "") -> Response:
        """The page; ``trouble`` is told above it, ``done`` is the call that was just wrapped up."""
        actor, lang = caller_of(request).actor, language(request)
        pos = self._node.journal.pos
        html = (
            _environment(lang)
            .get_template("hotline.html")
            .render(
                lang=lang,
                other=next(one for one in LANGS if one != lang),
                actor=actor,
                node=self._node,
                seat=seat_of(self._node, actor.id),
                calls=popups_of(self._node, actor),
                pos=pos,
                trouble=trouble,
                done=done,
                categories=_categories(self._node, lang),
                csrf=csrf_of(request.cookies.get(session_cookie(self._node, request.url.scheme == "https"), "")),
            )
        )
        response = HTMLResponse(html, status)
        if request.query_params.get("lang") in LANGS:
            response.set_cookie(_COOKIE, lang, max_age=365 * 86400, httponly=True, samesite="lax", path="/")
        return response

    def sit(self, request: Request, seat: str) -> Response:
        """Take a seat, then the page again."""
        try:
            take_seat(self._node, caller_of(request).actor.id, seat)
        except WanmiError as error:
            return self.show(request, status_of(error), str(error))
        self._hotline.board.changed()
        return RedirectResponse("/hotline", 303)

    def wrap(self, request: Request, call: str, fields: dict[str, str]) -> Response:
        """Wrap up; what does not fit is told on the page."""
        actor = caller_of(request).actor
        try:
            wrap_up(self._node, actor, call, wrap_up_of(fields))
        except WanmiError as error:
            return self.show(request, status_of(error), str(error))
        self._hotline.board.changed()
        return RedirectResponse(f"/hotline?done={call}", 303)


def wrap_up_of(fields: dict[str, str]) -> WrapUp:
    """A wrap-up of a form's fields: the place is ``lon, lat`` in degrees, or a code."""
    place = fields.get("place", "").strip().replace("，", ",")
    point, area = None, place
    if "," in place:
        lon, _, lat = place.partition(",")
        point, area = {"lon_e7": parse_degrees(lon.strip()), "lat_e7": parse_degrees(lat.strip())}, ""
    kind, _, category = fields.get("category", "").partition(":")
    names = ("outcome", "address", "text", "name", "notes", "number", "about")
    given = {name: fields[name].strip() for name in names if fields.get(name, "").strip()}
    more = {"kind": kind, "category": category} if category else {}
    try:
        return msgspec.convert(
            {**given, **more, "point": point, "area": area, "call_back": "call_back" in fields}, WrapUp
        )
    except msgspec.ValidationError as error:
        raise BadInput(str(error)) from error


def language(request: Request) -> Lang:
    """Chosen by ``?lang=``, remembered by a cookie, Chinese otherwise."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(_COOKIE)):
        for lang in LANGS:
            if chosen == lang:
                return lang
    return "zh"


@lru_cache(maxsize=4)
def address(name: str) -> str:
    """A file's path with the first digits of its digest."""
    return f"{FILES}/{name}?v={hashlib.sha256(_content(name)[0]).hexdigest()[:10]}"


@lru_cache(maxsize=4)
def _content(name: str) -> tuple[bytes, str]:
    media = _MEDIA.get(name)
    if media is None:
        raise NotFound(f"{FILES}/{name}: no such file")
    return (files("wanmi_hotline") / "static" / name).read_bytes(), media


def _categories(node: NodeContext, lang: Lang) -> list[tuple[str, str]]:
    profile = running_profile(node)
    return [
        (f"{kind}:{one.code}", f"{one.code} {profile.category_name(one, lang)}")
        for kind in ("event", "component")
        for one in profile.catalogue.of_kind(kind)
    ]


@lru_cache(maxsize=2)
def _environment(lang: Lang) -> Environment:
    environment = Environment(
        loader=PackageLoader("wanmi_hotline"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.globals.update(t=translator(lang), address=address)
    environment.filters["clock"] = _clock
    return environment


def _clock(us: int) -> str:
    """A time as desks read it, Asia/Shanghai."""
    at = datetime.fromtimestamp(us // 1_000_000, UTC).astimezone(ZoneInfo(CITY_ZONE))
    return at.strftime("%m-%d %H:%M")
