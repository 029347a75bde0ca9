"""Which plugin call runs since when: so that a call that never returns can be named from another thread."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from wanmi.clock import Clock


@dataclass(frozen=True)
class Call:
    """A plugin call under way; ``started`` and ``bound`` in seconds, ``started`` monotonic."""

    plugin: str
    what: str
    started: float
    bound: float


class Watch:
    """The plugin calls under way, of every thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: dict[int, Call] = {}
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    @contextmanager
    def calling(self, plugin: str, what: str, bound: float) -> Iterator[None]:
        """While a plugin's code runs that has to return within ``bound`` seconds."""
        number = next(self._numbers)
        with self._lock:
            self._calls[number] = Call(plugin, what, self._clock.monotonic(), bound)
        try:
            yield
        finally:
            with self._lock:
                del self._calls[number]

    def overdue(self, since: float = 0.0) -> list[Call]:
        """Calls that have run longer than their bound, the longest first.

        ``since`` (monotonic seconds): time before it does not count, the process stood still then.
        """
        now = self._clock.monotonic()
        with self._lock:
            late = [call for call in self._calls.values() if now - max(call.started, since) > call.bound]
        return sorted(late, key=lambda call: call.started)

    def seconds(self, call: Call) -> float:
        """How long a call has been running."""
        return self._clock.monotonic() - call.started
