"""The program that shows a page: one at a time, started again when it ends, its whole process group ended with it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Sequence

from wanmi.devices import Pace
from wanmi_hardware.wall.settings import MARK

END_SECONDS = 5.0
STEADY = 60.0
"""Seconds after which a program that still runs is taken to be well."""


class Browser:
    """Shows a page by a program of the settings; never through a shell."""

    def __init__(self, command: Sequence[str], monotonic: Callable[[], float]) -> None:
        self._command = tuple(command)
        self._monotonic = monotonic
        self._pace = Pace(first=1.0, longest=60.0, breaker=8)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._again = 0.0
        self.ended = 0
        self.page = ""

    @property
    def runs(self) -> bool:
        """Whether the program runs."""
        return self._process is not None and self._process.poll() is None

    def show(self, url: str) -> str:
        """End what is shown, show this; the reason when it cannot be started, else ""."""
        self.close()
        self.page, self.ended = url, 0
        return self._start()

    def look(self) -> None:
        """Start the program again when it ended by itself, later each time."""
        if not self.page or self.runs:
            if self.ended and self._monotonic() - self._started > STEADY:
                self.ended = 0
            return
        if self._process is not None:
            self._process, self.ended = None, self.ended + 1
            self._again = self._monotonic() + self._pace.delay(self.ended, 0.5)
        elif self._monotonic() >= self._again and self._start():
            self.ended += 1
            self._again = self._monotonic() + self._pace.delay(self.ended, 0.5)

    def close(self) -> None:
        """End the program with all that it started."""
        process, self._process = self._process, None
        if process is None:
            return
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, sign)
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            return

    def _start(self) -> str:
        command = [part.replace(MARK, self.page) for part in self._command]
        self._started = self._monotonic()
        try:
            self._process = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL)
        except OSError as error:
            return f"{command[0]}: {error.strerror}"
        return ""


def run_program(command: Sequence[str]) -> str:
    """Run a small program to its end; what went wrong in words, or ""."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=10, stdin=subprocess.DEVNULL, check=False)
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    except subprocess.TimeoutExpired:
        return f"{command[0]} did not end within 10 s"
    said = (done.stderr or done.stdout).decode(errors="replace").strip()[-200:]
    return f"{command[0]} ended with {done.returncode}: {said}" if done.returncode else ""
