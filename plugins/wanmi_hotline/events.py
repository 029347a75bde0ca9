"""The event protocol: what any telephone system tells of its calls, over HTTP or MQTT. Pure; docs/hotline.md shows it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from wanmi.errors import BadInput

TOPIC = "wanmi/v1/hotline/{system}/event"
FILTER = "wanmi/v1/hotline/+/event"
MAX_CONTENT = 8 * 1024 * 1024
"""Bytes of a recording that comes within its event; a longer one is named by ``file``."""
MAX_EVENT = MAX_CONTENT * 4 // 3 + 64 * 1024
_TOPIC = re.compile(r"wanmi/v1/hotline/([a-z0-9][a-z0-9-]{0,29})/event")

System = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,29}(?!\n)$", description="Name of the telephone system.")]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Words = Annotated[str, Meta(max_length=60)]
What = Literal["ringing", "answered", "held", "resumed", "ended", "recording"]


class Recording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A recording: its bytes in ``content`` (base64), or ``file``, a name in the folder that the node was told."""

    media: Annotated[str, Meta(pattern=r"^audio/[a-z0-9.+-]{1,40}(?!\n)$", description="Media type.")]
    content: Annotated[str, Meta(max_length=MAX_EVENT)] | None = None
    file: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,150}(?!\n)$")] | None = None
    digest: (
        Annotated[str, Meta(pattern=r"^[0-9a-f]{64}(?!\n)$", description="SHA-256 of the bytes; checked.")] | None
    ) = None


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One event of one call. The same ``id`` again is the same event: it changes nothing."""

    v: Literal[1]
    id: Annotated[Name, Meta(description="Unique in this system; sent again after a doubt, it is known.")]
    system: System
    event: What
    call: Annotated[Name, Meta(description="The telephone system's id of the call.")]
    at: Annotated[int, Meta(ge=0, le=2**53 - 1, description="When it happened, microseconds UTC.")]
    direction: Annotated[Literal["in", "out"], Meta(description="Who began: a caller, or we.")] = "in"
    number: Annotated[Words, Meta(description="The other side's number in any spelling; empty when hidden.")] = ""
    name: Annotated[Words, Meta(description="The other side's name, where the system shows one.")] = ""
    called: Annotated[Words, Meta(description="Our own line, such as 12319.")] = ""
    seat: Annotated[Words, Meta(description="The operator's extension (ringing, answered).")] = ""
    reason: Annotated[Words, Meta(description="Why it ended, in a word.")] = ""
    recording: Recording | None = None


_one = msgspec.json.Decoder(Event, strict=True)


def decode_event(raw: bytes) -> Event:
    """The event in JSON bytes; BadInput that says what is wrong."""
    if len(raw) > MAX_EVENT:
        raise BadInput(f"event of {len(raw)} bytes; at most {MAX_EVENT}")
    try:
        return checked(_one.decode(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"event: {error}") from error


def event_of(value: object) -> Event:
    """The event in a decoded JSON value; BadInput that says what is wrong."""
    try:
        return checked(msgspec.convert(value, Event, strict=True))
    except msgspec.ValidationError as error:
        raise BadInput(f"event: {error}") from error


def checked(event: Event) -> Event:
    """The event, if its parts fit one another."""
    if (event.event == "recording") != (event.recording is not None):
        raise BadInput(f"event {event.id}: `recording` goes with the event recording, and only with it")
    if event.recording is not None and (event.recording.content is None) == (event.recording.file is None):
        raise BadInput(f"event {event.id}: a recording has content or file, one of them")
    if event.event == "ringing" and not event.seat:
        raise BadInput(f"event {event.id}: ringing says at which seat")
    return event


def content_of(recording: Recording) -> bytes:
    """The bytes within a recording; BadInput when they are no base64."""
    try:
        return base64.b64decode(recording.content or "", validate=True)
    except binascii.Error as error:
        raise BadInput(f"recording: content is no base64: {error}") from error


def system_in(topic: str) -> str | None:
    """The telephone system that a topic belongs to; None for a topic that is not the protocol's."""
    found = _TOPIC.fullmatch(topic)
    return found[1] if found else None


def call_id(system: str, call: str) -> str:
    """Our id of a call: ids of telephone systems can hold addresses and numbers, digests do not."""
    return _short(f"call\n{system}\n{call}")


def event_key(event: Event) -> str:
    """Our id of an event, made the same way."""
    return _short(f"event\n{event.system}\n{event.id}")


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]
