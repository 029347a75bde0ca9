"""Messages that came in parts, put together; bounded in size, number and time. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from wanmi_hardware.jt808.frames import Frame

MOST_BYTES = 4 * 1024 * 1024
"""Bytes of one message in parts."""
MOST_OPEN = 4
"""Messages of one connection that may be incomplete at once; the oldest gives way."""


@dataclass
class _Open:
    head: Frame
    have: dict[int, bytes] = field(default_factory=dict)
    size: int = 0


class Joiner:
    """Puts one connection's parts together. Parts of a message have consecutive serials, so the first one's names it."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, int], _Open] = {}

    def take(self, frame: Frame) -> Frame | None:
        """The whole message, once its last missing part has come; None while some are missing."""
        if frame.parts == 1:
            return frame
        key = self._key(frame)
        if key not in self._open:
            while len(self._open) >= MOST_OPEN:
                self._open.pop(next(iter(self._open)))
            self._open[key] = _Open(frame)
        open = self._open[key]
        if open.head.parts != frame.parts or open.size + len(frame.body) > MOST_BYTES:
            self._open.pop(key)
            return None
        if frame.part not in open.have:
            open.size += len(frame.body)
        open.have[frame.part] = frame.body
        if len(open.have) < frame.parts:
            return None
        self._open.pop(key)
        body = b"".join(open.have[n] for n in range(1, frame.parts + 1))
        return replace(frame, body=body, parts=1, part=1)

    def missing(self, frame: Frame) -> tuple[int, ...]:
        """Parts that have not come of the message that ``frame`` is one of."""
        open = self._open.get(self._key(frame))
        return tuple(n for n in range(1, frame.parts + 1) if open is not None and n not in open.have)

    def first(self, frame: Frame) -> bytes | None:
        """The body of the message's first part, if it is here."""
        open = self._open.get(self._key(frame))
        return open.have.get(1) if open is not None else None

    def _key(self, frame: Frame) -> tuple[int, int]:
        return frame.kind, (frame.serial - frame.part + 1) & 0xFFFF
