"""The live node's end of the admin socket: JSON lines over a Unix socket that its owner alone may open."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from wanmi.errors import BadInput, WanmiError
from wanmi.node.calling import LONGEST_LINE, LONGEST_PATH, admin_path, error_line, line_of, run_action

if TYPE_CHECKING:
    from wanmi.registry import NodeContext


class AdminServer:
    """Serves a node's actions; one request a connection, each in a thread of its own."""

    def __init__(self, node: NodeContext) -> None:
        self._node = node
        self._server: asyncio.Server | None = None
        self._folder: Path | None = None
        self.path = node.dir.absolute() / "admin.sock"
        self._log = structlog.get_logger("wanmi.admin").bind(node=node.code)

    async def start(self) -> None:
        """Listen; the socket of an earlier process is replaced (the node's lock says that it is gone)."""
        self._forget_old()
        if len(os.fsencode(self.path)) > LONGEST_PATH:
            self._folder = Path(tempfile.mkdtemp(prefix="wanmi-"))
            self.path = self._folder / "admin.sock"
            (self._node.dir / "admin.path").write_text(f"{self.path}\n", encoding="utf-8")
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._answer, str(self.path), limit=LONGEST_LINE)
        finally:
            os.umask(before)

    async def stop(self) -> None:
        """Listen no more; actions that run are left to end with the process."""
        if self._server is not None:
            self._server.close()
        self._forget_old()

    def _forget_old(self) -> None:
        """Remove the socket, and the short path's folder where there is one."""
        path, named = admin_path(self._node.dir), self._node.dir / "admin.path"
        path.unlink(missing_ok=True)
        if named.exists():
            if path.parent.name.startswith("wanmi-"):
                shutil.rmtree(path.parent, ignore_errors=True)
            named.unlink()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async for line in self._lines(await _request(reader), reader):
                writer.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
                await writer.drain()
        except BadInput as error:
            writer.write(json.dumps(error_line(error)).encode() + b"\n")
        except ConnectionError:
            self._log.info("admin_client_left")
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _lines(self, request: tuple[str, dict[str, Any]], reader: asyncio.StreamReader) -> AsyncIterator[Any]:
        """What the action's thread yields, until its result or error; the action ends when the client leaves."""
        lines: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        gone = threading.Event()
        loop = asyncio.get_running_loop()
        leaving = asyncio.ensure_future(reader.read(1))
        leaving.add_done_callback(lambda _: lines.put_nowait(None))

        def run() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the node stops
                for line in _run(self._node, *request):
                    if gone.is_set():
                        return
                    loop.call_soon_threadsafe(lines.put_nowait, line)

        threading.Thread(target=run, name=f"admin-{request[0]}", daemon=True).start()
        try:
            while (line := await lines.get()) is not None:
                yield line
                if "progress" not in line:
                    return
        finally:
            gone.set()
            leaving.cancel()


def _run(node: NodeContext, name: str, args: dict[str, Any]) -> Any:
    try:
        for item in run_action(node, name, args):
            yield line_of(item)
    except WanmiError as error:
        yield error_line(error)


async def _request(reader: asyncio.StreamReader) -> tuple[str, dict[str, Any]]:
    try:
        request = json.loads(await reader.readline())
        return str(request["action"]), dict(request.get("args") or {})
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput('admin socket: a request is a line {"action": name, "args": {…}}') from error
