"""A real edge with devices on real sockets, its web server, and a technician's token."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from edge.devices.line_device import LINES, LinePeer
from wanmi.clock import SystemClock
from wanmi.hookspecs import hookimpl
from wanmi.identity import add_token
from wanmi.node import Node
from wanmi.plugins import Plugin
from wanmi.registry import Registry
from wanmi.testing import running, small_node
from wanmi_edge.devices.book import DeviceBook, Wanted
from wanmi_edge.devices.devices import Devices
from wanmi_edge.devices.parts import add_devices
from wanmi_edge.settings import EdgeSettings
from wanmi_tui.app import WanmiApp
from wanmi_tui.client import NodeClient
from wanmi_tui.words import Lang

SCOPES = ("nodes:read", "devices:read", "journal:read", "cases:read", "alarms:write", "devices:write")


class Peers:
    """Devices that speak lines, in a loop and thread of their own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._all: list[LinePeer] = []

    def start(self) -> LinePeer:
        peer = LinePeer()
        asyncio.run_coroutine_threadsafe(peer.start(), self._loop).result(5)
        self._all.append(peer)
        return peer

    def close(self) -> None:
        for peer in self._all:
            asyncio.run_coroutine_threadsafe(peer.stop(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class EdgeBench:
    """An edge that can be run, stopped and run again at the same address."""

    def __init__(self, dir: Path, code: str = "21010201") -> None:
        self.dir, self.code, self.devices = dir, code, Devices()
        self.peers = Peers()
        self.node = self._make()
        self.token = add_token(self.node, name="technician", scopes=SCOPES).secret

    def _plugins(self) -> list[Plugin]:
        def lines(to: Registry) -> None:
            to.driver(replace(LINES, every=0.1))

        def parts(to: Registry) -> None:
            to.section("edge", EdgeSettings)
            add_devices(to, self.devices)

        return [_plugin("lines", lines), _plugin("edge_devices", parts)]

    def _make(self) -> Node:
        quick = {"edge": {}, "edge.devices": {"retry_longest": 1, "flush_every": 1}, "web": {"port": free_port()}}
        return small_node(
            self.dir, role="edge", code=self.code, plugins=self._plugins(), sections=quick, clock=SystemClock()
        )

    def add(self, name: str, peer: LinePeer) -> str:
        self.devices.wire(self.node)
        book: DeviceBook | None = self.devices.book
        assert book is not None
        return book.add(Wanted("lines", name, {"port": str(peer.port)}), None).id

    @contextmanager
    def running(self) -> Iterator[str]:
        with running(self.node, web=True) as places:
            yield places["web"]

    def reopen(self) -> None:
        """The node's process ends, and another one begins."""
        self.node.close()
        (self.dir / "run.json").unlink(missing_ok=True)
        self.devices = Devices()
        self.node = Node.open(self.dir, clock=SystemClock(), plugins=self._plugins())

    def close(self) -> None:
        self.node.close()
        self.peers.close()


def _plugin(name: str, register: Callable[[Registry], None]) -> Plugin:
    module = ModuleType(f"wanmi_{name}")
    module.register = hookimpl(register)  # type: ignore[attr-defined]
    return Plugin(name, "0", module)


def free_port() -> int:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def tui(*addresses: tuple[str, str], lang: Lang = "en") -> WanmiApp:
    """The application over (url, token)."""
    return WanmiApp([NodeClient(url, token) for url, token in addresses], lang)


async def until(true: Callable[[], object], seconds: float = 10.0) -> None:
    """Poll with a deadline."""
    for _ in range(int(seconds / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to pass")


def screen_text(app: WanmiApp) -> str:
    """What the screen shows, as text."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)
