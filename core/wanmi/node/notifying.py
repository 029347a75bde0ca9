"""Tell systemd how the node stands: ready, beginning anew, stopping, alive (sd_notify(3)), by a datagram to the socket that it names.

Without ``NOTIFY_SOCKET`` nothing is told: a node is the same under any supervisor.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

MICROS = 1_000_000


@dataclass
class Notifier:
    """``address`` of systemd's socket, empty: nobody listens; ``every``: seconds between two pings, 0: none are wanted."""

    address: str
    every: float
    _pinged: float = float("-inf")

    @classmethod
    def of(cls, environ: Mapping[str, str], pid: int) -> Notifier:
        """As systemd says in the environment; a watchdog for another process is not ours. Pings at half its time."""
        address = environ.get("NOTIFY_SOCKET", "")
        whose, bound = environ.get("WATCHDOG_PID", str(pid)), environ.get("WATCHDOG_USEC", "0")
        wanted = whose == str(pid) and bound.isdecimal()
        return cls(address, int(bound) / MICROS / 2 if wanted else 0.0)

    def ready(self, status: str) -> None:
        """The node does its work from now on."""
        self._tell(f"READY=1\nSTATUS={status}\nMAINPID={os.getpid()}")

    def stopping(self) -> None:
        """The node begins to stop."""
        self._tell("STOPPING=1")

    def reloading(self, now: float) -> None:
        """The node begins anew in the same process at ``now`` (monotonic seconds); ``ready`` ends that."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={round(now * MICROS)}")

    def beat(self, now: float) -> None:
        """The event loop runs at ``now`` (monotonic seconds): a ping, if one is due."""
        if self.every and now - self._pinged >= self.every:
            self._pinged = now
            self._tell("WATCHDOG=1")

    def _tell(self, what: str) -> None:
        if not self.address:
            return
        name = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.connect(name)
            out.sendall(what.encode())
