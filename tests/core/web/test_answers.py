"""Headers on every answer, errors as problems, the server on a real socket."""

from __future__ import annotations

import asyncio
import ssl

import httpx
import pytest
import structlog
from fastapi import APIRouter, FastAPI

from support.browser import PAGE, Browser
from support.small_town import PASSWORD
from support.town_fixture import Shown
from wanmi import errors
from wanmi.node import Node
from wanmi.registry import Routes
from wanmi.testing import running, small_node
from wanmi.web import WebServer, build_app, needs
from wanmi.web.problems import status_of


@pytest.mark.parametrize("path", ["/", "/login", "/healthz", "/cases", "/nothing", "/api/v1/cases", "/api/v1/none", "/docs", "/static/console/console.css"])  # fmt: skip
def test_every_answer_carries_the_security_headers(operator: Browser, stranger: Browser, path: str) -> None:
    for browser in (operator, stranger):
        for headers in ({}, PAGE):
            answer = browser.request("GET", path, headers=headers).headers
            policy = answer["content-security-policy"]
            assert "unsafe" not in policy
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert answer["x-content-type-options"] == "nosniff"
            assert answer["referrer-policy"] == "same-origin"
            assert "cache-control" in answer


def test_pages_hold_nothing_inline(operator: Browser, shown: Shown) -> None:
    for path in ("/", "/cases", f"/cases/{shown.hostile}", "/node", "/subjects?s=node:210102", "/docs"):
        page = operator.page(path)
        assert " style=" not in page
        assert "<style" not in page
        assert " onclick" not in page
        assert page.count("<script") == page.count("<script src=")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.NotFound("x"), 404), (errors.NotAllowed("x"), 403), (errors.Conflict("x"), 409),
        (errors.BadInput("x"), 422), (errors.BadCode("x"), 422), (errors.StoreError("x"), 503),
        (errors.NeedsExtra("a", "b"), 501), (errors.LinkError("x"), 500), (errors.ChainBroken("1", 1, "a", "b"), 500),
    ],
)  # fmt: skip
def test_each_error_has_its_status(error: errors.WanmiError, status: int) -> None:
    assert status_of(error) == status


@pytest.fixture
def faulty(city: Node, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    router = APIRouter()

    @router.get("/faulty")
    @needs("node.read")
    async def fault() -> None:
        raise ZeroDivisionError("the secret is 42")

    @router.get("/conflict")
    @needs("node.read")
    async def conflict() -> None:
        raise errors.Conflict("case 1 was changed by somebody else; load it again")

    monkeypatch.setattr(city.registry, "routes", [*city.registry.routes, Routes("/api/v1", lambda _: router, "test")])
    return build_app(city)


def test_what_nobody_meant_is_logged_and_not_told(faulty: FastAPI, city: Node) -> None:
    with Browser(faulty) as browser, structlog.testing.capture_logs() as logs:
        browser.log_in("wangmin", PASSWORD)
        answer = browser.get("/api/v1/faulty")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "42" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    [line] = [line for line in logs if line["event"] == "request_failed"]
    assert line["path"] == "/api/v1/faulty"


def test_our_own_errors_say_what_to_do(faulty: FastAPI) -> None:
    with Browser(faulty) as browser:
        browser.log_in("wangmin", PASSWORD)
        answer = browser.get("/api/v1/conflict")
    assert answer.status_code == 409
    assert answer.json() == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "case 1 was changed by somebody else; load it again",
        "instance": "/api/v1/conflict",
    }


def test_a_running_node_serves_its_pages(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from wanmi.identity import add_token

    with small_node(tmp_path / "node", plugins=["console"]) as node:
        secret = add_token(node, name="test", scopes=["read"]).secret
        with running(node, web=True) as places, httpx.Client(base_url=places["web"]) as client:
            assert client.get("/healthz").json() == {"status": "ok"}
            assert client.get("/api/v1/cases").status_code == 401
            answer = client.get("/api/v1/cases", headers={"authorization": f"Bearer {secret}"})
            assert answer.json() == {
                "cases": [],
                "next": None,
                "count": None,
                "count_exact": None,
                "alike": [],
                "unmapped": [],
            }
            assert "server" not in answer.headers


def test_a_server_may_be_stopped_and_run_again_on_its_port(city: Node) -> None:
    server = WebServer(city, host="127.0.0.1", port=0)

    async def once() -> int:
        task = asyncio.ensure_future(server.run())
        async with httpx.AsyncClient() as client:
            status = (await client.get(f"{server.url}/healthz")).status_code
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return status

    assert [asyncio.run(once()), asyncio.run(once())] == [200, 200]


def test_a_taken_port_is_named(city: Node) -> None:
    server = WebServer(city, host="127.0.0.1", port=0)
    with pytest.raises(errors.SettingsError, match=f"web.port {server.port} on 127.0.0.1"):
        WebServer(city, host="127.0.0.1", port=server.port)
    server.close()


def test_https_with_the_nodes_own_certificate(city: Node) -> None:
    from wanmi.identity.ca import ensure_tls

    tls = ensure_tls(city.dir, city.code, ("127.0.0.1", "localhost"), city.clock.now())
    server = WebServer(city, host="127.0.0.1", port=0, certificate=tls.cert, key=tls.key)
    assert server.url.startswith("https://127.0.0.1:")

    async def ask() -> int:
        task = asyncio.ensure_future(server.run())
        trusting = ssl.create_default_context(cafile=str(tls.ca))
        async with httpx.AsyncClient(verify=trusting) as client:
            status = (await client.get(f"{server.url}/healthz")).status_code
        task.cancel()
        return status

    assert asyncio.run(ask()) == 200
