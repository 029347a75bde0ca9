"""HTTP: what staff do with cases, under /api/v1/cases. Every refusal is a problem that explains itself."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Annotated

import orjson
from fastapi import APIRouter, Header, Query, Request
from sqlalchemy import select

from wanmi.case_kinds import RequestKind
from wanmi.cases import Ask, Case
from wanmi.cases.case import RequestState
from wanmi.clocks import ClockState
from wanmi.errors import BadInput, NotFound
from wanmi.journal.case_rows import CaseRequestRow
from wanmi.models import CaseRow, table
from wanmi.registry import NodeContext
from wanmi.web.bounds import Id, Time
from wanmi.web.callers import Caller, Reading, needs
from wanmi.web.direct import direct
from wanmi.web.seen import need_case, seen_by
from wanmi_casework.attached import upload
from wanmi_casework.desk import CaseDesk, who_asks
from wanmi_casework.desk_forms import (
    MAX_BULK,
    BulkOut,
    BulkStepIn,
    CanOut,
    ClockOut,
    DecisionIn,
    OtherIn,
    PhotoIn,
    RequestIn,
    RequestLine,
    SaidIn,
    SplitIn,
    StepIn,
    WorkOut,
    bulk_out,
    may_out,
    work_out,
)
from wanmi_casework.desk_split import Part, split_case
from wanmi_casework.desk_time import lines_of, states_of

Key = Annotated[str, Header(alias="Idempotency-Key", max_length=100)]
_NUMBER = re.compile(r"[0-9A-Za-z-]{1,60}")
MAX_PHOTO = 8 * 1024 * 1024
"""Bytes of an attachment that comes over HTTP."""


def desk_routes(node: NodeContext) -> APIRouter:
    """The routes of the desk."""
    router, desk = APIRouter(tags=["casework"]), CaseDesk(node).watching()
    _looking(router, desk)
    _working(router, desk)
    _joining(router, desk)
    _attaching(router, desk)
    return router


def _seen(desk: CaseDesk, caller: Caller, number: str) -> None:
    """404 for a case that the caller may not see, as for one that there is not."""
    _check_number(number)
    with desk.node.store.reader() as tx:
        need_case(tx, caller, number)


def _check_number(number: str) -> None:
    if not _NUMBER.fullmatch(number):
        raise NotFound(f"case {number[:60]!r}: not known at this node")


def _looking(router: APIRouter, desk: CaseDesk) -> None:
    @router.get("/cases/{number}/work")
    @needs("case.read")
    def work(caller: Reading, number: Id) -> WorkOut:
        """The case with its requests, links and history."""
        _seen(desk, caller, number)
        return work_out(desk.case(number))

    @router.get("/cases/{number}/can")
    @needs("case.read")
    def can(caller: Reading, number: Id) -> CanOut:
        """Which steps and requests lead out of its state: which of them the caller may take now, and why not."""
        _seen(desk, caller, number)
        case = desk.case(number)
        found = desk.may(number, caller.actor, caller.unit)
        return CanOut(number, case.version, case.state, [may_out(may) for may in found])

    @router.get("/cases/{number}/clock")
    @needs("case.read")
    def clock(caller: Reading, number: Id, at: Time | None = None) -> list[ClockOut]:
        """Every clock of the case, explained line by line, as of now or ``at`` (µs UTC)."""
        _seen(desk, caller, number)
        case = desk.case(number)
        as_of = max(desk.node.clock.now(), case.changed_at) if at is None else at
        steps = desk.table(case)
        found = states_of(steps, case, desk.timing(steps).calendar, as_of)
        return [_clock_out(state) for state in found]

    @router.get("/requests")
    @needs("case.read")
    def requests(
        caller: Reading,
        state: RequestState = "open",
        what: RequestKind | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> list[RequestLine]:
        """Requests of this node's cases, those that expire first before."""
        return _requests(desk, caller, state, what, limit)


def _working(router: APIRouter, desk: CaseDesk) -> None:
    @router.post("/cases/bulk/steps")
    @needs("case.step")
    def bulk(caller: Reading, ask: BulkStepIn, key: Key = "") -> list[BulkOut]:
        """The same step on many cases: a result for each, one refusal stops no other."""
        if not 1 <= len(ask.numbers) <= MAX_BULK:
            raise BadInput(f"numbers: 1 to {MAX_BULK} cases at once")
        return [
            bulk_out(one)
            for one in desk.bulk(ask.numbers, lambda number: _step(desk, caller, number, ask, _key_of(key, number)))
        ]

    @router.post("/cases/{number}/steps")
    @needs("case.step")
    @direct
    async def step(caller: Reading, number: Id, ask: StepIn, key: Key = "") -> WorkOut:
        """Take a step. 403 and 409 say why not and what may be done."""
        _check_number(number)  # the gate has looked whether the caller sees the case of this path
        return work_out(await desk.take_async(number, _ask(caller, ask, key), key))

    @router.post("/cases/{number}/requests")
    @needs("case.step")
    def request(caller: Reading, number: Id, ask: RequestIn, key: Key = "") -> WorkOut:
        """Ask for a side flow: return, extension, suspension, deferral, void, forced_close, reopen, overdue_appeal."""
        _seen(desk, caller, number)
        said = ask.said(caller.unit, key)
        return work_out(desk.request(number, ask.what, caller.actor, said, until=ask.until, id=ask.id))

    @router.post("/cases/{number}/requests/{request}/decision")
    @needs("case.step")
    def decision(caller: Reading, number: Id, request: Id, ask: DecisionIn, key: Key = "") -> WorkOut:
        """Grant or refuse a request, as one of its reviewers."""
        _seen(desk, caller, number)
        return work_out(desk.decide_request(number, request, ask.granted, caller.actor, ask.said(caller.unit, key)))

    @router.post("/cases/{number}/resume")
    @needs("case.step")
    def resume(caller: Reading, number: Id, ask: SaidIn, key: Key = "") -> WorkOut:
        """End a suspension before its date."""
        _seen(desk, caller, number)
        return work_out(desk.resume(number, caller.actor, ask.said(caller.unit, key)))


