"""The keys of one terminal, as its district's entries add up to them, and which signature counts when. Pure.

A key ends in one of two ways. Rotated away: what was made before is still good for a while (``grace``), since it may lie in
a spool or an edge's waiting room. Revoked, or replaced because it was lost: nothing more is taken, whatever it says of when
it was made, for whoever holds the key writes any time into an envelope.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from cryptography.exceptions import InvalidSignature

from wanmi.entries import public_key
from wanmi.reports.envelope import Opened, key_id
from wanmi.reports.reasons import Reason

T = TypeVar("T")


@dataclass(frozen=True)
class Signed(Generic[T]):
    """What a message says, of which key it says that it signed, and whether the signature is that of a key."""

    said: T
    signed_by: str
    fits: Callable[[bytes], bool]


def signed(said: T, domain: bytes, wire: Opened) -> Signed[T]:
    """What was read from an opened message whose signature covers ``domain`` and its envelope."""

    def fits(public: bytes) -> bool:
        try:
            public_key(public).verify(wire.signature, domain + wire.envelope)
        except (InvalidSignature, ValueError):
            return False
        return True

    return Signed(said, wire.key_id, fits)


@dataclass(frozen=True)
class PastKey:
    """A key that ended at ``ended_at``; entries of edges count up to ``heard_until``, unless revoked. µs UTC."""

    public_key: bytes
    ended_at: int
    heard_until: int
    revoked: bool = False


@dataclass(frozen=True)
class Known:
    """What is known about an admitted terminal: its 32 public bytes, whether it was revoked (when, µs UTC), earlier keys."""

    public_key: bytes
    revoked: bool = False
    past: tuple[PastKey, ...] = ()
    revoked_at: int = 0

    def has_key(self, public: bytes) -> bool:
        """Whether this is, or ever was, a key of the terminal."""
        return public == self.public_key or any(public == one.public_key for one in self.past)

    def valid_keys(self) -> tuple[bytes, ...]:
        """The keys that were not revoked: today's first."""
        return (self.public_key, *(one.public_key for one in self.past if not one.revoked))


def admit_key(known: Known | None, public: bytes, at: int) -> Known:
    """The district admits ``public``; another key that was there is replaced: it, and all before it, count no more."""
    if known is None:
        return Known(public)
    past = _all_revoked(known, at)
    if known.public_key != public:
        past = (*past, PastKey(known.public_key, known.revoked_at or at, known.revoked_at or at, revoked=True))
    return Known(public, past=tuple(one for one in past if one.public_key != public))


def rotate_key(known: Known, old: bytes, public: bytes, at: int, grace: int) -> Known:
    """``public`` follows ``old`` (grace in µs); nothing changes unless ``old`` is the key now and ``public`` is new."""
    if known.revoked or known.public_key != old or known.has_key(public):
        return known
    return Known(public, past=(*known.past, PastKey(old, at, at + grace)))


def revoke_key(known: Known, at: int) -> Known:
    """The terminal is refused from now on, by every key that it ever had."""
    if known.revoked:
        return known
    return replace(known, revoked=True, revoked_at=at, past=_all_revoked(known, at))


def judge_key(
    known: Known | None, signed_by: str, fits: Callable[[bytes], bool], made_at: int, now: int
) -> Reason | None:
    """At an edge: why a message is not taken that says which key signed it (``signed_by``, a key id), or None.

    ``fits`` tells whether the signature is one of a key. The key of today always counts; one that was rotated away for
    what was made before, until its grace is over. A key that nobody knows yet may be on its way here: that passes.
    """
    if known is None:
        return Reason.UNKNOWN_TERMINAL
    if fits(known.public_key):
        return Reason.REVOKED_TERMINAL if known.revoked else None
    for past in reversed(known.past):
        if fits(past.public_key):
            if past.revoked:
                return Reason.REVOKED_TERMINAL
            return None if made_at <= past.ended_at and now <= past.heard_until else Reason.OLD_KEY
    ids = {key_id(public) for public in (known.public_key, *(past.public_key for past in known.past))}
    return Reason.BAD_SIGNATURE if signed_by in ids else Reason.UNKNOWN_KEY


def key_of_entry(known: Known, fits: Callable[[bytes], bool], at: int) -> tuple[bytes | None, bool]:
    """At the district: the key that signed what an edge journaled at ``at``, and whether it counted then.

    When it was made is not asked here: an edge that had not heard of a rotation took it in good faith, and said ``kept``.
    """
    if fits(known.public_key):
        return known.public_key, not known.revoked or at < known.revoked_at
    for past in reversed(known.past):
        if fits(past.public_key):
            return past.public_key, at < past.ended_at or (not past.revoked and at <= past.heard_until)
    return None, False


def _all_revoked(known: Known, at: int) -> tuple[PastKey, ...]:
    return tuple(
        one if one.revoked else replace(one, revoked=True, ended_at=min(at, one.heard_until)) for one in known.past
    )
