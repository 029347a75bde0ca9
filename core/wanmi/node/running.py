"""A node at work: tasks, reactors, web server, admin socket, watchdog; started in order, stopped in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from wanmi.errors import StoreError
from wanmi.identity.rules import end_sessions_without_code
from wanmi.journal import ReactorRunner
from wanmi.node.admin import AdminServer
from wanmi.node.notifying import Notifier
from wanmi.node.recorded import host_account, record_settings
from wanmi.node.tasks import Supervisor
from wanmi.node.watchdog import Heart, Watchdog
from wanmi.plugins import Off
from wanmi.registry import Task

if TYPE_CHECKING:
    from wanmi.node.node import Node
    from wanmi.registry import NodeContext
    from wanmi.web import WebServer

TASK_SECONDS = 1.8
REACTOR_SECONDS = 0.7
"""How long tasks, then reactors, get to end; the whole stop stays below 3 s."""
BEAT = 0.25
"""Seconds between two beats of the event loop."""
LEAVING = 0.2
"""Seconds in which whoever asked for a restart gets the answer."""
RUN_FILE = "run.json"


class Running:
    """What a node has while it runs."""

    def __init__(self, node: Node, stop: asyncio.Event, on_hang: Callable[[Off], None] | None) -> None:
        self._node = node
        self._stop = stop
        self._on_hang = on_hang
        self._hang: Off | None = None
        self._notifier = Notifier.of(os.environ, os.getpid())
        self._ready = False
        self._writing = threading.Lock()
        self.places: dict[str, str] = {}
        self.supervisor = Supervisor(node)
        self.reactors = ReactorRunner(node)
        self.admin = AdminServer(node)
        self._log = structlog.get_logger("wanmi.node").bind(node=node.code)

    def announce(self, what: str, where: str) -> None:
        """Note where something is reachable; written to run.json once the node is ready."""
        with self._writing:
            self.places[what] = where
            if self._ready:
                self._write_run_file()

    def leave(self) -> None:
        """End the run soon (any thread); one that has ended already stays so."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._loop.call_later, LEAVING, self._stop.set)

    async def run(self, *, web: bool) -> None:
        """Start everything, say so, wait, stop everything. StoreError when a plugin hangs and nobody restarts."""
        self._loop = loop = asyncio.get_running_loop()
        heart = Heart(self._node.clock, self._node.settings.watch.loop)
        watchdog = self._watchdog(heart, loop)
        with self._signals(loop):
            try:
                await self._start(web)
                watchdog.start()
                self._say_ready()
                await self._wait(heart)
            finally:
                self._tell_end()
                watchdog.stop()
                await self._end()
        if self._hang is not None:
            raise StoreError(f"plugin {self._hang.plugin} hangs: {self._hang.reason}; start again, it is off now")

    async def _start(self, web: bool) -> None:
        """Web first: its port is known before any task starts, and a taken one is told at once.

        Changed settings are recorded before anything acts on them.
        """
        tasks = list(self._node.registry.tasks.values())
        if web:
            tasks.append(self._web_task())
        try:
            await self.admin.start()
        except OSError as error:
            raise StoreError(f"{self.admin.path}: {error.strerror}") from error
        self.places["admin"] = str(self.admin.path)
        trial = self._node.trial
        if self._node.journal.held is None:  # else at the next start: what was remembered stays what it was
            await asyncio.to_thread(record_settings, self._node, trial.actor if trial is not None else host_account())
        await asyncio.to_thread(end_sessions_without_code, self._node, self._node.settings.identity)
        self.reactors.start()
        self.supervisor.start(tasks)

    def _web_task(self) -> Task:
        server = self._web()
        self.places["web"] = server.url

        def serve(_: NodeContext) -> Awaitable[None]:
            return server.run()

        return Task("web", serve, "wanmi")

    def _web(self) -> WebServer:
        from wanmi.web import WebServer

        web = self._node.settings.web
        if not web.https:
            return WebServer(self._node, host=web.host, port=web.port)
        from wanmi.identity.ca import certificate_names, ensure_tls

        tls = ensure_tls(
            self._node.dir, self._node.code, certificate_names(web.host, web.names), self._node.clock.now()
        )
        return WebServer(self._node, host=web.host, port=web.port, certificate=tls.cert, key=tls.key)

    def _say_ready(self) -> None:
        with self._writing:
            self._ready = True
            self._write_run_file()
        self._notifier.ready(f"{self._node.role} {self._node.code}")
        self._log.info("node_runs", role=self._node.role, **self.places)

    def _stop_for_good(self) -> None:
        """Whoever ends the process wins over a restart in place that is under way."""
        self._node.restarting = ""
        self._stop.set()

    def _tell_end(self) -> None:
        """A restart in place is no stop: systemd would wait for the process to end, and kill it."""
        if self._node.restarting:
            self._notifier.reloading(self._node.clock.monotonic())
        else:
            self._notifier.stopping()

    def _write_run_file(self) -> None:
        """Replace DIR/run.json as a whole; it is there exactly while the node runs and is ready."""
        facts = {"pid": os.getpid(), "code": self._node.code, "role": self._node.role, **self.places}
        temporary = self._node.dir / f"{RUN_FILE}.new"
        temporary.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        temporary.replace(self._node.dir / RUN_FILE)

    async def _wait(self, heart: Heart) -> None:
        while not self._stop.is_set():
            heart.beat()
            self._notifier.beat(heart.last)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), BEAT)

    async def _end(self) -> None:
        self._ready = False
        (self._node.dir / RUN_FILE).unlink(missing_ok=True)
        await self.admin.stop()
        await self.supervisor.stop(TASK_SECONDS)
        stopping = threading.Thread(target=self.reactors.stop, name="wanmi-stop", daemon=True)
        stopping.start()
        await asyncio.to_thread(stopping.join, REACTOR_SECONDS)
        self._log.info("node_stopped", role=self._node.role)

    def _watchdog(self, heart: Heart, loop: asyncio.AbstractEventLoop) -> Watchdog:
        node = self._node
        packages = {plugin.module.__name__: plugin.name for plugin in node.plugins}

        def stop_node(off: Off) -> None:
            self._hang = off
            loop.call_soon_threadsafe(self._stop.set)

        return Watchdog(node.dir, node.watch, heart, node.clock, packages, self._on_hang or stop_node)

    @contextmanager
    def _signals(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """SIGTERM and SIGINT stop the node, where this thread may say so."""
        signals = (signal.SIGTERM, signal.SIGINT)
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        for one in signals:
            loop.add_signal_handler(one, self._stop_for_good)
        try:
            yield
        finally:
            for one in signals:
                loop.remove_signal_handler(one)
