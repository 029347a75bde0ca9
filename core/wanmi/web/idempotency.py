"""Idempotency keys for every POST under /api/v1 that does not keep keys of its own (the desk's steps, reports).

ASGI middleware behind the gate. The key is reserved durably before the request does anything, and its answer is
durable before it is sent: in the effect's own transaction where the endpoint says so (``Once.keep`` in an append's
``also``), else right after the effect. So a crash never makes a repetition run twice: it gets the answer, or 409 with
``outcome`` "unknown" and where to look. Who was refused (4xx) has changed nothing and is judged anew. Routes under /self
take no keys: what tells a secret once is never kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from re import Pattern
from typing import Annotated, TypeVar, cast

from fastapi import Depends
from fastapi.encoders import jsonable_encoder
from fastapi.routing import APIRoute
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wanmi.errors import WanmiError
from wanmi.identity.request_keys import (
    MAX_ANSWER,
    KeptAnswer,
    OutcomeUnknown,
    RequestKey,
    keep_answer,
    release_key,
    reserve_key,
)
from wanmi.registry import NodeContext
from wanmi.web.callers import known_caller
from wanmi.web.problems import problem, status_of

T = TypeVar("T")
HEADER = "idempotency-key"
MAX_BODY = 1024 * 1024
"""Bytes of a request that may come with a key."""
AGAIN = 1
"""Seconds until a request that is under way may be asked for again."""
_API = "/api/v1/"
_KEYLESS = "/api/v1/self/"


class Once:
    """A request's key where its effect is: ``keep`` the answer in the effect's transaction. Without a key it does nothing."""

    def __init__(self, key: RequestKey | None) -> None:
        self._key = key
        self.kept = False

    def keep(self, tx: Connection, answer: object, status: int = 200) -> None:
        """Write down what the endpoint is about to answer; call it in the transaction of the effect, at its end."""
        if self._key is not None:
            body = bytes(JSONResponse(jsonable_encoder(answer)).body)
            keep_answer(tx, self._key, KeptAnswer(status, JSONResponse.media_type or "", body))
            self.kept = True


def once_of(request: HTTPConnection) -> Once:
    """The request's ``Once``; one without a key where it brought none."""
    return cast("Once | None", request.scope.get("state", {}).get("once")) or Once(None)


Keeping = Annotated[Once, Depends(once_of)]
"""The request's ``Once``, as an endpoint's argument."""


