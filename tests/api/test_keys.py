"""Idempotency keys at the edges: under way, an endpoint that fails after its effect, one that is refused, much to say."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter

from support.browser import Browser
from support.live import until
from wanmi.errors import Conflict
from wanmi.identity import add_token
from wanmi.identity.request_keys import MAX_ANSWER
from wanmi.node import Node
from wanmi.registry import NodeContext, Registry
from wanmi.testing import quick_plugin, small_node
from wanmi.web import build_app, needs


class Odd:
    """Endpoints that do something, then end as they are told."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.go = threading.Event()

    def register(self, to: Registry) -> None:
        to.right("odd.do", zh="做", en="Do", scope="odd:do", posts=())
        to.router("/api/v1/odd", self.routes)

    def routes(self, _node: NodeContext) -> APIRouter:
        router = APIRouter()

        @router.post("/{what}")
        @needs("odd.do")
        def do(what: str) -> str:
            self.done.append(what)
            if what == "refuse":
                raise Conflict("not now")
            if what == "fail":
                raise RuntimeError("after the effect")
            if what == "wait":
                self.go.wait(20)
            return "x" * (MAX_ANSWER + 1) if what == "long" else what

        return router


@pytest.fixture
def odd() -> Odd:
    return Odd()


@pytest.fixture
def node(tmp_path: Path, odd: Odd) -> Iterator[Node]:
    def register(to: Registry) -> None:
        odd.register(to)

    with small_node(tmp_path / "n", plugins=[quick_plugin("odd", register)]) as made:
        yield made


@pytest.fixture
def machine(node: Node) -> Iterator[Browser]:
    with Browser(build_app(node), token=add_token(node, name="x", scopes=["write"]).secret) as made:
        yield made


def send(machine: Browser, what: str, key: str = "k", **more: Any) -> httpx.Response:
    return machine.request("POST", f"/api/v1/odd/{what}", headers={"idempotency-key": key}, **more)


def test_one_that_is_under_way_is_told_when_to_come_back(node: Node, odd: Odd) -> None:
    secret, app = add_token(node, name="y", scopes=["write"]).secret, build_app(node)
    first: list[httpx.Response] = []

    def work() -> None:
        with Browser(app, token=secret) as browser:
            first.append(send(browser, "wait"))

    thread = threading.Thread(target=work)
    thread.start()
    until(lambda: odd.done)
    with Browser(app, token=secret) as browser:
        busy = send(browser, "wait")
        assert (busy.status_code, busy.headers["retry-after"]) == (409, "1")
        odd.go.set()
        thread.join()
        again = send(browser, "wait")
    assert (first[0].status_code, again.content, odd.done) == (200, first[0].content, ["wait"])


def test_after_an_error_nobody_knows(machine: Browser, odd: Odd) -> None:
    assert send(machine, "fail").status_code == 500
    again = send(machine, "fail")
    assert (again.status_code, again.json()["outcome"]) == (409, "unknown")
    assert odd.done == ["fail"]


def test_a_refusal_frees_the_key(machine: Browser, odd: Odd) -> None:
    assert [send(machine, "refuse").status_code for _ in range(2)] == [409, 409]
    assert odd.done == ["refuse", "refuse"]
    assert send(machine, "plain").status_code == 200, "the key is free for another request, too"


def test_an_answer_too_long_to_keep_is_given_once(machine: Browser, odd: Odd) -> None:
    assert len(send(machine, "long").content) > MAX_ANSWER
    assert send(machine, "long").json()["outcome"] == "unknown"
    assert odd.done == ["long"]


@pytest.mark.parametrize("more", [{"params": {"a": "1"}}, {"content": b"x"}])
def test_another_request_with_the_key_is_refused(machine: Browser, odd: Odd, more: dict[str, Any]) -> None:
    assert send(machine, "plain").status_code == 200
    other = send(machine, "plain", **more)
    assert (other.status_code, other.headers["content-type"]) == (422, "application/problem+json")
    assert odd.done == ["plain"]
