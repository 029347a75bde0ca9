"""The watchdog: a thread that finds plugin code that never returns, writes the plugin down as off, restarts.

Watched are the calls of hooks and reactors (bounds from the settings) and the event loop: when that stands
still, the plugin is found in the frames of its thread.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

import structlog

from wanmi.clock import Clock, iso
from wanmi.plugins import Off, Watch, plugin_of, record_off

INTERVAL = 0.5
"""Seconds between two looks; a look that comes much later means that the process itself was stopped."""


class Heart:
    """The event loop's beat: when it last ran, in which thread."""

    def __init__(self, clock: Clock, bound: float) -> None:
        self._clock = clock
        self.bound = bound
        self.thread = threading.get_ident()
        self.last = clock.monotonic()

    def beat(self) -> None:
        """The loop runs."""
        self.last = self._clock.monotonic()


class Watchdog:
    """Looks twice a second; ``on_hang(plugin, what)`` is called in its thread, once."""

    def __init__(
        self,
        dir: Path,
        watch: Watch,
        heart: Heart,
        clock: Clock,
        packages: Mapping[str, str],
        on_hang: Callable[[Off], None],
    ) -> None:
        self._dir = dir
        self._watch = watch
        self._heart = heart
        self._clock = clock
        self._packages = packages
        self._on_hang = on_hang
        self._stopping = threading.Event()
        self._looked = clock.monotonic()
        self._awake_since = self._looked
        self._told_stall = 0.0
        self._log = structlog.get_logger("wanmi.watchdog")
        self._thread = threading.Thread(target=self._run, name="wanmi-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()

    def look(self) -> Off | None:
        """The plugin that hangs now and why, None when none does."""
        now = self._clock.monotonic()
        if now - self._looked > 4 * INTERVAL:
            self._awake_since = now
        self._looked = now
        for call in self._watch.overdue(self._awake_since):
            return self._off(plugin_of(call.plugin), f"{call.what} did not return within {call.bound:g} s")
        return self._look_at_loop(now)

    def _look_at_loop(self, now: float) -> Off | None:
        if now - max(self._heart.last, self._awake_since) <= self._heart.bound:
            return None
        frame = sys._current_frames().get(self._heart.thread)
        plugin = plugin_in(frame, self._packages)
        if plugin is not None:
            return self._off(plugin, f"it kept the event loop from running for {self._heart.bound:g} s")
        if self._told_stall != self._heart.last:
            self._told_stall = self._heart.last
            stack = "".join(traceback.format_stack(frame)) if frame else ""
            self._log.error("loop_stands_still", seconds=round(now - self._heart.last), stack=stack)
        return None

    def _off(self, plugin: str, reason: str) -> Off:
        return Off(plugin, iso(self._clock.now()), reason)

    def _run(self) -> None:
        while not self._stopping.wait(INTERVAL):
            off = self.look()
            if off is None:
                continue
            if off.plugin != "wanmi":
                record_off(self._dir, off)
            self._log.critical("plugin_hangs", plugin=off.plugin, reason=off.reason, next="restart without it")
            self._on_hang(off)
            return


def plugin_in(frame: FrameType | None, packages: Mapping[str, str]) -> str | None:
    """The plugin whose code is innermost in a stack; ``packages`` maps import names to plugin names."""
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        found = packages.get(module.partition(".")[0]) or packages.get(module)
        if found is not None:
            return found
        frame = frame.f_back
    return None
