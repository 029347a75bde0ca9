"""/api/v1/events: Server-Sent Events. Resumes after Last-Event-ID, which is a position in this node's order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated

import orjson
from fastapi import APIRouter, Header, Query
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import StreamingResponse

from wanmi.errors import BadInput
from wanmi.models import CaseRow, table
from wanmi.registry import NodeContext
from wanmi.web.callers import Caller, Reading, find_caller, needs
from wanmi.web.events import EventHub, Hint, Listener, hints_of
from wanmi.web.seen import seen_by

MAX_BACKLOG = 5000
"""Entries that are told again after a pause; whoever is further behind loads again."""
STEP = 500
MEDIA = "text/event-stream"
_RIGHT = "case.read"
_ALL = "journal.read"


def event_routes(node: NodeContext, hub: EventHub) -> APIRouter:
    """The route of the stream."""
    router = APIRouter(tags=["events"], default_response_class=StreamingResponse)
    described = {200: {"content": {MEDIA: {"schema": {"type": "string"}}}, "description": "a stream of events"}}

    @router.get("/events", responses=described)  # type: ignore[arg-type]
    @needs(_RIGHT)
    async def events(
        request: Request,
        caller: Reading,
        after: Annotated[int | None, Query(ge=0, le=2**53, description="a position; Last-Event-ID goes before")] = None,
        kinds: Annotated[str, Query(max_length=400, description="beginnings of kinds: case.,task.sent")] = "",
        last: Annotated[str, Header(alias="Last-Event-ID", max_length=20)] = "",
    ) -> StreamingResponse:
        """Hints about new entries: ``entry`` (position, origin, seq, kind, subject, version, at), ``reload`` when some
        were lost, ``ready`` first. Comments come as heartbeats. A department hears of its own cases only;
        kinds may name a right of their own, such as those of calls (``call.``).
        """
        stream = Stream(node, hub, request, caller, tuple(one.strip() for one in kinds.split(",") if one.strip()))
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(stream.run(_position(last, after)), 200, headers, MEDIA)

    return router


def _position(last: str, after: int | None) -> int | None:
    if not last:
        return after
    if not (last.isascii() and last.isdigit()):
        raise BadInput(f"Last-Event-ID {last[:20]!r}: must be a position that this stream sent")
    return int(last)


class Stream:
    """One client's stream."""

    def __init__(
        self, node: NodeContext, hub: EventHub, request: Request, caller: Caller, kinds: tuple[str, ...]
    ) -> None:
        self._node = node
        self._hub = hub
        self._request = request
        self._caller = caller
        self._kinds = kinds
        self._pos = 0

    async def run(self, last: int | None) -> AsyncIterator[str]:
        """What the client gets, until it leaves, may no longer listen, or the server stops."""
        with self._hub.join() as listener:
            newest = self._node.journal.pos
            known = last is not None and 0 <= newest - last <= MAX_BACKLOG
            self._pos = last if known and last is not None else newest
            yield "retry: 3000\n" + self._event("ready", {"pos": self._pos})
            if last is not None and not known:
                yield self._reload("what came since is too much, or this node never was there")
            async for text in self._backlog(newest):
                yield text
            judged = listener.loop.time()
            while not listener.closed:
                if text := await self._next(listener):
                    yield text
                if listener.loop.time() - judged >= self._hub.beat:
                    judged = listener.loop.time()
                    if not await self._may_go_on():
                        return

    async def _backlog(self, newest: int) -> AsyncIterator[str]:
        while self._pos < newest:
            entries = await run_in_threadpool(self._node.journal.in_order, self._pos, STEP)
            text = await self._told(hints_of(entries))
            self._pos = max(self._pos, entries[-1].pos) if entries else newest
            if text:
                yield text

    async def _next(self, listener: Listener) -> str:
        came = await listener.wait(self._hub.beat)
        hints = listener.take()
        if listener.lost:
            listener.lost = False
            self._pos = self._node.journal.pos
            return self._reload("this client was too slow")
        text = await self._told([hint for hint in hints if hint.pos > self._pos])
        if hints:
            self._pos = max(self._pos, hints[-1].pos)
        return text if came else f": beat\nid: {self._pos}\n\n"

    async def _told(self, hints: list[Hint]) -> str:
        wanted = [hint for hint in hints if not self._kinds or hint.kind.startswith(self._kinds)]
        seen = await run_in_threadpool(visible, self._node, self._caller, wanted) if wanted else []
        return "".join(_text("entry", asdict(hint), hint.pos) for hint in seen)

    async def _may_go_on(self) -> bool:
        """Whether the session or token still stands: who asks is judged anew, with the unit of now."""
        caller = await run_in_threadpool(find_caller, self._node, self._request)
        right = self._node.registry.rights[_RIGHT]
        if caller is None or caller.actor != self._caller.actor or caller.refusal(right, self._node.role):
            return False
        self._caller = caller
        return True

    def _reload(self, why: str) -> str:
        return self._event("reload", {"pos": self._pos, "reason": why})

    def _event(self, name: str, data: dict[str, object]) -> str:
        return _text(name, data, self._pos)


def visible(node: NodeContext, caller: Caller, hints: list[Hint]) -> list[Hint]:
    """Those hints that the caller may have: whoever reads the journal all, others those of cases that they see, and of
    kinds that name a right of theirs.
    """
    if not caller.refusal(node.registry.rights[_ALL], node.role):
        return hints
    cases = _seen_cases(node, caller, [hint for hint in hints if hint.subject.startswith("case:")])
    told = _told_kinds(node, caller)
    return [hint for hint in hints if hint.kind in told or (hint.subject.startswith("case:") and hint in cases)]


def _told_kinds(node: NodeContext, caller: Caller) -> set[str]:
    rights = node.registry.rights
    named = {one.name: rights[one.told] for one in node.registry.kinds.values() if one.told in rights}
    return {kind for kind, right in named.items() if not caller.refusal(right, node.role)}


def _seen_cases(node: NodeContext, caller: Caller, cases: list[Hint]) -> list[Hint]:
    seen = seen_by(caller)
    if seen is None or not cases:
        return cases
    number = table(CaseRow).c.number
    asked = {hint.subject.removeprefix("case:") for hint in cases}
    with node.store.reader() as tx:
        known = set(tx.execute(select(number).where(number.in_(asked), seen)).scalars())
    return [hint for hint in cases if hint.subject.removeprefix("case:") in known]


def _text(name: str, data: dict[str, object], pos: int) -> str:
    return f"id: {pos}\nevent: {name}\ndata: {orjson.dumps(data).decode()}\n\n"
