"""Whether bytes are the photo or sound that they are said to be, by their headers: no decoder, no pixels. Pure.

JPEG: ISO/IEC 10918-1 annex B. PNG: W3C PNG, section 5. WebP: RFC 9649. MP3: ISO/IEC 11172-3. Ogg: RFC 3533.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

from wanmi.errors import BadInput

MAX_SIDE = 20_000
"""Pixels."""
MAX_PIXELS = 120_000_000
Size = tuple[int, int]
"""Width and height in pixels."""

_NO_SIZE = frozenset({0x01, *range(0xD0, 0xD9)})
"""JPEG markers without a length."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers that begin a frame: its size stands there."""
_START_OF_SCAN = 0xDA


def check_media(content: bytes, media: str) -> None:
    """BadInput unless ``content`` is of that media type, and a picture within the limits of size."""
    if media in _SOUNDS:
        if not _SOUNDS[media](content):
            raise BadInput(f"the attachment is no {media}, whatever it was sent as")
        return
    size = picture_size(content, media)
    if size is None:
        raise BadInput(f"the attachment is no whole {media} picture; take the photo again")
    width, height = size
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS):
        raise BadInput(f"the picture has {width} x {height} pixels; at most {MAX_SIDE} a side, {MAX_PIXELS} in all")


def picture_size(content: bytes, media: str) -> Size | None:
    """Width and height of a picture; None for what is none of that media type, or cut off."""
    read = _PICTURES.get(media)
    try:
        return None if read is None else read(content)
    except IndexError:
        return None


def _jpeg(content: bytes) -> Size | None:
    if content[:2] != b"\xff\xd8":
        return None
    at, size = 2, None
    while content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF or marker in _NO_SIZE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == _START_OF_SCAN:
            return size if b"\xff\xd9" in content[at:] else None
        length = _number(content, at + 2, 2)
        if marker in _FRAMES:
            size = _number(content, at + 7, 2), _number(content, at + 5, 2)
        at += 2 + max(length, 2)
    return None


def _png(content: bytes) -> Size | None:
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR":
        return None
    at, pixels = 8, False
    while True:
        length, name = _number(content, at, 4), content[at + 4 : at + 8]
        body = content[at + 4 : at + 8 + length]
        if zlib.crc32(body) != _number(content, at + 8 + length, 4):
            return None
        pixels = pixels or (name == b"IDAT" and length > 0)
        if name == b"IEND":
            return (_number(content, 16, 4), _number(content, 20, 4)) if pixels else None
        at += 12 + length


def _webp(content: bytes) -> Size | None:
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP" or _little(content, 4, 4) + 8 > len(content):
        return None
    kind = content[12:16]
    if kind == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        return _little(content, 26, 2) & 0x3FFF, _little(content, 28, 2) & 0x3FFF
    if kind == b"VP8L" and content[20] == 0x2F:
        bits = _little(content, 21, 4)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return _little(content, 24, 3) + 1, _little(content, 27, 3) + 1
    return None


def _mpeg(content: bytes) -> bool:
    return content[:3] == b"ID3" or (len(content) > 3 and content[0] == 0xFF and content[1] & 0xE0 == 0xE0)


def _ogg(content: bytes) -> bool:
    return content[:4] == b"OggS"


def _number(content: bytes, at: int, n: int) -> int:
    """``n`` bytes, the highest first; IndexError beyond the end."""
    return int.from_bytes(_whole(content, at, n), "big")


def _little(content: bytes, at: int, n: int) -> int:
    return int.from_bytes(_whole(content, at, n), "little")


def _whole(content: bytes, at: int, n: int) -> bytes:
    if at + n > len(content):
        raise IndexError(at)
    return content[at : at + n]


_PICTURES: Mapping[str, Callable[[bytes], Size | None]] = MappingProxyType(
    {"image/jpeg": _jpeg, "image/png": _png, "image/webp": _webp}
)
_SOUNDS: Mapping[str, Callable[[bytes], bool]] = MappingProxyType({"audio/mpeg": _mpeg, "audio/ogg": _ogg})
