"""Messages as screens show them: addresses masked, the peer's words (which may repeat an address) left out."""

from __future__ import annotations

from dataclasses import dataclass

from wanmi_messenger.outbox import Message

READ, SEND = "message.read", "message.send"
"""The rights: look at messages; send one again or drop it."""
READERS = ("shift_leader", "supervisor", "administrator")
SENDERS = ("shift_leader", "administrator")


@dataclass(frozen=True)
class MessageOut:
    """A message of the outbox; times µs UTC, 0: not yet. ``code`` tells how the last try ended."""

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


def message_out(message: Message) -> MessageOut:
    """The message with its address masked."""
    fields = {name: getattr(message, name) for name in MessageOut.__dataclass_fields__}
    return MessageOut(**{**fields, "address": masked(message)})


def masked(message: Message) -> str:
    """Enough of an address to know it again: ``138****5678``, ``w***@city.example``; a webhook's name whole."""
    address = message.address
    if message.channel == "smtp":
        name, _, host = address.partition("@")
        return f"{name[:1]}***@{host}"
    if message.channel == "sms":
        return f"{address[:3]}****{address[-4:]}" if len(address) >= 11 else f"****{address[-2:]}"
    return address
