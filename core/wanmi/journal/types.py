"""What goes in and out of the journal."""

from __future__ import annotations

import msgspec

from wanmi.entries import GENESIS, Audience, Head
from wanmi.errors import LinkError


class Cursor(msgspec.Struct, frozen=True):
    """How far a chain is held: ``seq`` entries, with the chain's ``hash`` after them."""

    seq: int = 0
    hash: bytes = GENESIS


class Item(msgspec.Struct, frozen=True):
    """An entry under way: its bytes, or (audience, digest) for a peer that is not addressed."""

    audience: Audience
    digest: bytes
    raw: bytes | None = None


class Batch(msgspec.Struct, frozen=True):
    """Consecutive entries ``after+1 … after+len(items)`` of one chain with the origin's head at their end."""

    origin: str
    after: int
    items: tuple[Item, ...]
    head: Head


class Gap(LinkError):
    """A batch starts beyond what is held; ``have`` says from where to send."""

    def __init__(self, origin: str, after: int, have: Cursor) -> None:
        super().__init__(f"chain {origin}: a batch after {after} came, but {have.seq} is held; send from there")
        self.have = have
