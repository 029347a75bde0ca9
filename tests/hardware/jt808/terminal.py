"""A terminal for tests, written from the standard's text; it shares no code with the driver's codec."""

from __future__ import annotations

import asyncio
import struct
from datetime import UTC, datetime, timedelta

SECOND = 1_000_000


def frame(
    kind: int, phone: str, serial: int, body: bytes, new: bool = False, cut: tuple[int, int] | None = None,
    cipher: int = 0,
) -> bytes:  # fmt: skip
    flags = len(body) + (1 << 14 if new else 0) + (1 << 13 if cut else 0) + (cipher << 10)
    head = struct.pack(">HH", kind, flags)
    if new:
        head += b"\x01"
    head += bytes.fromhex(phone.rjust(20 if new else 12, "0")) + struct.pack(">H", serial)
    if cut:
        head += struct.pack(">HH", *cut)
    check = 0
    for byte in head + body:
        check ^= byte
    out = bytearray(b"\x7e")
    for byte in head + body + bytes([check]):
        out += {0x7E: b"\x7d\x02", 0x7D: b"\x7d\x01"}.get(byte, bytes([byte]))
    return bytes(out + b"\x7e")


def parse(data: bytes) -> list[tuple[int, str, int, bytes]]:
    """(kind, phone, serial, body) of each frame."""
    found = []
    for raw in data.split(b"\x7e"):
        if not raw:
            continue
        plain = raw.replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")
        kind, flags = struct.unpack(">HH", plain[:4])
        at, width = (5, 10) if flags & 0x4000 else (4, 6)
        phone = plain[at : at + width].hex()
        (serial,) = struct.unpack(">H", plain[at + width : at + width + 2])
        found.append((kind, phone.lstrip("0"), serial, plain[at + width + 2 : -1]))
    return found


def location(
    at: int, lon_e6: int, lat_e6: int, *, status: int = 0x0003 | 1 << 18 | 1 << 19, alarms: int = 0, speed: int = 360,
    course: int = 90, extras: bytes = b"\x01\x04\x00\x00\x30\x39\x30\x01\x1f\x31\x01\x0c",
) -> bytes:  # fmt: skip
    beijing = datetime.fromtimestamp(at / SECOND, UTC) + timedelta(hours=8)
    return (
        struct.pack(">IIIIhHH", alarms, status, lat_e6, lon_e6, 52, speed, course)
        + bytes.fromhex(beijing.strftime("%y%m%d%H%M%S")) + extras
    )  # fmt: skip


def batch(items: list[bytes]) -> bytes:
    return struct.pack(">HB", len(items), 1) + b"".join(struct.pack(">H", len(one)) + one for one in items)


def register(new: bool, plate: str = "辽A12345") -> bytes:
    maker, model, serial = (11, 30, 30) if new else (5, 20, 7)
    fields = b"KTMAK".ljust(maker, b"\0") + b"M-1".ljust(model, b"\0") + b"0000042".ljust(serial, b"\0")
    return struct.pack(">HH", 21, 100) + fields + b"\x01" + plate.encode("gbk")


def authenticate(code: str, new: bool) -> bytes:
    if not new:
        return code.encode()
    return bytes([len(code)]) + code.encode() + b"123456789012345" + b"1.0".ljust(20, b"\0")


class Terminal:
    """A terminal on a socket."""

    def __init__(self, phone: str, new: bool = False) -> None:
        self.phone, self.new, self.serial = phone, new, 0
        self.code = ""
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def connect(self, port: int) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)

    async def say(self, kind: int, body: bytes, cut: tuple[int, int] | None = None) -> int:
        self.serial += 1
        self.writer.write(frame(kind, self.phone, self.serial, body, self.new, cut))
        await self.writer.drain()
        return self.serial

    async def hear(self) -> tuple[int, bytes]:
        """The next frame from the server; EOFError when it hung up."""
        await self.reader.readuntil(b"\x7e")
        raw = await asyncio.wait_for(self.reader.readuntil(b"\x7e"), 5)
        ((kind, phone, _, body),) = parse(b"\x7e" + raw)
        assert phone == self.phone
        return kind, body

    async def result(self, kind: int, body: bytes) -> int:
        """Say something; the result of the general answer to it."""
        serial = await self.say(kind, body)
        answer, said = await self.hear()
        assert answer == 0x8001
        assert struct.unpack(">HH", said[:4]) == (serial, kind)
        return said[4]

    async def log_in(self) -> None:
        await self.say(0x0100, register(self.new))
        kind, body = await self.hear()
        assert (kind, body[2]) == (0x8100, 0)
        self.code = body[3:].decode("gbk")
        assert await self.result(0x0102, authenticate(self.code, self.new)) == 0

    def close(self) -> None:
        self.writer.close()
