"""Recorded bytes, damaged: the same seed gives the same inputs, on any machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from random import Random

LONGEST = 6000
"""Bytes; recorded messages are shorter, so that half an input is rarely cut off."""
NUMBERS = (
    b"0", b"-1", b"1", b"127", b"128", b"255", b"256", b"32768", b"65535", b"2147483648", b"4294967295", b"4294967296",
    b"9007199254740993", b"9223372036854775808", b"18446744073709551616", b"-9223372036854775809", b"1e999", b"-0.0",
    b"1e-9", b"90.0000001", b"180.0000001", b"NaN", b"Infinity", b"", b"00", b"1" * 400,
)  # fmt: skip
"""Numbers at the edges of what formats, C types and places on the earth can hold."""
TOKENS = (
    b"\x00", b"\xff", b"\x7f", b"\x80", b"\x80\x80\x80\x80\x80", b"\xff\xff\xff\xff", b"\x84\xff\xff\xff\xff", b"\x30\x80",
    b"\r", b"\n", b"\r\n", b"$", b"*", b",", b",,", b"\x7e", b"\x7d", b"\x7d\x01", b"\xaa", b'"', b"\\", b"\\u0000", b"\\ud800",
    b"null", b"true", b"[]", b"{}", b"[", b"{", b"}", b"]", b":", b"\xef\xbb\xbf", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
)  # fmt: skip
"""What ends, escapes, opens or lies about lengths in the formats of this house."""
_DIGITS = re.compile(rb"-?\d+(?:\.\d+)?")
Change = Callable[[Random, bytearray, Sequence[bytes]], None]


def inputs(seeds: Sequence[bytes], seed: int) -> Iterator[bytes]:
    """Damaged inputs without an end: mostly one to four changes of a recorded one, sometimes the recorded one itself."""
    random = Random(seed)
    while True:
        made = bytearray(random.choice(seeds))
        for _ in range(random.choice((0, 1, 1, 1, 2, 2, 3, 4, 8))):
            random.choice(CHANGES)(random, made, seeds)
        yield bytes(made[:LONGEST])


def _place(random: Random, made: bytearray) -> int:
    return int(random.random() * (len(made) + 1))


def _flip(random: Random, made: bytearray, _: Sequence[bytes]) -> None:
    if made:
        made[int(random.random() * len(made))] ^= 1 << random.getrandbits(3)


def _set(random: Random, made: bytearray, _: Sequence[bytes]) -> None:
    if made:
        made[int(random.random() * len(made))] = random.getrandbits(8)


def _insert(random: Random, made: bytearray, _: Sequence[bytes]) -> None:
    at = _place(random, made)
    made[at:at] = random.randbytes(1 + random.getrandbits(3))


def _token(random: Random, made: bytearray, _: Sequence[bytes]) -> None:
    at = _place(random, made)
    made[at : at + random.getrandbits(2)] = random.choice(TOKENS)


def _delete(random: Random, made: bytearray, _: Sequence[bytes]) -> None:
    at = _place(random, made)
    del made[at : at + 1 + random.getrandbits(random.choice((2, 4, 6)))]


def _double(random: Random, made: bytearray, _: Sequence[bytes]) -> None:
    at = _place(random, made)
    made[at:at] = made[at : at + 1 + random.getrandbits(6)]


def _cut(random: Random, made: bytearray, _: Sequence[bytes]) -> None:
    del made[_place(random, made) :]


def _splice(random: Random, made: bytearray, seeds: Sequence[bytes]) -> None:
    other = random.choice(seeds)
    at, there = _place(random, made), int(random.random() * (len(other) + 1))
    made[at:] = other[there:]


def _number(random: Random, made: bytearray, _: Sequence[bytes]) -> None:
    """Another number in place of one that is written in digits."""
    found = _DIGITS.search(made, _place(random, made)) or _DIGITS.search(made)
    if found is not None:
        made[found.start() : found.end()] = random.choice(NUMBERS)


def _deep(random: Random, made: bytearray, _: Sequence[bytes]) -> None:
    """A byte or a few, many times: brackets in brackets, lengths in lengths. Not often: it is long."""
    if random.getrandbits(3) == 0:
        at = _place(random, made)
        one = random.choice((b"[", b'{"a":', b"\x30\x80", b"\x91", b"\x81\xa1a", bytes(made[at : at + 2])))
        made[at : at + random.getrandbits(2)] = one * random.choice((40, 300, 1200))


CHANGES: tuple[Change, ...] = (
    _flip, _set, _insert, _token, _delete, _double, _cut, _splice, _number, _deep,
)  # fmt: skip
