"""A line between two network namespaces: packets from one TUN to the other, as the weather lets them.

``python -m lab.tun_relay PARENT_NS PARENT_IF CHILD_NS CHILD_IF SEED``; weather comes as JSON lines on stdin, its end
ends the relay, and its TUNs with it. Prints ``ready`` when both are there. One thread: opened inside each namespace,
the TUNs stay open outside.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lab.weather import Lane, Weather

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
CLONE_NEWNET = 0x40000000
AT_ONCE = 64
"""Packets taken from one side before the other has its turn."""


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """This thread in another network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    home, there = os.open("/proc/self/ns/net", os.O_RDONLY), os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if libc.setns(there, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
        try:
            yield
        finally:
            libc.setns(home, CLONE_NEWNET)
    finally:
        os.close(home)
        os.close(there)


def open_tun(namespace: str, name: str) -> int:
    """A TUN interface inside a namespace."""
    with inside(namespace):
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


class Relay:
    """Packets under way, by when they leave."""

    def __init__(self, parent: int, child: int, seed: int) -> None:
        self._lanes = {parent: Lane("down", random.Random(seed)), child: Lane("up", random.Random(seed + 1))}
        self._other = {parent: child, child: parent}
        self._heap: list[tuple[float, int, int, bytes]] = []
        self._count = 0

    def run(self, control: int) -> None:
        """Until the control's end."""
        poll = select.poll()
        for fd in (*self._lanes, control):
            poll.register(fd, select.POLLIN)
        while True:
            for fd, _ in poll.poll(self._rest()):
                if fd != control:
                    self._take(fd)
                elif not self._told(os.read(control, 65536)):
                    return
            self._give()

    def _rest(self) -> float:
        """Milliseconds until the next packet leaves."""
        return 1000.0 if not self._heap else max((self._heap[0][0] - time.monotonic()) * 1000, 0.0)

    def _told(self, lines: bytes) -> bool:
        for line in lines.splitlines():
            for lane in self._lanes.values():
                lane.become(Weather(**json.loads(line)))
        return bool(lines)

    def _take(self, fd: int) -> None:
        with contextlib.suppress(BlockingIOError):
            for _ in range(AT_ONCE):
                packet = os.read(fd, 65536)
                for due in self._lanes[fd].leaves(time.monotonic(), len(packet)):
                    self._count += 1
                    heapq.heappush(self._heap, (due, self._count, self._other[fd], packet))

    def _give(self) -> None:
        now = time.monotonic()
        while self._heap and self._heap[0][0] <= now:
            _, _, fd, packet = heapq.heappop(self._heap)
            with contextlib.suppress(OSError):
                os.write(fd, packet)


def main() -> None:
    parent_ns, parent_if, child_ns, child_if, seed = sys.argv[1:]
    relay = Relay(open_tun(parent_ns, parent_if), open_tun(child_ns, child_if), int(seed))
    print("ready", flush=True)
    relay.run(sys.stdin.fileno())


if __name__ == "__main__":
    main()
