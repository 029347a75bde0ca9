"""HTTP clients that cost little: raw keep-alive connections in one event loop, and what they measured."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from wanmi.identity.sessions import csrf_of


@dataclass(frozen=True)
class Seat:
    """Somebody's session at a node: where it listens and the cookie that was given out."""

    host: str
    port: int
    cookie: str
    token: str

    @cached_property
    def csrf(self) -> str:
        """The form token of the session."""
        return csrf_of(self.token)

    def head(self, method: str, path: str, length: int = 0) -> bytes:
        """The lines before the body."""
        lines = [f"{method} {path} HTTP/1.1", f"host: {self.host}:{self.port}", f"cookie: {self.cookie}={self.token}"]
        if method == "POST":
            lines += [
                f"x-csrf-token: {self.csrf}", "content-type: application/json", f"content-length: {length}"
            ]  # fmt: skip
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Line:
    """One keep-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, seat: Seat) -> Self:
        """Connect."""
        return cls(*await asyncio.open_connection(seat.host, seat.port))

    async def ask(self, seat: Seat, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """(status, content) of a request."""
        content = b"" if body is None else json.dumps(body).encode()
        self._writer.write(seat.head(method, path, len(content)) + content)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        return int(head[9:12]), await self._reader.readexactly(length)

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


@dataclass
class Times:
    """How long asks took (seconds each), and in how many seconds all of them."""

    each: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0
    """Processor time that the node's process took meanwhile, seconds."""

    @property
    def cpu_ms(self) -> float:
        """Of it, milliseconds an ask."""
        return self.cpu * 1000 / len(self.each)

    def ms(self, share: float) -> float:
        """The quantile in milliseconds."""
        ordered = sorted(self.each)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000

    @property
    def rate(self) -> float:
        """Asks a second."""
        return len(self.each) / self.seconds


def processor_time(pid: int) -> float:
    """Seconds of processor that a process took since its start, its threads' too."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


Ask = tuple[Seat, str, str, Any]
"""(who, method, path, body)."""


async def run_clients(
    lines: Sequence[Line],
    seconds: float,
    scripts: Callable[[int], Callable[[], Ask | None]],
    pid: int,
    rate: float | None = None,
) -> Times:
    """Every client asks what its script says until the time is over or it says nothing more.

    A closed loop: the next ask follows the answer. With ``rate`` (asks a second, of all clients together) an ask is due
    at its time, and what it waits because the one before was late counts as its own.
    """
    times, start, cpu = Times(), time.perf_counter(), processor_time(pid)
    every = len(lines) / rate if rate else 0.0

    async def client(n: int) -> None:
        script = scripts(n)
        for due in (start + (n / len(lines) + k) * every for k in itertools.count()):
            if every:
                await asyncio.sleep(due - time.perf_counter())
            began = due if every else time.perf_counter()
            ask = script() if began - start < seconds else None
            if ask is None:
                return
            status, content = await lines[n].ask(*ask)
            times.each.append(time.perf_counter() - began)
            if status != 200:
                raise RuntimeError(f"{ask[1]} {ask[2]}: {status} {content[:300]!r}")

    await asyncio.gather(*[client(n) for n in range(len(lines))])
    times.seconds = time.perf_counter() - start
    times.cpu = processor_time(pid) - cpu
    return times


async def with_lines(seat: Seat, count: int, work: Callable[[Sequence[Line]], Awaitable[Times]]) -> Times:
    """Open so many connections for some work."""
    lines = [await Line.open(seat) for _ in range(count)]
    try:
        return await work(lines)
    finally:
        for line in lines:
            line.close()
