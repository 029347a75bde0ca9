"""Sentences out of a stream of bytes that may begin, break and go wrong anywhere. Pure.

A sentence runs from ``$`` or ``!`` to the end of its line. Another ``$`` or ``!`` begins a new one, also inside a line:
what was before it lost its end. Nothing is kept but the start of one sentence, so memory is bounded.
"""

from __future__ import annotations

import re

LONGEST = 250
"""Bytes of the longest sentence that is taken. The standard's is 82; makers send longer ones."""

_BODY = rb"\x20\x22\x23\x25-\x7e"
_SENTENCE = re.compile(rb"[$!]([" + _BODY + rb"]{6," + str(LONGEST).encode() + rb"})[\r\n]")
_BEGUN = re.compile(rb"[" + _BODY + rb"]{0," + str(LONGEST).encode() + rb"}")


class Framer:
    """Takes chunks, gives whole sentences without ``$`` and line end. The same bytes give the same, however cut."""

    def __init__(self) -> None:
        self._begun = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """The sentences that ``chunk`` ends."""
        data = self._begun + chunk
        found = [match.group(1) for match in _SENTENCE.finditer(data)]
        start = max(data.rfind(b"$"), data.rfind(b"!"))
        self._begun = data[start:] if start >= 0 and _BEGUN.fullmatch(data, start + 1) else b""
        return found

    @property
    def held(self) -> int:
        """Bytes that wait for the rest of their sentence."""
        return len(self._begun)
