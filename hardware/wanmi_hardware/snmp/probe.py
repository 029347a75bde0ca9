"""The question that every SNMPv3 agent answers to anybody: who are you (engine discovery, RFC 3414, 4).

It tells an agent that is silent because of a password from a place where nothing is.
"""

from __future__ import annotations

import secrets

from wanmi_hardware.snmp.ber import Reader, element, number

_MAX_SIZE = 65_507
_REPORTABLE = b"\x04"
_USM = 3


def discovery() -> bytes:
    """A message from nobody, whose answer is a report with the agent's engine id."""
    ident = secrets.randbelow(1 << 30)
    header = number(ident) + number(_MAX_SIZE) + element(0x04, _REPORTABLE) + number(_USM)
    nobody = element(0x04, b"") + number(0) + number(0) + element(0x04, b"") * 3
    pdu = element(0xA0, number(ident) + number(0) + number(0) + element(0x30, b""))
    scoped = element(0x04, b"") + element(0x04, b"") + pdu
    security = element(0x04, element(0x30, nobody))
    return element(0x30, number(3) + element(0x30, header) + security + element(0x30, scoped))


def engine_of(data: bytes) -> bytes | None:
    """The authoritative engine id in a v3 message; None for anything else."""
    try:
        message = Reader(Reader(data).take(0x30))
        if message.number() != 3:
            return None
        message.take(0x30)
        return Reader(Reader(message.take(0x04)).take(0x30)).take(0x04) or None
    except (IndexError, ValueError):
        return None
