"""Randomness as an argument: salts, nonces, tokens and client-made ids come from an ``Ids``."""

from __future__ import annotations

import os
import random
import threading
from typing import Protocol

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Ids(Protocol):
    """Where random bytes come from."""

    def token(self, n: int) -> bytes:
        """``n`` random bytes."""
        ...


class SystemIds:
    """The operating system's generator: for everything that must not be guessed.

    Bytes are drawn in pages: a salt an entry would otherwise cost a system call an entry. Thread safe: no byte
    is given out twice.
    """

    def __init__(self, page: int = 4096) -> None:
        self._page = page
        self._bytes = b""
        self._at = 0
        self._pid = os.getpid()
        self._lock = threading.Lock()

    def token(self, n: int) -> bytes:
        """``n`` bytes from the operating system, each given out once."""
        if n > self._page:
            return os.urandom(n)
        with self._lock:
            if self._at + n > len(self._bytes) or self._pid != os.getpid():
                self._bytes, self._at, self._pid = os.urandom(self._page), 0, os.getpid()
            token = self._bytes[self._at : self._at + n]
            self._at += n
        return token


class SeededIds:
    """Repeatable bytes from a seed: for tests and the simulator, never for keys."""

    def __init__(self, seed: int | str) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def token(self, n: int) -> bytes:
        """The next ``n`` bytes of the seed's sequence."""
        return self._random.randbytes(n)


def ulid(now: int, ids: Ids) -> str:
    """A 26-character id that sorts by time: 48 bits of milliseconds, 80 random bits (ULID).

    ``now`` is microseconds UTC.
    """
    value = ((now // 1000) << 80) | int.from_bytes(ids.token(10), "big")
    return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))
