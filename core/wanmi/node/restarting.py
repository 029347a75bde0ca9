"""Start the process anew in its place, without waiting for anything in it: something in it hangs."""

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
    """Replace this process by a new one of the same command line; what is durable is durable.

    Called in the watchdog's thread. Programs that this process started are ended first: the new one starts
    its own.
    """
    structlog.get_logger("wanmi.node").critical("node_restarts", plugin=off.plugin, reason=off.reason)
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
