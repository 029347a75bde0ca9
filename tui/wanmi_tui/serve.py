"""The same screens in a browser on this machine: textual-serve on loopback, with a page of ours and no CDN.

Whoever opens the printed address first, once, has the session; everybody else gets 403. The address holds a secret that
is taken out of use by the first visit and becomes a cookie; the page, its files, the stream all need that cookie. The
token never leaves this process but for the UI's own process, by its environment.
"""

from __future__ import annotations

import hmac
import os
import secrets
import shlex
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from textual_serve.server import Server

from wanmi_tui.run import TOKEN, Wanted, read_tokens, words_of

HERE = Path(__file__).parent
COOKIE = "wanmi_tui"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self' ws://127.0.0.1:{port}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""xterm.js sets styles of its own on elements: 'unsafe-inline' is for styles only."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class LocalServer(Server):
    """One session, for who opens the printed address."""

    def __init__(self, command: str, port: int, title: str) -> None:
        super().__init__(command, "127.0.0.1", port, title, templates_path=HERE / "templates")
        self._once = secrets.token_urlsafe(24)
        self._session = ""
        self._open = False

    @property
    def address(self) -> str:
        """Where to open it, once."""
        return f"{self.public_url}/?once={self._once}"

    async def on_startup(self, app: web.Application) -> None:
        """Say where."""
        print(f"open once 打开一次: {self.address}", flush=True)  # noqa: T201

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        own = web.static("/own", HERE / "static")
        app.add_routes([own])
        app.middlewares.append(self._guard)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if urlsplit(f"//{request.headers.get('host', '')}").hostname not in {"127.0.0.1", "localhost"}:
            raise web.HTTPForbidden(text="this page is for this machine only")
        if request.path == "/" and "once" in request.query:
            return self._first_visit(request.query["once"])
        if not self._is_ours(request):
            raise web.HTTPForbidden(text="open the address that `wanmi tui --serve` printed; it works once")
        answer = await self._one_stream(request, handler) if request.path == "/ws" else await handler(request)
        if not answer.prepared:
            answer.headers.update(_headers(self.port))
        return answer

    def _first_visit(self, once: str) -> web.StreamResponse:
        if not self._once or not hmac.compare_digest(once.encode(), self._once.encode()):
            raise web.HTTPForbidden(text="this address was used already; start `wanmi tui --serve` again")
        self._once, self._session = "", secrets.token_urlsafe(24)
        answer = web.HTTPSeeOther("/")
        answer.set_cookie(COOKIE, self._session, httponly=True, samesite="Strict", path="/")
        return answer

    def _is_ours(self, request: web.Request) -> bool:
        given = request.cookies.get(COOKIE, "")
        origin = request.headers.get("origin", self.public_url)
        return (
            bool(self._session)
            and hmac.compare_digest(given.encode(), self._session.encode())
            and origin == self.public_url
        )

    async def _one_stream(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self._open:
            raise web.HTTPConflict(text="the screens are open in another tab already")
        self._open = True
        try:
            return await handler(request)
        finally:
            self._open = False


def _headers(port: int) -> dict[str, str]:
    return {
        "content-security-policy": POLICY.format(port=port),
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }


def child_command(wanted: Wanted) -> str:
    """The command of the UI's process; the token goes by the environment."""
    parts = [sys.executable, "-m", "wanmi.cli", "tui", *(part for url in wanted.urls for part in ("--url", url))]
    parts += ["--ca", wanted.ca] if wanted.ca else []
    parts += ["--lang", wanted.lang] if wanted.lang else []
    return shlex.join(parts)


def serve(wanted: Wanted, port: int) -> None:
    """Serve until Ctrl-C."""
    from wanmi_tui.client import checked_url

    for url in wanted.urls:
        checked_url(url)
    os.environ[TOKEN] = " ".join(read_tokens(wanted.token_file, len(wanted.urls)))
    LocalServer(child_command(wanted), port or free_port(), f"Wanmi 万米 {words_of(wanted.urls)}").serve()


def free_port() -> int:
    """A free port on loopback."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