def _joining(router: APIRouter, desk: CaseDesk) -> None:
    @router.post("/cases/{number}/merge")
    @needs("case.link")
    def merge(caller: Reading, number: Id, ask: OtherIn, key: Key = "") -> WorkOut:
        """Merge the case into ``other``; it can be undone."""
        _seen(desk, caller, number)
        return work_out(desk.merge(number, ask.other, caller.actor, ask.said(caller.unit, key)))

    @router.post("/cases/{number}/unmerge")
    @needs("case.link")
    def unmerge(caller: Reading, number: Id, ask: SaidIn, key: Key = "") -> WorkOut:
        """Undo a merge: the case stands where it stood."""
        _seen(desk, caller, number)
        return work_out(desk.unmerge(number, caller.actor, ask.said(caller.unit, key)))

    @router.post("/cases/{number}/links")
    @needs("case.link")
    def link(caller: Reading, number: Id, ask: OtherIn, key: Key = "") -> WorkOut:
        """Link the case with a similar one, both ways where both are of this node."""
        _seen(desk, caller, number)
        said = ask.said(caller.unit, key)
        return work_out(desk.link(number, ask.other, caller.actor, said, kind=ask.kind))

    @router.post("/cases/{number}/split")
    @needs("case.link")
    def split(caller: Reading, number: Id, ask: SplitIn, key: Key = "") -> list[WorkOut]:
        """Open a linked case for each part; answers the new cases."""
        _seen(desk, caller, number)
        parts = [Part(one.kind, one.category, one.component) for one in ask.parts]
        found = split_case(desk, number, parts, caller.actor, ask.said(caller.unit, key))
        return [work_out(case) for case in found]


def _attaching(router: APIRouter, desk: CaseDesk) -> None:
    @router.post("/cases/{number}/attachments")
    @needs("case.step")
    async def attach(caller: Reading, number: Id, request: Request) -> PhotoIn:
        """Seal a photo or sound (the body, by its content type) for this case; name the answer in a step's or request's
        ``attachments`` within a day. It counts for who uploaded it, for this case, once.
        """
        from starlette.concurrency import run_in_threadpool

        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        content = await _content(request)
        return await run_in_threadpool(_kept, desk, caller, number, content, media)


def _kept(desk: CaseDesk, caller: Caller, number: str, content: bytes, media: str) -> PhotoIn:
    _seen(desk, caller, number)
    made = upload(desk.node, desk.own(number).number, caller.actor.id, content, media)
    return PhotoIn(made.blob, made.role, made.digest, made.size, made.media)


async def _content(request: Request) -> bytes:
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_PHOTO:
            raise BadInput(f"an attachment has at most {MAX_PHOTO} bytes")
    if not content:
        raise BadInput("the attachment is empty; send the file as the body")
    return content


def _step(desk: CaseDesk, caller: Caller, number: str, ask: StepIn, key: str) -> Case:
    _seen(desk, caller, number)
    return desk.take(number, _ask(caller, ask, key), key)


def _ask(caller: Caller, ask: StepIn, key: str) -> Ask:
    return Ask(
        **who_asks(caller.actor, ask.said(caller.unit, key)), step=ask.step, department=ask.department,
        collector=ask.collector, limit=ask.limit.limit() if ask.limit else None, reason=ask.reason,
    )  # fmt: skip


def _key_of(key: str, number: str) -> str:
    """One key for each case of a bulk ask."""
    return sha256(f"{key}\n{number}".encode()).hexdigest() if key else ""


def _clock_out(state: ClockState) -> ClockOut:
    zh, en = lines_of(state)
    return ClockOut(
        state.rule.id, state.rule.zh, state.rule.en, state.phase, state.deadline, state.light, state.late,
        state.elapsed_s, state.limit_s, list(zh), list(en),
    )  # fmt: skip


def _requests(desk: CaseDesk, caller: Caller, state: str, what: str | None, limit: int) -> list[RequestLine]:
    rows, cases = table(CaseRequestRow), table(CaseRow)
    query = select(rows).join(cases, cases.c.number == rows.c.number).where(rows.c.state == state)
    if what:
        query = query.where(rows.c.what == what)
    seen = seen_by(caller)
    if seen is not None:
        query = query.where(seen)
    with desk.node.store.reader() as tx:
        found = tx.execute(query.order_by(rows.c.expires, rows.c.number, rows.c.request).limit(limit)).all()
    return [
        RequestLine(
            row.number, row.request, row.what, row.state, row.actor, row.unit, row.opinion, row.made_at, row.until,
            row.expires, orjson.loads(row.approvers), row.reviewers, len(orjson.loads(row.reviews)),
        )
        for row in found
    ]  # fmt: skip
