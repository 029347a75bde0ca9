"""baresip's MQTT module to the event protocol: an operator's softphone that needs no telephone system. Pure.

It publishes on ``/<mqtt_basetopic>/event``; the seat is the user part of its account. What it says of media and
registrations is nothing to us.
"""

from __future__ import annotations

import re

import msgspec

from wanmi.errors import BadInput
from wanmi_hotline.events import Event, What

SYSTEM = "baresip"
_EVENTS: dict[str, What] = {"CALL_INCOMING": "ringing", "CALL_ESTABLISHED": "answered", "CALL_CLOSED": "ended"}
_OUTGOING = "CALL_RINGING"
_USER = re.compile(r"(?:\"[^\"]*\"\s*)?<?sips?:([^@;>]+)@")


class _Said(msgspec.Struct, frozen=True):
    type: str
    accountaor: str = ""
    direction: str = ""
    peeruri: str = ""
    peerdisplayname: str = ""
    id: str = ""
    param: str = ""


def topic_of(base: str) -> str:
    """The topic on which a softphone with this basetopic tells its events."""
    return f"/{base.strip('/')}/event"


def translate(payload: bytes, now: int) -> Event | None:
    """The event that a softphone tells, None for what does not concern calls; BadInput for what is no event.

    baresip tells no time: ``now`` (µs UTC) stands for it.
    """
    try:
        said = msgspec.json.decode(payload, type=_Said)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"baresip: {error}") from error
    outgoing = said.direction == "outgoing"
    what = "ringing" if outgoing and said.type == _OUTGOING else _EVENTS.get(said.type)
    if what is None or (outgoing and said.type == "CALL_INCOMING"):
        return None
    seat = _user(said.accountaor)
    if not said.id or not seat:
        raise BadInput(f"baresip: {said.type} without a call id or account")
    return Event(
        v=1,
        id=f"{seat}:{said.id}:{said.type}"[:200],
        system=SYSTEM,
        event=what,
        call=said.id[:200],
        at=now,
        direction="out" if outgoing else "in",
        number=_user(said.peeruri)[:60],
        name=said.peerdisplayname[:60],
        called=seat[:60],
        seat=seat[:60],
        reason=said.param[:60] if what == "ended" else "",
    )


def _user(uri: str) -> str:
    found = _USER.match(uri)
    return found[1] if found else ""
