"""Admin actions are called the same way whether the node is live or not.

Live: one JSON line over the admin socket, answered by lines ``{"progress": …}`` and a last ``{"result": …}`` or
``{"error": …}``. Not live: the node is opened here, without its tasks, and the action is run directly.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import wanmi.errors
from wanmi.errors import NotFound, StoreError, WanmiError
from wanmi.node.lock import LOCK_FILE, NodeLock

if TYPE_CHECKING:
    from wanmi.registry import Action, AdminResult, NodeContext, Progress

LONGEST_PATH = 100
"""Bytes of a socket's path; the kernel takes 107."""
LONGEST_LINE = 16 * 1024 * 1024
PATIENCE = 10.0
"""Seconds that a start waits for a command that has the node open."""
Args = Mapping[str, Any]


def admin_path(dir: Path) -> Path:
    """Where the node's admin socket is: DIR/admin.sock, or the short path that DIR/admin.path names."""
    named = dir / "admin.path"
    if named.exists():
        return Path(named.read_text(encoding="utf-8").strip())
    return dir.absolute() / "admin.sock"


def run_action(node: NodeContext, name: str, args: Args) -> Iterator[Progress | AdminResult]:
    """Run an action: progress as it comes, then exactly one result. WanmiError is all it raises."""
    action = node.registry.actions.get(name)
    if action is None:
        raise NotFound(f"node {node.code} has no action {name}; enable the plugin that brings it")
    try:
        yield from _steps(action, node, args)
    except WanmiError:
        raise
    except Exception as error:  # the border to a plugin: told in one line, the trace goes to the log
        import structlog

        structlog.get_logger("wanmi.admin").exception("action_failed", action=name, plugin=action.plugin)
        raise WanmiError(f"action {name} of {action.plugin} failed: {type(error).__name__}: {error}") from error


def call_action(dir: Path, name: str, args: Args, told: Callable[[Progress], None] = lambda _: None) -> AdminResult:
    """Call an action of the node in ``dir``, live or not; ``told`` gets its progress."""
    connection = connect_live(dir)
    if connection is not None:
        return _last(_call_live(connection, name, args), told)
    from wanmi.node.node import Node

    with Node.open(dir) as node:
        return _last(run_action(node, name, args), told)


def await_commands(dir: Path, seconds: float = PATIENCE) -> None:
    """Wait while a command has the node open that found none live, as during a restart in place; no longer than
    ``seconds``, and not for a live node: opening tells then who has it.
    """
    until = time.monotonic() + seconds
    if _is_open_by_a_command(dir):
        import structlog

        structlog.get_logger("wanmi.node").info("waits_for_command", dir=str(dir), at_most_s=seconds)
    while _is_open_by_a_command(dir) and time.monotonic() < until:
        time.sleep(0.05)


def _is_open_by_a_command(dir: Path) -> bool:
    """Whether somebody holds the node's lock who does not answer at its socket."""
    if not (dir / LOCK_FILE).exists():
        return False
    try:
        NodeLock.take(dir).release()
    except StoreError:
        live = connect_live(dir)
        if live is not None:
            live.close()
        return live is None
    return False


def connect_live(dir: Path) -> socket.socket | None:
    """A connection to the live node of a directory; None when none is live."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(admin_path(dir)))
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        connection.close()
        return None
    except OSError as error:
        connection.close()
        raise StoreError(f"{admin_path(dir)}: {error.strerror}") from error
    return connection


def line_of(item: Progress | AdminResult) -> dict[str, Any]:
    """A line that the admin socket sends."""
    return {"result": item} if isinstance(item, dict) else {"progress": asdict(item)}


def error_line(error: WanmiError) -> dict[str, Any]:
    """The last line of an action that failed."""
    return {"error": {"type": type(error).__name__, "message": str(error)}}


def _steps(action: Action, node: NodeContext, args: Args) -> Iterator[Progress | AdminResult]:
    """The action's result is the dict that it yields or, when it yields none, the one that it returns."""
    running = iter(action.run(node, args))
    result: AdminResult = {}
    while True:
        try:
            item = next(running)
        except StopIteration as end:
            yield result or (end.value if isinstance(end.value, dict) else {})
            return
        if isinstance(item, dict):
            result = item
        else:
            yield item


def _call_live(connection: socket.socket, name: str, args: Args) -> Iterator[Progress | AdminResult]:
    from wanmi.registry import Progress

    with connection, connection.makefile("rwb") as stream:
        stream.write(json.dumps({"action": name, "args": dict(args)}).encode() + b"\n")
        stream.flush()
        for line in stream:
            item = json.loads(line)
            if "progress" in item:
                yield Progress(**item["progress"])
            elif "error" in item:
                raise _error(item["error"])
            else:
                yield dict(item["result"])
                return
    raise StoreError(f"action {name}: the node ended before it answered; look into its log, then try again")


def _error(told: Mapping[str, str]) -> WanmiError:
    kind = getattr(wanmi.errors, told["type"], WanmiError)
    if not (isinstance(kind, type) and issubclass(kind, WanmiError) and kind.__init__ is Exception.__init__):
        kind = WanmiError
    return kind(told["message"])


def _last(items: Iterator[Progress | AdminResult], told: Callable[[Progress], None]) -> AdminResult:
    for item in items:
        if isinstance(item, dict):
            return item
        told(item)
    return {}
