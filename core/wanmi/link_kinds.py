"""Bodies of entries about links and recovery. Data only; the core registers them. Subject ``node:<code>``."""

from __future__ import annotations

from typing import Annotated

import msgspec

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
"""A person's words, at most 2,000 characters."""


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class TailGivenUp(_Body, frozen=True):
    """``tail.given_up``: after a restore a person ended the wait for this node's own lost entries.

    ``lost``: runs (first, last) of numbers in this chain whose bytes are nowhere; only their digests are left.
    ``unheard``: nodes that were not waited for; should one of them hold more of this chain, it will show as a fork.
    """

    lost: list[tuple[int, int]]
    unheard: list[str]
    reason: Reason
