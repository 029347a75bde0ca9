"""/api/v1/hotline: events in, pop-ups out, wrap-up, call back; calls without who called, and who called for those who may."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Query, Request
from pydantic import BaseModel
from sqlalchemy import Connection, select
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from wanmi.errors import BadInput, NotFound
from wanmi.hookspecs import Actor
from wanmi.identity.views import note_view
from wanmi.models import table
from wanmi.registry import NodeContext
from wanmi.web import Keeping, Once, caller_of, needs
from wanmi.web.bounds import Id
from wanmi.web.headers import CONTENT_CSP
from wanmi_hotline.callers import caller_blob, open_caller
from wanmi_hotline.events import MAX_EVENT, Event, checked
from wanmi_hotline.popup import Popup, case_of_report, popups_of
from wanmi_hotline.projecting import Call
from wanmi_hotline.rows import CallRow, CallSealedRow
from wanmi_hotline.seats import seat_of, take_seat
from wanmi_hotline.wrapup import (
    AlsoCall,
    CallBack,
    WrapUp,
    call_back,
    call_of,
    decode_call_back,
    decode_wrap_up,
    wrap_up,
)

if TYPE_CHECKING:
    from wanmi_hotline.parts import Hotline

MAX_EVENTS = 100
MAX_WAIT = 25
"""Seconds that a request for pop-ups may wait."""
MAX_PAGE = 200


class Seat(BaseModel):
    """The extension where one sits from now on; empty: nowhere."""

    seat: Id


@dataclass(frozen=True)
class TakenOut:
    """How many events were new, and how many were known already."""

    taken: int
    known: int


@dataclass(frozen=True)
class PopupsOut:
    """The calls on one's screen; ask again with ``seen`` to be told when they change. ``at`` is the node's time."""

    seat: str
    calls: list[Popup]
    seen: int
    at: int


@dataclass(frozen=True)
class RecordingOut:
    """A recording; its bytes are behind ``url`` for those who may hear them."""

    digest: str
    size: int
    media: str
    url: str


@dataclass(frozen=True)
class CallOut:
    """A call without who called. ``case`` is the case of its report, once there is one; times µs UTC."""

    call: str
    system: str
    direction: str
    called: str
    state: str
    missed: bool
    seat: str
    operator: str | None
    begun_at: int
    answered_at: int | None
    ended_at: int | None
    held_seconds: int
    reason: str
    outcome: str | None
    report: str | None
    case: str | None
    about: str | None
    call_back: bool
    called_back: str | None
    rating: str | None
    recordings: list[RecordingOut]


@dataclass(frozen=True)
class CallsOut:
    """Calls, newest first; ``next`` is the ``before`` of the following page."""

    calls: list[CallOut]
    next: int | None


@dataclass(frozen=True)
class CallerOut:
    """Who called."""

    number: str
    name: str
    notes: str


def api_routes(node: NodeContext, hotline: Hotline) -> APIRouter:
    """The routes under /api/v1/hotline."""
    router = APIRouter(tags=["hotline"])
    _event_routes(router, node, hotline)
    _desk_routes(router, node, hotline)
    _call_routes(router, node)
    _caller_routes(router, node)
    return router


def _event_routes(router: APIRouter, node: NodeContext, hotline: Hotline) -> None:
    @router.post("/events", openapi_extra=_json_body("Event"))
    @needs("hotline.events")
    async def events(request: Request) -> TakenOut:
        """Tell what happened to calls: one event, or ``{"events": […]}``. Answered when all are durable.

        The same event again is known and changes nothing. When one does not fit, those before it were taken.
        """
        raw = await _body(request, MAX_EVENT)
        return await run_in_threadpool(_take_all, hotline, node, raw)


def _take_all(hotline: Hotline, node: NodeContext, raw: bytes) -> TakenOut:
    intake = hotline.intake(node)
    taken = [intake.take(event) for event in decode_events(raw)]
    return TakenOut(sum(taken), len(taken) - sum(taken))


class _Many(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    events: Annotated[list[Event], msgspec.Meta(min_length=1, max_length=MAX_EVENTS)]


def decode_events(raw: bytes) -> list[Event]:
    """One event or a list of them; BadInput that says what is wrong."""
    try:
        if raw.lstrip()[:1] == b"{" and b'"events"' in raw[:4096].partition(b":")[0]:
            return [checked(event) for event in msgspec.json.decode(raw, type=_Many).events]
        return [checked(msgspec.json.decode(raw, type=Event))]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"event: {error}") from error


def _desk_routes(router: APIRouter, node: NodeContext, hotline: Hotline) -> None:
    @router.put("/seat")
    @needs("hotline.work")
    async def seat(request: Request, given: Annotated[Seat, Body()]) -> Seat:
        """Sit down at a telephone: its calls pop up here from now on."""
        actor = caller_of(request).actor
        await run_in_threadpool(take_seat, node, actor.id, given.seat)
        hotline.board.changed()
        return Seat(seat=given.seat.strip())

    @router.get("/popup")
    @needs("hotline.work")
    async def popup(
        request: Request,
        seen: Annotated[int, Query(ge=-1, le=2**53)] = -1,
        wait: Annotated[int, Query(ge=0, le=MAX_WAIT, description="seconds")] = 0,
    ) -> PopupsOut:
        """One's own calls that ring, are talked or wait for their wrap-up.

        With ``seen`` of the last answer and ``wait`` it answers when a call changes, or after so many seconds.
        """
        actor = caller_of(request).actor
        count = hotline.board.count
        if wait and seen == count:
            count = await hotline.board.wait(seen, wait)
        calls = await run_in_threadpool(popups_of, node, actor)
        return PopupsOut(seat_of(node, actor.id), calls, count, node.clock.now())

    @router.post("/calls/{call}/wrap-up", openapi_extra=_json_body("WrapUp"))
    @needs("hotline.work")
    async def wrap(request: Request, once: Keeping, call: Id) -> CallOut:
        """Write down what the call was; of a report the case comes at once. 409 when somebody did so before."""
        given = decode_wrap_up(await _body(request, 64 * 1024))
        return await run_in_threadpool(_wrapped, node, hotline, request, once, call, given)

    @router.post("/calls/{call}/call-back", openapi_extra=_json_body("CallBack"))
    @needs("hotline.work")
    async def called_back(request: Request, once: Keeping, call: Id) -> CallOut:
        """Write down that the caller was called back, and how satisfied they are."""
        given = decode_call_back(await _body(request, 16 * 1024))
        return await run_in_threadpool(_called_back, node, request, once, call, given)


def _wrapped(node: NodeContext, hotline: Hotline, request: Request, once: Once, call: str, given: WrapUp) -> CallOut:
    wrapped = wrap_up(node, caller_of(request).actor, call, given, _keep(once))
    hotline.board.changed()
    return call_out(node, wrapped.call)


def _called_back(node: NodeContext, request: Request, once: Once, call: str, given: CallBack) -> CallOut:
    return call_out(node, call_back(node, caller_of(request).actor, call, given, _keep(once)))


def _keep(once: Once) -> AlsoCall:
    return lambda tx, call: once.keep(tx, _call_out(tx, call))


def _call_routes(router: APIRouter, node: NodeContext) -> None:
    @router.get("/calls")
    @needs("hotline.read")
    async def calls(
        state: Id = "",
        missed: bool | None = None,
        to_call_back: Annotated[bool, Query(description="only those that wait for a call back")] = False,
        before: Annotated[int | None, Query(ge=0, le=2**53, description="begun before, µs UTC")] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    ) -> CallsOut:
        """Calls of this node, newest first, without who called."""
        row = table(CallRow)
        query = select(row).where(row.c.origin == node.code)
        if state:
            query = query.where(row.c.state == state)
        if missed is not None:
            query = query.where(row.c.missed == int(missed))
        if to_call_back:
            query = query.where(row.c.call_back == 1, row.c.called_back.is_(None))
        if before is not None:
            query = query.where(row.c.begun_at < before)
        with node.store.reader() as tx:
            found = [Call(**one._mapping) for one in tx.execute(query.order_by(row.c.begun_at.desc()).limit(limit))]
        return CallsOut([call_out(node, one) for one in found], found[-1].begun_at if len(found) == limit else None)

    @router.get("/calls/{call}")
    @needs("hotline.read")
    async def one_call(call: Id) -> CallOut:
        """A call, without who called."""
        return call_out(node, call_of(node, call))


def _caller_routes(router: APIRouter, node: NodeContext) -> None:
    @router.get("/calls/{call}/caller")
    @needs("hotline.caller")
    async def caller(request: Request, call: Id) -> CallerOut:
        """Who called. That it was looked at is journaled. 404 when it is hidden or was erased."""
        return await run_in_threadpool(_caller, node, caller_of(request).actor, call)

    @router.get("/calls/{call}/recordings/{digest}", response_class=Response)
    @needs("hotline.caller")
    async def recording(request: Request, call: Id, digest: Id) -> Response:
        """A recording's bytes. That it was heard is journaled."""
        return await run_in_threadpool(_recording, node, caller_of(request).actor, call, digest)