class Idempotency:
    """The middleware; ``found`` are the app's routes with their prefixes."""

    def __init__(self, app: ASGIApp, node: NodeContext, found: Iterable[tuple[str, BaseRoute]]) -> None:
        routes = list(found)
        self._app = app
        self._node = node
        self._own = [compile_path(path)[0] for path in _keeping_own(routes)]
        self._shown = [compile_path(path)[0] for path in _shown(routes)]
        self._lock = threading.Lock()
        self._running: set[tuple[str, str]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer as before."""
        if not self._concerns(scope):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        body = await _body(request)
        caller = known_caller(request)
        if body is None or caller is None:
            await problem(request, 413, f"a request with a key has at most {MAX_BODY} bytes")(scope, receive, send)
            return
        key = RequestKey(caller.actor.id, request.headers[HEADER], _asked(request, body))
        if not self._begin(key):
            said = "a request with this idempotency key is under way; ask again for its answer"
            await problem(request, 409, said, {"retry-after": str(AGAIN)})(scope, receive, send)
            return
        try:
            await self._once(request, key, body, send)
        finally:
            self._running.discard((key.actor, key.key))

    def _begin(self, key: RequestKey) -> bool:
        with self._lock:
            busy = (key.actor, key.key) in self._running
            self._running.add((key.actor, key.key))
        return not busy

    def _concerns(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith(_API):
            return False
        given = any(name == HEADER.encode() for name, _ in scope["headers"])
        return given and not scope["path"].startswith(_KEYLESS) and not _any(self._own, scope["path"])

    async def _once(self, request: Request, key: RequestKey, body: bytes, send: Send) -> None:
        answer = await run_in_threadpool(self._reserve, request, key)
        if answer is None:
            once = request.scope.setdefault("state", {})["once"] = Once(key)
            held = _Held()
            await self._app(request.scope, _given(body), held)
            await run_in_threadpool(self._settle, key, once, held)
            await held.pass_on(send)
        else:
            await answer(request.scope, request.receive, send)

    def _reserve(self, request: Request, key: RequestKey) -> Response | None:
        """None for a key that is reserved now; else the answer: the earlier one, or why there is none."""
        try:
            key.check()
            kept = reserve_key(self._node.store, key, self._node.clock.now())
        except OutcomeUnknown as error:
            return problem(request, 409, str(error), outcome="unknown", look_at=self._look_at(request.url.path))
        except WanmiError as error:
            return problem(request, status_of(error), str(error))
        if kept is None:
            return None
        return Response(kept.body, kept.status, {"idempotent-replayed": "true"}, kept.media or None)

    def _settle(self, key: RequestKey, once: Once, held: _Held) -> None:
        """Keep the answer before it is sent. A refusal frees the key; after an error (5xx) nobody knows what was done."""
        if held.status >= 500:
            return
        if held.status >= 400:
            self._write(lambda tx: release_key(tx, key))
        elif not once.kept and held.size <= MAX_ANSWER:
            self._write(lambda tx: keep_answer(tx, key, held.answer()))

    def _write(self, work: Callable[[Connection], T]) -> T:
        return self._node.store.write(work).result()

    def _look_at(self, path: str) -> str:
        """The nearest address above the path that can be read; empty when there is none."""
        while (path := path.rpartition("/")[0]) and not _any(self._shown, path):
            pass
        return path


class _Held:
    """A send that holds what comes until it is let go."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self.status = 500
        self.size = 0

    async def __call__(self, message: Message) -> None:
        """Hold a message."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        self.size += len(message.get("body", b""))
        self._messages.append(message)

    def answer(self) -> KeptAnswer:
        """What is held, as an answer to keep."""
        headers = dict(self._messages[0].get("headers", []))
        body = b"".join(message.get("body", b"") for message in self._messages)
        return KeptAnswer(self.status, headers.get(b"content-type", b"").decode("latin-1"), body)

    async def pass_on(self, send: Send) -> None:
        """Let it go."""
        for message in self._messages:
            await send(message)


def _keeping_own(found: Iterable[tuple[str, BaseRoute]]) -> Iterator[str]:
    """Paths whose endpoints take the key themselves."""
    for prefix, route in found:
        taken = route.dependant.header_params if isinstance(route, APIRoute) else ()
        if isinstance(route, APIRoute) and any(one.alias.lower() == HEADER for one in taken):
            yield prefix + route.path


def _shown(found: Iterable[tuple[str, BaseRoute]]) -> Iterator[str]:
    """Paths that can be read."""
    for prefix, route in found:
        if isinstance(route, Route) and "GET" in (route.methods or ()):
            yield prefix + route.path


def _any(patterns: Iterable[Pattern[str]], path: str) -> bool:
    return any(pattern.fullmatch(path) for pattern in patterns)


def _asked(request: Request, body: bytes) -> str:
    """The fingerprint of a request: address, query, kind of body, and body, each told apart from the next."""
    media = request.headers.get("content-type", "").partition(";")[0]
    parts = (request.url.path.encode(), request.url.query.encode(), media.encode(), body)
    return sha256(b"".join(sha256(part).digest() for part in parts)).hexdigest()


async def _body(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _given(body: bytes) -> Receive:
    """A receive that gives the whole body, then that the client is still there until it is not."""
    told = False

    async def receive() -> Message:
        nonlocal told
        if told:
            return {"type": "http.disconnect"}
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
