"""A bound on a whole try: when it is over, or the node stops, the try's socket is shut and its thread goes on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

AGAIN = 0.25
"""Seconds between two looks once the time is over."""
SocketOf = Callable[[], socket.socket | None]


class Deadline:
    """``with Deadline(20, lambda: connection.sock):`` no peer holds the thread longer, however slowly it drips."""

    def __init__(self, seconds: float, socket_of: SocketOf) -> None:
        self.over = False
        self._seconds = seconds
        self._socket_of = socket_of
        self._left = threading.Event()

    def end(self) -> None:
        """Shut the socket now; whoever reads or writes it gets an error."""
        self.over = True
        found = self._socket_of()
        if found is not None:
            with suppress(OSError):
                socket.socket.shutdown(found, socket.SHUT_RDWR)  # not the TLS layer's: it is in use

    def _watch(self) -> None:
        """Again and again once it is over: while it connected there was no socket to shut."""
        wait = self._seconds
        while not self._left.wait(wait):
            self.end()
            wait = AGAIN

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, name="messenger-deadline", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()


class Tries:
    """The tries under way: ``stop`` ends them all and lets no other begin."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[Deadline] = set()
        self.stopped = False

    def begin(self, deadline: Deadline) -> None:
        """A try begins; when all was stopped already it is ended at once."""
        with self._lock:
            self._running.add(deadline)
            stopped = self.stopped
        if stopped:
            deadline.end()

    def ended(self, deadline: Deadline) -> None:
        """A try is over."""
        with self._lock:
            self._running.discard(deadline)

    def stop(self) -> None:
        """End every try."""
        with self._lock:
            self.stopped = True
            running = list(self._running)
        for deadline in running:
            deadline.end()
