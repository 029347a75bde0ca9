"""Start the process anew in its place: same process id, same command line, same supervisor."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
from pathlib import Path

import structlog

from wanmi.plugins import Off


def restart_process(off: Off) -> None:
    """Replace this process without waiting for anything in it, since something in it hangs; what is durable is durable.

    Called in the watchdog's thread.
    """
    structlog.get_logger("wanmi.node").critical("node_restarts", plugin=off.plugin, reason=off.reason)
    _begin_anew()


def restart_in_place(reason: str) -> None:
    """Replace this process, whose node has been closed."""
    structlog.get_logger("wanmi.node").info("node_restarts", reason=reason)
    _begin_anew()


def _begin_anew() -> None:
    """Programs that this process started are ended first: the new one starts its own."""
    for handler in logging.getLogger().handlers:
        handler.flush()
    sys.stderr.flush()
    for child in _children():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(child, signal.SIGTERM)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - our own command line


def _children() -> list[int]:
    """Processes that this one started, of all its threads (Linux)."""
    found: list[int] = []
    for listed in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError, ValueError):
            found += [int(child) for child in listed.read_text(encoding="ascii").split()]
    return found
