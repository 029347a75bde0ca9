"""Endpoints called without the framework: what is plain is answered, anything else is handed on whole."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from fastapi import Header
from starlette.types import Message, Receive

from wanmi.errors import Conflict
from wanmi.hookspecs import Actor
from wanmi.web.bodies import read_body
from wanmi.web.callers import Caller, Reading
from wanmi.web.direct import Direct, direct, direct_of

PATH = "/api/v1/cases/{number}/steps"
CALLER = Caller(Actor("o-1", "operator", "Wang"), ("read", "write"), by_token=False, opens_sealed=True)
POST = frozenset({"POST"})


@dataclass(frozen=True)
class Ask:
    """What is asked."""

    step: str = ""
    expect: int | None = None
    fields: dict[str, str | int] = field(default_factory=dict)


@direct
async def step(
    caller: Reading, number: str, ask: Ask, key: Annotated[str, Header(alias="Idempotency-Key", max_length=5)] = ""
) -> dict[str, Any]:
    """An endpoint."""
    if ask.step == "late":
        raise Conflict("somebody was first")
    return {"who": caller.actor.id, "number": number, "step": ask.step, "expect": ask.expect, "key": key}


def the_direct() -> Direct:
    found = direct_of(step, PATH, POST)
    assert found is not None
    return found


def ask(body: bytes, **headers: str) -> tuple[int, Any] | bytes:
    """(status, answer), or the body that was handed on."""
    sent: list[Message] = []
    chunks = [body[:7], body[7:]]
    raw = {"content-type": "application/json", "content-length": str(len(body)), **headers}
    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/cases/n/steps", "query_string": b"", "root_path": "",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in raw.items() if value],
    }  # fmt: skip

    async def receive() -> Message:
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    async def send(message: Message) -> None:
        sent.append(message)

    async def run() -> bytes | None:
        rest: Receive | None = await the_direct().answer(scope, receive, send, CALLER, {"number": "n"})
        return None if rest is None else await read_body(rest, 1_000_000)

    rest = asyncio.run(run())
    if rest is not None:
        assert not sent
        return rest
    return sent[0]["status"], json.loads(sent[1]["body"])


def test_a_plain_request_is_answered() -> None:
    said = json.dumps({"step": "accept", "expect": 3, "more": 1}).encode()
    assert ask(said, idempotency_key="k-1") == (
        200, {"who": "o-1", "number": "n", "step": "accept", "expect": 3, "key": "k-1"},
    )  # fmt: skip


def test_our_own_errors_are_problems() -> None:
    answer = ask(b'{"step": "late"}')
    assert isinstance(answer, tuple)
    assert answer[0] == 409
    assert answer[1]["detail"] == "somebody was first"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"step": "accept", "expect": "3"}', {}),
        (b'{"step": "accept", "fields": {"a": 1.5}}', {}),
        (b'{"step": "accept"', {}),
        (b'{"step": "\\ud800"}', {}),
        (b"[]", {}),
        (b'{"step": "accept"}', {"content_type": "text/plain", "content-type": ""}),
        (b'{"step": "accept"}', {"content-length": ""}),
        (b'{"step": "accept"}', {"idempotency_key": "longer"}),
        (b'{"step": "accept", "x": "' + b"y" * 70_000 + b'"}', {}),
    ],
)
def test_what_is_not_plain_is_handed_on_whole(body: bytes, headers: dict[str, str]) -> None:
    assert ask(body, **headers) == body


def test_a_post_without_its_own_key_is_refused_when_the_app_is_built() -> None:
    @direct
    async def keyless(caller: Reading, number: str) -> None:
        """No key."""

    @direct
    async def asking(caller: Reading, limit: int, key: Annotated[str, Header(alias="Idempotency-Key")] = "") -> None:
        """A query parameter is the framework's."""

    with pytest.raises(TypeError, match="Idempotency-Key"):
        direct_of(keyless, PATH, POST)
    with pytest.raises(TypeError, match="limit"):
        direct_of(asking, PATH, POST)
    assert direct_of(the_direct, PATH, POST) is None
