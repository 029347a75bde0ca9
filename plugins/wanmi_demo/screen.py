"""What the demo says while it works: on standard error, so that standard output stays for the result."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

EVERY = 5.0
"""Seconds between lines of progress where there is no terminal."""


class Screen:
    """Lines of progress with the seconds since the start; a live line where there is a terminal."""

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._live = sys.stderr.isatty()
        self._last = ""
        self._said = 0.0

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._begin

    def say(self, text: str) -> None:
        """One line."""
        start = "\r\x1b[K" if self._live else ""
        sys.stderr.write(f"{start}{self.seconds:7.1f} s  {text}\n")
        sys.stderr.flush()

    def live(self, text: str) -> None:
        """A line that the next one replaces; where there is no terminal, only when it changed much later."""
        if self._live:
            sys.stderr.write(f"\r\x1b[K{self.seconds:7.1f} s  {text}")
            sys.stderr.flush()
        elif text != self._last and self.seconds - self._said >= EVERY:
            self._last, self._said = text, self.seconds
            self.say(text)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """A step with its duration."""
        begin = time.monotonic()
        self.live(f"{what} …")
        yield
        self.say(f"{what}: {time.monotonic() - begin:.1f} s")