def _caller(node: NodeContext, actor: Actor, call_id: str) -> CallerOut:
    call = call_of(node, call_id)
    with node.store.reader() as tx:
        blob = caller_blob(tx, call.subject)
    known = open_caller(node, blob) if blob is not None else None
    if blob is None or known is None:
        raise NotFound(f"call {call_id}: who called is not known here, or was erased")
    note_view(node, actor, blobs=[blob], subject=call.subject, why="caller")
    return CallerOut(**msgspec.structs.asdict(known))


def _recording(node: NodeContext, actor: Actor, call_id: str, digest: str) -> Response:
    call, row = call_of(node, call_id), table(CallSealedRow).c
    query = select(row.blob, row.media).where(
        row.subject == call.subject, row.role == "recording", row.digest == digest
    )
    with node.store.reader() as tx:
        found = tx.execute(query).first()
    if found is None:
        raise NotFound(f"call {call_id}: no recording {digest[:12]}")
    content = node.blobs.open(found.blob)
    note_view(node, actor, blobs=[found.blob], subject=call.subject, why="recording")
    return Response(content, 200, {"content-security-policy": CONTENT_CSP}, found.media)


def call_out(node: NodeContext, call: Call) -> CallOut:
    """A call as the API shows it."""
    with node.store.reader() as tx:
        return _call_out(tx, call)


def _call_out(tx: Connection, call: Call) -> CallOut:
    row = table(CallSealedRow).c
    query = select(row.digest, row.size, row.media).where(row.subject == call.subject, row.role == "recording")
    recordings = [
        RecordingOut(one.digest, one.size, one.media, f"/api/v1/hotline/calls/{call.id}/recordings/{one.digest}")
        for one in tx.execute(query.order_by(row.seq))
    ]
    kept = {name: value for name, value in asdict(call).items() if name in CallOut.__dataclass_fields__}
    changed: dict[str, Any] = {
        "call": call.id,
        "missed": bool(call.missed),
        "call_back": bool(call.call_back),
        "held_seconds": call.held_us // 1_000_000,
        "case": case_of_report(tx, call.report),
        "recordings": recordings,
    }
    return CallOut(**{**kept, **changed})


async def _body(request: Request, most: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise BadInput(f"a body of more than {most} bytes")
    return bytes(body)


def _json_body(name: str) -> dict[str, Any]:
    """The body in the API's description: the schema of docs/hotline."""
    from wanmi_hotline.schemas import schema_of

    content = {"application/json": {"schema": schema_of(name)}}
    return {"requestBody": {"required": True, "content": content}}
