"""Photos of work that is done: made up, and handed in over HTTP as a department's own software would."""

from __future__ import annotations

import struct
import zlib
from random import Random
from typing import Any

from wanmi.errors import LinkError
from wanmi_demo.processes import NodeProcess

SIDE = 48
"""Pixels."""


def made_up_png(dice: Random) -> bytes:
    """A small square picture of one colour with some noise."""
    base = [dice.randrange(200) for _ in range(3)]
    rows = b"".join(
        b"\0" + bytes(value + dice.randrange(40) for _ in range(SIDE) for value in base) for _ in range(SIDE)
    )
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def hand_in(node: NodeProcess, token: str, number: str, photo: bytes) -> dict[str, Any]:
    """Seal a photo at a running node for a case; what a step names. LinkError when the node refuses it."""
    import httpx

    answer = httpx.post(
        f"{node.facts()['web'].rstrip('/')}/api/v1/cases/{number}/attachments",
        content=photo,
        headers={"content-type": "image/png", "authorization": f"Bearer {token}"},
        timeout=30.0,
    )
    if answer.status_code != httpx.codes.OK:
        raise LinkError(f"case {number}: the photo was refused with {answer.status_code}: {answer.text[:300]}")
    taken: dict[str, Any] = answer.json()
    return taken


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
