"""A browser for tests: cookies, forms with their tokens, over the app itself; no sockets."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Self

import httpx
from fastapi import FastAPI

PAGE = {"accept": "text/html"}
_TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]{64})"')


class Browser:
    """One person's browser (or, with ``token``, one machine) before one app."""

    def __init__(self, app: FastAPI, *, base: str = "http://node.test", token: str = "") -> None:
        self._loop = asyncio.new_event_loop()
        headers = {"authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url=base, headers=headers)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request; redirects are not followed."""
        return self._loop.run_until_complete(self.client.request(method, path, **options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        """GET as a program."""
        return self.request("GET", path, **options)

    def page(self, path: str) -> str:
        """GET as a browser; the page, which must be one."""
        answer = self.request("GET", path, headers=PAGE)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.text

    def form_token(self, path: str = "/") -> str:
        """The token in a page's form."""
        found = _TOKEN.search(self.request("GET", path, headers=PAGE).text)
        assert found is not None, path
        return found[1]

    def post(self, path: str, fields: Mapping[str, str], token: str) -> httpx.Response:
        """Send a form."""
        return self.request("POST", path, data={**fields, "csrf_token": token}, headers=PAGE)

    def log_in(self, login: str, password: str, wanted: str = "/") -> httpx.Response:
        """Fill in the login form."""
        return self.post("/login", {"login": login, "password": password, "next": wanted}, self.form_token("/login"))

    def close(self) -> None:
        """Close the client and its loop."""
        self._loop.run_until_complete(self.client.aclose())
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
