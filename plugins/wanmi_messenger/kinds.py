"""Bodies of the messenger's entries. No name, address or text of a message is ever in one."""

from __future__ import annotations

from typing import Literal

import msgspec


class MessageQueued(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``message.queued``, subject ``message:<origin>:<seq>:<rule>``: a rule decided that an entry is told to people.

    ``about`` is the subject of the entry (``case:…``), ``event`` its kind; ``book`` the version of the book whose
    ``rule`` and ``template`` decided (0: the one that came with the program); ``recipients`` counts people,
    ``channels`` messages by channel. Who they are and what they are told stays in the local outbox.
    """

    rule: str
    about: str
    event: str
    template: str
    book: int
    book_digest: str
    recipients: int
    channels: dict[str, int]


class MessageHandled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``message.handled``, subject ``message:<id>``: a person had a message sent again, or dropped it.

    ``before`` is the state that it was in; ``copy`` the new message's id where one that was sent is sent once more.
    """

    message: str
    act: Literal["resend", "drop"]
    channel: str
    before: str
    copy: str | None


class BookActivated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``message.book_activated``, subject ``message:book:<node>``: rules and templates from now on, as TOML.

    ``digest`` is the SHA-256 of ``text``; the book's version is the entry's.
    """

    digest: str
    text: str
