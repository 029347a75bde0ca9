"""Endpoints that are called without the framework, where everybody waits for them: the same checks, the same answers.

FastAPI's routing, dependencies, validation and encoding cost more than a step of a case does. An endpoint marked
``@direct`` is called right behind the gate when its request is plain: a small JSON body that fits its type strictly.
Anything else (also what is wrong and must be told how) goes the framework's way, to the very same endpoint.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, is_dataclass, replace
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from fastapi.params import Depends, Header
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from wanmi.errors import WanmiError
from wanmi.web.bodies import read_body, replay
from wanmi.web.callers import Caller, caller_of
from wanmi.web.problems import problem, status_of

Endpoint = TypeVar("Endpoint", bound=Callable[..., Awaitable[object]])
MAX_BODY = 64 * 1024
"""Bytes of a body that is read here; a longer one is the framework's."""
_DIRECT = "__wanmi_direct__"
_JSON = b"application/json"
_KEY = b"idempotency-key"
_ENCODER = msgspec.json.Encoder()


def direct(endpoint: Endpoint) -> Endpoint:
    """Mark a coroutine that takes the caller, parts of its path, at most one JSON body and headers of text, no more."""
    setattr(endpoint, _DIRECT, True)
    return endpoint


def direct_of(endpoint: object, path: str, methods: frozenset[str]) -> Direct | None:
    """How to call an endpoint that is marked, None for any other; TypeError when it takes what cannot be given here.

    Nobody stands between it and the gate: a POST has to take its idempotency key itself.
    """
    if getattr(endpoint, _DIRECT, False) is not True or not callable(endpoint):
        return None
    hints = get_type_hints(endpoint, include_extras=True)
    found = Direct(endpoint)
    for name, parameter in inspect.signature(endpoint).parameters.items():
        found = _taking(found, name, hints[name], parameter.default, path)
    if "POST" in methods and not any(wire == _KEY for wire, _, _ in found.headers):
        raise TypeError(f"POST {path}: a direct endpoint takes its Idempotency-Key itself")
    return found


@dataclass(frozen=True)
class Direct:
    """How an endpoint is called: under which names it takes the caller, the body, headers (by their wire names)."""

    endpoint: Callable[..., Any]
    caller: str = ""
    body: str = ""
    decoder: msgspec.json.Decoder[Any] | None = None
    headers: tuple[tuple[bytes, str, int], ...] = ()
    texts: tuple[tuple[str, int], ...] = ()
    """Parts of the path, and how long they may be."""

    async def answer(
        self, scope: Scope, receive: Receive, send: Send, caller: Caller, path: Mapping[str, str]
    ) -> Receive | None:
        """Answer the request: None. Or the receive for the framework, when the request is not a plain one."""
        given: dict[str, Any] = dict(path)
        if any(len(path[name]) > most for name, most in self.texts):
            return receive
        if self.caller:
            given[self.caller] = caller
        if not self._add_headers(given, scope["headers"]):
            return receive
        if self.decoder is not None:
            raw = await read_body(receive, MAX_BODY) if _is_small_json(scope["headers"]) else None
            if raw is None:
                return receive
            try:
                given[self.body] = self.decoder.decode(raw)
            except msgspec.MsgspecError:
                return replay(raw, receive)
        await self._call(given, scope, receive, send)
        return None

    async def _call(self, given: Mapping[str, Any], scope: Scope, receive: Receive, send: Send) -> None:
        try:
            content = _ENCODER.encode(await self.endpoint(**given))
        except WanmiError as error:
            await problem(Request(scope), status_of(error), str(error))(scope, receive, send)
            return
        headers = [(b"content-length", b"%d" % len(content)), (b"content-type", _JSON)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _add_headers(self, given: dict[str, Any], headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether every header that the endpoint takes may be taken as it is."""
        for wanted, name, most in self.headers:
            value = next((value for found, value in headers if found == wanted), None)
            if value is not None:
                if len(value) > most:
                    return False
                given[name] = value.decode("latin-1")
        return True


def _taking(found: Direct, name: str, hint: Any, default: Any, path: str) -> Direct:
    """With one more parameter of the endpoint."""
    about = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    if f"{{{name}}}" in path and (hint is str or get_args(hint)[:1] == (str,)):
        return replace(found, texts=(*found.texts, (name, _longest(about))))
    if any(isinstance(one, Depends) and one.dependency is caller_of for one in about):
        return replace(found, caller=name)
    header = next((one for one in about if isinstance(one, Header)), None)
    if header is not None and header.alias and default is not inspect.Parameter.empty:
        most = _longest(header.metadata)
        return replace(found, headers=(*found.headers, (header.alias.lower().encode(), name, most)))
    if is_dataclass(hint) and found.decoder is None:
        return replace(found, body=name, decoder=msgspec.json.Decoder(hint))
    raise TypeError(f"{path}: a direct endpoint cannot take {name}: {hint}")


def _longest(about: Iterable[object]) -> int:
    """How long a text may be by what is said about it."""
    return next((one.max_length for one in about if getattr(one, "max_length", None) is not None), MAX_BODY)  # type: ignore[attr-defined]


def _is_small_json(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the body is declared to be JSON and its length to be small."""
    length, media = -1, b""
    for name, value in headers:
        if name == b"content-length" and value.isdigit():
            length = int(value)
        elif name == b"content-type":
            media = value
    return 0 < length <= MAX_BODY and media.partition(b";")[0].strip().lower() == _JSON
