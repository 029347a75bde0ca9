"""The server: uvicorn on a socket that is bound at once, stopped by cancelling."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from wanmi.errors import SettingsError
from wanmi.web.app import build_app
from wanmi.web.events import EventHub

if TYPE_CHECKING:
    from wanmi.registry import NodeContext

GRACE = 5
"""Seconds that running requests get when the server stops."""


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the node's business."""
        yield


class WebServer:
    """Serves a node's app. Port 0 takes a free port; ``url`` tells which. HTTPS with a certificate and its key."""

    def __init__(
        self, node: NodeContext, *, host: str, port: int, certificate: Path | None = None, key: Path | None = None
    ) -> None:
        self._socket = _bind(host, port)
        self.host = host
        self.port: int = self._socket.getsockname()[1]
        self.url = f"{'https' if certificate else 'http'}://{f'[{host}]' if ':' in host else host}:{self.port}"
        app = build_app(node)
        self._events: EventHub = app.state.events
        self._config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=GRACE,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )

    async def run(self) -> None:
        """Serve until cancelled; running requests get a few seconds to end. May be run again, on the same port."""
        if self._socket.fileno() < 0:
            self._socket = _bind(self.host, self.port)
        server = _Server(self._config)
        serving = asyncio.ensure_future(server.serve(sockets=[self._socket]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            server.should_exit = True
            self._events.close()
            await serving
            raise
        finally:
            self._socket.close()

    def close(self) -> None:
        """Give up the port without having served."""
        self._socket.close()


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named: else asyncio leaves Nagle on, 40 ms
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(2048)
    except OSError as error:
        bound.close()
        raise SettingsError(f"web.port {port} on {host}: {error.strerror}; choose another port or host") from error
    return bound
