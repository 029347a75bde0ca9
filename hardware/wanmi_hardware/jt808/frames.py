"""Frames of JT/T 808 on a byte stream, and their headers. Pure.

A frame stands between two 0x7e; inside it 0x7e is sent as 7d 02 and 0x7d as 7d 01. The last byte is the exclusive or of
those before it. A header is 12 bytes in 2013 and 17 in 2019 (bit 14 of its properties tells), 4 more in a part of a
message that was cut up. Source: JT/T 808-2013 and 808-2019, chapter 4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from operator import xor

from wanmi.errors import DeviceGarbled

MARK = 0x7E
LONGEST = 2 * (21 + 1023 + 1)
"""Bytes of the longest frame with every byte escaped; what is longer is passed over up to the next mark."""
BODY_MOST = 1023
"""Bytes of a body; ten bits tell its length."""


@dataclass(frozen=True)
class Frame:
    """One message, or the ``part``-th of ``parts`` of one. ``phone`` is the terminal's number without leading zeros."""

    kind: int
    phone: str
    serial: int
    body: bytes
    is_2019: bool = False
    parts: int = 1
    part: int = 1
    encrypted: bool = False


class FrameReader:
    """Cuts a stream into frames' bytes, however it comes; holds at most one frame's."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """What stands between marks; still escaped, and perhaps garbage."""
        *ended, rest = (self._held + chunk).split(bytes((MARK,)))
        # one byte more than can be: what is too long stays too long until its mark comes
        self._held = rest[: LONGEST + 1]
        return [one for one in ended if 0 < len(one) <= LONGEST]


def read_frame(raw: bytes) -> Frame:
    """The frame in what stood between two marks; DeviceGarbled when it is none."""
    data = _unescaped(raw)
    if len(data) < 13 or reduce(xor, data) != 0:
        raise DeviceGarbled(f"{len(data)} bytes that are no frame, or whose check byte is wrong")
    data = data[:-1]
    kind, properties = _u16(data, 0), _u16(data, 2)
    is_2019, cut = bool(properties & 0x4000), bool(properties & 0x2000)
    digits, at = (10, 5) if is_2019 else (6, 4)
    head = at + digits + 2 + (4 if cut else 0)
    if len(data) != head + (properties & 0x3FF):
        raise DeviceGarbled(f"message {kind:#06x} says {properties & 0x3FF} bytes and has {len(data) - head}")
    frame = Frame(
        kind, bcd(data[at : at + digits]).lstrip("0") or "0", _u16(data, at + digits), data[head:], is_2019,
        encrypted=bool(properties & 0x1C00),
    )  # fmt: skip
    return _part(frame, _u16(data, head - 4), _u16(data, head - 2)) if cut else frame


def _part(frame: Frame, parts: int, part: int) -> Frame:
    if not 1 <= part <= parts:
        raise DeviceGarbled(f"message {frame.kind:#06x} says it is part {part} of {parts}")
    return replace(frame, parts=parts, part=part)


def write_frame(frame: Frame) -> bytes:
    """The frame's bytes with marks; its body at most 1,023 bytes."""
    if len(frame.body) > BODY_MOST:
        raise ValueError(f"{len(frame.body)} bytes are more than one message holds")
    properties = len(frame.body) | (0x4000 if frame.is_2019 else 0) | (0x2000 if frame.parts > 1 else 0)
    number = bytes.fromhex(frame.phone.zfill(20 if frame.is_2019 else 12))
    head = frame.kind.to_bytes(2, "big") + properties.to_bytes(2, "big") + (b"\x01" if frame.is_2019 else b"")
    head += number + (frame.serial & 0xFFFF).to_bytes(2, "big")
    if frame.parts > 1:
        head += frame.parts.to_bytes(2, "big") + frame.part.to_bytes(2, "big")
    data = head + frame.body
    data += bytes((reduce(xor, data),))
    return b"\x7e" + data.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02") + b"\x7e"


def bcd(data: bytes) -> str:
    """Decimal digits, two a byte; DeviceGarbled for a half byte that is none."""
    text = data.hex()
    if not text.isdigit():
        raise DeviceGarbled(f"{text} are no decimal digits")
    return text


def _unescaped(raw: bytes) -> bytes:
    parts = raw.split(b"\x7d")
    out = [parts[0]]
    for part in parts[1:]:
        if part[:1] not in (b"\x01", b"\x02"):
            raise DeviceGarbled("a byte 7d that escapes nothing")
        out.append((b"\x7d" if part[:1] == b"\x01" else b"\x7e") + part[1:])
    return b"".join(out)


def _u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")
