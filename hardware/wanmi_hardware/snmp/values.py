"""What an agent says: a name (OID) and a value as it was on the wire, not yet believed."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from wanmi.errors import BadInput

Oid = tuple[int, ...]
"""A numeric object identifier; there are no names here, so no MIB files are needed."""

ValueType = Literal[
    "integer",
    "octets",
    "null",
    "oid",
    "address",
    "counter",
    "gauge",
    "ticks",
    "opaque",
    "counter64",
    "no_object",
    "no_instance",
    "end",
]

ABSENT: frozenset[ValueType] = frozenset({"null", "no_object", "no_instance", "end"})
"""The agent answered, and has no such thing."""

_OID = re.compile(r"\.?\d+(\.\d+)*")


class Var(msgspec.Struct, frozen=True):
    """A value of an agent: its type on the wire, and the number, bytes or OID itself (None: absent)."""

    type: ValueType
    value: int | bytes | Oid | None = None

    @property
    def is_absent(self) -> bool:
        """Whether the agent said that it has no such object."""
        return self.type in ABSENT

    def number(self) -> float | None:
        """The value as a number, whatever type the agent gave it: agents send Gauge32 and TimeTicks for INTEGER, and
        numbers as text. None where it is none.
        """
        if isinstance(self.value, int):
            return float(self.value)
        if isinstance(self.value, bytes):
            return _number(self.value)
        return None

    def text(self) -> str:
        """The value as a person reads it: octets as text, without padding, zero bytes and control characters."""
        if isinstance(self.value, bytes):
            return _text(self.value)
        if isinstance(self.value, tuple):
            return oid_text(self.value)
        return "" if self.value is None else str(self.value)

    def raw(self) -> str:
        """The value as it came, with its type, for the technician: ``gauge 4294967295``."""
        shown = self.value.hex(" ") if isinstance(self.value, bytes) and not _is_plain(self.value) else self.text()
        return f"{self.type} {shown}".strip()[:200]


def _number(octets: bytes) -> float | None:
    text = octets.strip(b" \0\t\r\n")
    if not re.fullmatch(rb"[+-]?\d{1,18}(\.\d{1,9})?", text):
        return None
    return float(text)


def _is_plain(octets: bytes) -> bool:
    text = octets.rstrip(b"\0").decode("utf-8", "replace")
    return "�" not in text and all(char.isprintable() or char in "\r\n\t" for char in text)


def _text(octets: bytes) -> str:
    decoded = octets.split(b"\0", 1)[0].decode("utf-8", "replace")
    return " ".join("".join(char if char.isprintable() else " " for char in decoded).split())[:255]


def oid_text(oid: Oid) -> str:
    """``1.3.6.1`` of (1, 3, 6, 1)."""
    return ".".join(map(str, oid))


def oid_of(text: str) -> Oid:
    """(1, 3, 6, 1) of ``1.3.6.1``; a leading dot is allowed. BadInput for anything else."""
    if not _OID.fullmatch(text.strip()):
        raise BadInput(f"{text!r} is no numeric OID such as 1.3.6.1.2.1.33.1.2.4.0; names need MIB files, use numbers")
    oid = tuple(int(part) for part in text.strip().lstrip(".").split("."))
    if len(oid) < 2 or oid[0] > 2 or (oid[0] < 2 and oid[1] > 39) or any(part > 0xFFFFFFFF for part in oid):
        raise BadInput(f"{text!r} is no OID that SNMP can carry")
    return oid


def is_under(oid: Oid, root: Oid) -> bool:
    """Whether ``oid`` is ``root`` or below it."""
    return oid[: len(root)] == root
