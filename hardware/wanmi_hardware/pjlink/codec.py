"""PJLink's lines, pure: JBMIA's PJLink specification 2.00 (class 1 and 2). Bytes in, values out, no I/O.

A line is at most 136 bytes and ends in CR: ``%1POWR ?`` asks, ``%1POWR=1`` answers. After the greeting ``PJLINK 1
<salt>`` the first command of a connection is preceded by MD5(salt + password) in hex. What is not a line of the
protocol is DeviceGarbled, and nothing else is ever raised.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TypeVar

from wanmi.errors import DeviceGarbled

_W = TypeVar("_W")

PORT = 4352
LONGEST = 136
"""Bytes of the longest line, its CR included."""
LONGEST_PARAMETER = 128
REFUSED = "PJLINK ERRA"
ERRORS = {
    "ERR1": "it does not know this command",
    "ERR2": "the value is out of its range",
    "ERR3": "it is not available now (standby, warming up or cooling down)",
    "ERR4": "the display reports a failure of its own",
}

_LINE = re.compile(r"%([12])([0-9A-Z]{4})([ =])([^\r]*)", re.IGNORECASE | re.DOTALL | re.ASCII)
_GREETING = re.compile(r"PJLINK (?:(0)|1 ([0-9a-f]{1,16}))", re.IGNORECASE | re.ASCII)
_POWER = {"0": "standby", "1": "on", "2": "cooling", "3": "warming"}
_ERROR = {"0": "ok", "1": "warning", "2": "error"}
_MUTED = {"11": ("on", "off"), "21": ("off", "on"), "31": ("on", "on"), "30": ("off", "off"), "10": ("off", "off"), "20": ("off", "off")}  # fmt: skip
_INPUT = re.compile(r"[1-6][1-9A-Z]")
_KINDS = {"1": "RGB", "2": "VIDEO", "3": "DIGITAL", "4": "STORAGE", "5": "NETWORK", "6": "INTERNAL"}
_MAC = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){5}", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Line:
    """A command or an answer: class 1 or 2, four letters, and what comes with it."""

    level: int
    body: str
    text: str
    is_answer: bool = True

    @property
    def error(self) -> str:
        """ERR1 to ERR4, or "" for an answer that is none."""
        found = self.text.upper()
        return found if found in ERRORS else ""

    def encode(self) -> bytes:
        """As it goes over the line."""
        return f"%{self.level}{self.body}{'=' if self.is_answer else ' '}{self.text}\r".encode()


def ask(level: int, body: str, text: str = "?") -> bytes:
    """The bytes of a command; DeviceGarbled for one that no display could read."""
    if "\r" in text or len(text.encode()) > LONGEST_PARAMETER:
        raise DeviceGarbled(f"PJLink: the value of {body} is longer than {LONGEST_PARAMETER} bytes, or breaks the line")
    return Line(level, body, text, is_answer=False).encode()


def read_line(raw: bytes) -> Line:
    """A line, its CR on or off."""
    text = _text(raw)
    found = _LINE.fullmatch(text)
    if found is None:
        raise DeviceGarbled(f"PJLink: {text[:40]!r} is no line of the protocol")
    level, body, sign, rest = found.groups()
    return Line(int(level), body.upper(), rest, sign == "=")


def read_greeting(raw: bytes) -> str:
    """The salt of a display that wants a password, "" of one that wants none."""
    text = _text(raw)
    found = _GREETING.fullmatch(text)
    if found is None:
        raise DeviceGarbled(f"PJLink: it greets with {text[:40]!r}: is another service on this port?")
    return found.group(2) or ""


def digest(salt: str, password: str) -> bytes:
    """What precedes the first command."""
    return hashlib.md5((salt + password).encode(), usedforsecurity=False).hexdigest().encode()


def read_power(text: str) -> str:
    """standby, on, cooling or warming."""
    return _one_of(_POWER, text, "power")


def read_errors(text: str) -> tuple[str, ...]:
    """Fan, lamp, temperature, cover, filter, other: each ok, warning or error."""
    if len(text) != 6:
        raise DeviceGarbled(f"PJLink: error status {text[:20]!r} is not six digits")
    return tuple(_one_of(_ERROR, digit, "error status") for digit in text)


def read_lamps(text: str) -> tuple[tuple[int, str], ...]:
    """Hours of each lamp and whether it is lit (``on``, ``off``); at most eight."""
    parts = text.split(" ")
    if len(parts) % 2 or not 2 <= len(parts) <= 16:
        raise DeviceGarbled(f"PJLink: lamps {text[:40]!r} are not pairs of hours and state")
    return tuple(
        (read_hours(parts[n]), _one_of({"0": "off", "1": "on"}, parts[n + 1], "lamp")) for n in range(0, len(parts), 2)
    )


def read_hours(text: str) -> int:
    """Hours of a lamp or a filter: one to five digits."""
    if not re.fullmatch(r"[0-9]{1,5}", text):
        raise DeviceGarbled(f"PJLink: hours {text[:20]!r} are not one to five digits")
    return int(text)


def read_muted(text: str) -> tuple[str, str]:
    """Whether the picture and the sound are muted (``on``, ``off``)."""
    return _one_of(_MUTED, text, "mute")


def read_switch(text: str) -> str:
    """``on`` or ``off`` of a freeze."""
    return _one_of({"0": "off", "1": "on"}, text, "switch")


def read_input(text: str) -> str:
    """An input in words: ``31`` is ``DIGITAL-1``."""
    if not _INPUT.fullmatch(text):
        raise DeviceGarbled(f"PJLink: {text[:20]!r} is no input")
    return f"{_KINDS[text[0]]}-{text[1]}"


def read_inputs(text: str) -> tuple[str, ...]:
    """The inputs of a list, as codes; at most fifty."""
    found = tuple(text.split(" "))
    if len(found) > 50 or not all(_INPUT.fullmatch(one) for one in found):
        raise DeviceGarbled(f"PJLink: {text[:40]!r} is no list of inputs")
    return found


def write_input(name: str) -> str | None:
    """The code of an input that a person names (``DIGITAL-1``, ``digital1``, ``31``); None when it is none."""
    wanted = name.strip().upper().replace(" ", "-")
    if _INPUT.fullmatch(wanted):
        return wanted
    kind, number = (wanted[:-1].rstrip("-"), wanted[-1:])
    code = next((code for code, known in _KINDS.items() if known == kind), "")
    return f"{code}{number}" if code and _INPUT.fullmatch(f"{code}{number}") else None


def read_size(text: str) -> str:
    """``1920x1080``; "no signal" for ``-``, "unknown signal" for ``*``."""
    if text in ("-", "*"):
        return "no signal" if text == "-" else "unknown signal"
    if not re.fullmatch(r"[0-9]{1,5}x[0-9]{1,5}", text, re.IGNORECASE | re.ASCII):
        raise DeviceGarbled(f"PJLink: {text[:20]!r} is no resolution")
    return text.lower()


def read_address(text: str) -> str:
    """The MAC address of a display that answers a search or comes up (ACKN, LKUP)."""
    if not _MAC.fullmatch(text):
        raise DeviceGarbled(f"PJLink: {text[:20]!r} is no MAC address")
    return text.lower()


def _one_of(words: dict[str, _W], text: str, what: str) -> _W:
    if text not in words:
        raise DeviceGarbled(f"PJLink: {what} {text[:20]!r} is none of {', '.join(words)}")
    return words[text]


def _text(raw: bytes) -> str:
    if len(raw) > LONGEST + 1:
        raise DeviceGarbled(f"PJLink: a line of {len(raw)} bytes, at most {LONGEST} are allowed")
    try:
        return raw.removesuffix(b"\n").removesuffix(b"\r").decode()
    except UnicodeDecodeError:
        raise DeviceGarbled(f"PJLink: {raw[:20]!r} is not UTF-8") from None
