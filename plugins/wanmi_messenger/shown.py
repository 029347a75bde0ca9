"""Messages as screens show them: addresses masked, in the peer's words too."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wanmi_messenger.outbox import Message

READ, SEND = "message.read", "message.send"
"""The rights: look at messages; send one again or drop it."""
READERS = ("shift_leader", "supervisor", "administrator")
SENDERS = ("shift_leader", "administrator")
_PERSONAL = re.compile(r"[^\s<>\"']+@[^\s<>\"']+|\+?[0-9][0-9 -]{5,}[0-9]")
"""Mail addresses and telephone numbers that a peer repeats."""


@dataclass(frozen=True)
class MessageOut:
    """A message of the outbox; times µs UTC, 0: not yet. ``code`` tells how the last try ended, ``reason`` in the peer's words."""

    id: str
    decision: str
    rule: str
    about: str
    event: str
    template: str
    book: int
    person: str
    channel: str
    lane: str
    address: str
    lang: str
    title: str
    text: str
    urgent: bool
    state: str
    made_at: int
    next_at: int
    tried_at: int
    done_at: int
    tries: int
    code: str
    reason: str


def message_out(message: Message) -> MessageOut:
    """The message with its address masked."""
    fields = {name: getattr(message, name) for name in MessageOut.__dataclass_fields__}
    return MessageOut(**{**fields, "address": masked(message), "reason": _PERSONAL.sub("…", message.reason)})


def masked(message: Message) -> str:
    """Enough of an address to know it again: ``138****5678``, ``w***@city.example``; a webhook's name whole."""
    address = message.address
    if message.channel == "smtp":
        name, _, host = address.partition("@")
        return f"{name[:1]}***@{host}"
    if message.channel == "sms":
        return f"{address[:3]}****{address[-4:]}" if len(address) >= 11 else f"****{address[-2:]}"
    return address
