"""Idempotency keys for every POST under /api/v1 that does not keep keys of its own (the desk's steps, reports).

ASGI middleware behind the gate. A request whose key was answered before gets that answer; only successes are kept:
whoever was refused has changed nothing and is judged anew. What tells a secret once (under /self) is never kept.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from hashlib import sha256

from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wanmi.errors import WanmiError
from wanmi.identity.request_keys import MAX_ANSWER, KeptAnswer, RequestKey, earlier_answer, keep_answer
from wanmi.registry import NodeContext
from wanmi.web.callers import known_caller
from wanmi.web.problems import problem, status_of

HEADER = "idempotency-key"
MAX_BODY = 1024 * 1024
"""Bytes of a request that may come with a key."""
_API = "/api/v1/"
_UNKEPT = "/api/v1/self/"


class Idempotency:
    """The middleware; ``found`` are the app's routes with their prefixes."""

    def __init__(self, app: ASGIApp, node: NodeContext, found: Iterable[tuple[str, BaseRoute]]) -> None:
        self._app = app
        self._node = node
        self._own = [compile_path(path)[0] for path in _keeping_own(found)]
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
        with self._lock:
            busy = (key.actor, key.key) in self._running
            self._running.add((key.actor, key.key))
        if busy:
            await problem(request, 409, "a request with this idempotency key is under way")(scope, receive, send)
            return
        try:
            await self._once(request, key, body, send)
        finally:
            self._running.discard((key.actor, key.key))

    def _concerns(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith(_API):
            return False
        given = any(name == HEADER.encode() for name, _ in scope["headers"])
        return given and not any(pattern.fullmatch(scope["path"]) for pattern in self._own)

    async def _once(self, request: Request, key: RequestKey, body: bytes, send: Send) -> None:
        try:
            key.check()
            kept = await run_in_threadpool(earlier_answer, self._node.store, key)
        except WanmiError as error:
            await problem(request, status_of(error), str(error))(request.scope, request.receive, send)
            return
        if kept is not None:
            again = Response(kept.body, kept.status, {"idempotent-replayed": "true"}, kept.media or None)
            await again(request.scope, request.receive, send)
            return
        copy = _Copy(send)
        await self._app(request.scope, _given(body), copy)
        answer = copy.answer()
        if answer is not None and not request.url.path.startswith(_UNKEPT):
            at = self._node.clock.now()
            await run_in_threadpool(self._node.store.write(lambda tx: keep_answer(tx, key, answer, at)).result)


class _Copy:
    """A send that keeps what it passes on."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._status = 0
        self._media = ""
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = dict(message.get("headers", []))
            self._media = headers.get(b"content-type", b"").decode("latin-1")
        elif len(self._body) <= MAX_ANSWER:
            self._body += message.get("body", b"")
        await self._send(message)

    def answer(self) -> KeptAnswer | None:
        """The answer to keep; None for a refusal, an error, or one that is too long."""
        if not 200 <= self._status < 300 or len(self._body) > MAX_ANSWER:
            return None
        return KeptAnswer(self._status, self._media, bytes(self._body))


def _keeping_own(found: Iterable[tuple[str, BaseRoute]]) -> Iterator[str]:
    """Paths whose endpoints take the key themselves."""
    for prefix, route in found:
        taken = route.dependant.header_params if isinstance(route, APIRoute) else ()
        if isinstance(route, APIRoute) and any(one.alias.lower() == HEADER for one in taken):
            yield prefix + route.path


def _asked(request: Request, body: bytes) -> str:
    said = b"\n".join((request.url.path.encode(), request.url.query.encode(), body))
    return sha256(said).hexdigest()


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
