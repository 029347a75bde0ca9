"""A line without namespaces, for machines that have no TUN: a TCP relay on loopback with the same weather.

``python -m lab.stream_relay LISTEN_PORT TARGET_PORT SEED``; weather comes as JSON lines on stdin. A stream has no packets
to lose: what would be lost is late by a retransmission, and all behind it; a cut holds everything back until it heals.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
import time

from lab.weather import Direction, Lane, Weather

CHUNK = 16 * 1024
AGAIN = 0.2
"""Seconds, besides the round trip, after which TCP sends a lost packet again."""


class StreamRelay:
    """Every connection to ``listen`` goes on to ``target``."""

    def __init__(self, target: int, seed: int) -> None:
        self._target = target
        self._dice = random.Random(seed)
        self._weather = Weather()
        self._open: dict[Direction, asyncio.Event] = {"up": asyncio.Event(), "down": asyncio.Event()}
        self.told(b"{}")

    def told(self, line: bytes) -> None:
        """New weather."""
        self._weather = Weather(**json.loads(line))
        for direction, through in self._open.items():
            if self._weather.is_cut(direction):
                through.clear()
            else:
                through.set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        await self._open["up"].wait()
        with contextlib.suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            ways = [
                asyncio.create_task(self._carry("up", reader, far_writer)),
                asyncio.create_task(self._carry("down", far_reader, writer)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            far_writer.close()
        writer.close()

    async def _carry(self, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lane, waiting = Lane(direction, self._dice), asyncio.Queue[tuple[float, bytes]](64)
        giving = asyncio.create_task(self._give(direction, waiting, writer))
        try:
            while data := await reader.read(CHUNK):
                lane.become(Weather(self._weather.rtt_ms, self._weather.jitter_ms, kbit=self._weather.kbit))
                due = lane.leaves(time.monotonic(), len(data))
                await waiting.put((due[0] if due else time.monotonic(), data))
        finally:
            giving.cancel()

    async def _give(
        self, direction: Direction, waiting: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        while True:
            due, data = await waiting.get()
            await asyncio.sleep(due - time.monotonic())
            if self._dice.random() < self._weather.loss:
                await asyncio.sleep(AGAIN + self._weather.rtt_ms / 1000)
            await self._open[direction].wait()
            writer.write(data)
            await writer.drain()


async def main() -> None:
    listen, target, seed = map(int, sys.argv[1:])
    relay = StreamRelay(target, seed)
    server = await asyncio.start_server(relay.accept, "127.0.0.1", listen)
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        relay.told(line)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
