"""How a terminal is: a small signed message every few minutes, and what an edge tells its district of many. Pure.

Its receipt is a ``safe`` one under the status' id: the countersignature in it comes from the district, so it proves the
whole way there and back. A socket that is open proves nothing.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wanmi.entries import canonical
from wanmi.reports.envelope import (
    MAX_INT,
    Latitude,
    Longitude,
    Micros,
    TerminalId,
    encode_message,
    key_id,
    open_message,
)
from wanmi.reports.keys import Signed, signed
from wanmi.reports.reasons import Reason, Refused

STATUS_DOMAIN = b"wanmi/status/1\n"
"""What the signature covers before the status' bytes."""
Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]
Number = Annotated[int, msgspec.Meta(ge=0, le=MAX_INT)]


class Status(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One terminal at one moment; what is not known is null. Times µs UTC by the terminal's clock, WGS-84.

    ``confirmed_at``: when it last held a status receipt whose countersignature it had verified; ``round_trip_ms``: how
    long after that status was made.
    """

    v: Literal[1]
    terminal: TerminalId
    status_id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{8,64}(?!\n)$")]
    made_at: Micros
    app: Annotated[str, msgspec.Meta(pattern=r"^[ -~]{1,64}(?!\n)$")]
    battery: Percent | None
    charging: bool | None
    queue: Number
    refused: Number
    tasks: Number
    lon_e7: Longitude | None
    lat_e7: Latitude | None
    fix_at: Micros | None
    confirmed_at: Micros | None
    round_trip_ms: Number | None


class HeardTerminal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of a status, what goes into an entry: no position, since entries cannot be erased."""

    terminal: str
    status_id: str
    made_at: int
    heard_at: int
    app: str
    battery: int | None
    queue: int
    refused: int
    tasks: int
    confirmed_at: int | None
    round_trip_ms: int | None


class TerminalsHeard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``terminals.heard``, subject ``heard:<edge>``: how the terminals are that an edge heard of since the last one."""

    terminals: list[HeardTerminal]


_decoder = msgspec.json.Decoder(Status, strict=True)


def heard_subject(edge: str) -> str:
    """The subject of what an edge heard."""
    return f"heard:{edge}"


def heard_of(status: Status, heard_at: int) -> HeardTerminal:
    """A status as the entry tells it."""
    return HeardTerminal(
        status.terminal, status.status_id, status.made_at, heard_at, status.app, status.battery, status.queue,
        status.refused, status.tasks, status.confirmed_at, status.round_trip_ms,
    )  # fmt: skip


def status_bytes(status: Status) -> bytes:
    """The canonical bytes of a status: these are signed."""
    return canonical(msgspec.to_builtins(status))


def sign_status(status: Status, key: Ed25519PrivateKey) -> bytes:
    """The message to publish for a status."""
    raw = status_bytes(status)
    return encode_message(raw, key.sign(STATUS_DOMAIN + raw), key_id(key.public_key().public_bytes_raw()), {})


def read_status(payload: bytes, public: bytes) -> Status:
    """The status in a message, its signature checked with the terminal's key (32 public bytes); raises Refused."""
    opened = open_status(payload)
    if not opened.fits(public):
        raise Refused(Reason.BAD_SIGNATURE, terminal=opened.said.terminal)
    return opened.said


def open_status(payload: bytes) -> Signed[Status]:
    """The status in a message, its signature not checked yet; raises Refused."""
    wire = open_message(payload)
    try:
        status = _decoder.decode(wire.envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Reason.WRONG_SCHEMA, f"status: {error}") from error
    if status_bytes(status) != wire.envelope:
        raise Refused(Reason.WRONG_SCHEMA, "the status is not in canonical form", status.terminal)
    return signed(status, STATUS_DOMAIN, wire)
