"""A city vehicle that is not there: a JT/T 808-2013 terminal that registers, authenticates and tells where it drives."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from wanmi.clock import Clock
from wanmi.errors import DeviceRefused
from wanmi_hardware.emulating.receiver import Walk
from wanmi_hardware.jt808.frames import Frame, FrameReader, read_frame, write_frame

REGISTER, AUTHENTICATE, HEARTBEAT, LOCATION = 0x0100, 0x0102, 0x0002, 0x0200
GENERAL, REGISTERED = 0x8001, 0x8100
EMERGENCY = 0x1
"""The bit of the panic button in the alarm word."""
ACC_ON, LOCATED, GPS, BEIDOU = 0x1, 0x2, 1 << 18, 1 << 19
CHINA = timedelta(hours=8)


def registration(plate: str) -> bytes:
    """Body of 0x0100: Liaoning (21), Shenyang (0100), maker, model, serial, plate's colour (1: blue) and plate."""
    fixed = (21).to_bytes(2, "big") + (100).to_bytes(2, "big") + b"WANMI" + b"EMULATED".ljust(20, b"\0") + b"0000001"
    return fixed + b"\x01" + plate.encode("gb18030")


def location(walk: Walk, second: float, now_us: int, alarms: int = 0) -> bytes:
    """Body of 0x0200: alarm bits, where the walk is (1e-6 degree), speed in 0.1 km/h, local time of China in BCD."""
    lon, lat, speed, course = walk.at(second)
    status = ACC_ON | LOCATED | GPS | BEIDOU | (0x4 if lat < 0 else 0) | (0x8 if lon < 0 else 0)
    at = datetime.fromtimestamp(now_us / 1_000_000, UTC) + CHINA
    numbers = b"".join(
        value.to_bytes(4, "big") for value in (alarms, status, round(abs(lat) * 1e6), round(abs(lon) * 1e6))
    )
    moving = (45).to_bytes(2, "big") + round(speed * 36).to_bytes(2, "big") + round(course).to_bytes(2, "big")
    return numbers + moving + bytes.fromhex(at.strftime("%y%m%d%H%M%S"))


class Vehicle:
    """One terminal; its messages are numbered, and each waits for its answer."""

    def __init__(self, phone: str, plate: str, walk: Walk, clock: Clock, panic_after: float = 0) -> None:
        self._panic_at = clock.monotonic() + panic_after if panic_after else None
        self._phone = phone
        self._plate = plate
        self._walk = walk
        self._clock = clock
        self._serial = 0
        self._frames = FrameReader()
        self._waiting: list[bytes] = []

    async def drive(self, host: str, port: int, every: float) -> None:
        """Connect, sign in, then tell the place every so many seconds, for ever. DeviceRefused when it is not let in."""
        reader, writer = await asyncio.open_connection(host, port)
        try:
            code = await self._sign_in(reader, writer)
            await self._ask(reader, writer, AUTHENTICATE, code)
            begin = self._clock.monotonic()
            while True:
                now = self._clock.monotonic()
                panic = self._panic_at is not None and now >= self._panic_at
                body = location(self._walk, now - begin, self._clock.now(), EMERGENCY if panic else 0)
                await self._ask(reader, writer, LOCATION, body)
                if panic:
                    self._panic_at = None  # a terminal takes the bit back once it was answered
                await asyncio.sleep(every)
        finally:
            writer.close()

    async def _sign_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        """Register; the code to authenticate with. Body of the answer: serial, result (0: welcome), code."""
        answer = await self._ask(reader, writer, REGISTER, registration(self._plate))
        if answer.body[2] != 0:
            raise DeviceRefused(
                f"vehicle {self._phone} is not let in: result {answer.body[2]}; approve it at the gateway"
            )
        return answer.body[3:]

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kind: int, body: bytes) -> Frame:
        self._serial = (self._serial + 1) & 0xFFFF
        writer.write(write_frame(Frame(kind, self._phone, self._serial, body)))
        while True:
            frame = read_frame(await self._next(reader))
            if frame.kind in (GENERAL, REGISTERED) and int.from_bytes(frame.body[:2], "big") == self._serial:
                return frame

    async def _next(self, reader: asyncio.StreamReader) -> bytes:
        while not self._waiting:
            chunk = await reader.read(4096)
            if not chunk:
                raise DeviceRefused(f"the gateway hung up on vehicle {self._phone}")
            self._waiting += self._frames.feed(chunk)
        return self._waiting.pop(0)
