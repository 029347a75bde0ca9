"""Which keys a node signed its chain with, from the entries that say so: its admissions, and keys in place of others.

Pure: a node's journal and a verifier that only has a bundle come to the same answer, in whichever order the chains
of different nodes came.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from wanmi.entries import Cosign, Entry, Head, verify_cosign, verify_head
from wanmi.kinds import KeyReplaced, NodeAdmitted

KEY_KINDS = ("node.admitted", "key.replaced")
"""Entries that give a node a signing key; their subject is ``node:<code>``."""

B = TypeVar("B", bound=msgspec.Struct)
_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class SigningKey:
    """One signing key (32 public bytes): good for heads of its node's chain up to ``until``, without end if None."""

    public: bytes
    until: int | None = None


@dataclass(frozen=True)
class KeyHistory:
    """A node's signing keys, oldest first; the last one is the present one.

    A key is good up to the entry where the next one took over; a later key is good for what came before too, because
    who holds the chain now signs batches of all of it. So a stolen old key adds nothing to the chain.
    """

    keys: tuple[SigningKey, ...]

    @classmethod
    def single(cls, public: bytes) -> KeyHistory:
        """One key that was never replaced."""
        return cls((SigningKey(public),))

    @property
    def present(self) -> bytes:
        """The key that the node signs with now."""
        return self.keys[-1].public

    def holds(self, public: bytes) -> bool:
        """Whether this is, or was, one of the node's keys."""
        return any(key.public == public for key in self.keys)

    def trusting(self, public: bytes) -> KeyHistory:
        """The history if it knows of a key that is trusted from elsewhere, else that key alone."""
        return self if self.holds(public) else KeyHistory.single(public)

    def signed(self, head: Head) -> bool:
        """Whether the node signed this head of its chain, with a key that was good at the head's place."""
        return any(
            (key.until is None or head.seq <= key.until) and verify_head(head, key.public)
            for key in reversed(self.keys)
        )

    def cosigned(self, cosign: Cosign) -> bool:
        """Whether the node made this countersignature, with any of its keys.

        It names no place in the countersigner's own chain, and its time is whatever its maker wrote: so one by an
        earlier key proves as much as that key was secret.
        """
        return any(verify_cosign(cosign, key.public) for key in reversed(self.keys))


def key_history(code: str, entries: Iterable[Entry]) -> KeyHistory | None:
    """The signing keys of node ``code``, from entries about it; None when none of them gives it one.

    Entries of one origin must come in the order of its chain. What the parent says goes before what the node says of
    itself; who can be no parent of it (by their codes) says nothing.
    """
    own: dict[bytes, int] = {}
    given: dict[bytes, int] = {}
    for entry in entries:
        if entry.kind_v != 1 or entry.kind not in KEY_KINDS:
            continue
        if entry.kind == "key.replaced":
            _replace(code, entry, given)
        else:
            _admit(code, entry, own, given)
    return _history(given or own)


def may_admit(parent: str, code: str) -> bool:
    """Whether the codes allow that ``parent`` admits ``code``: 210100 any 2101xx, 210102 any 210102xx."""
    stem = parent[:4] if parent.endswith("00") and len(code) == len(parent) else parent
    return code != parent and code.startswith(stem)


def _admit(code: str, entry: Entry, own: dict[bytes, int], given: dict[bytes, int]) -> None:
    body = _body(entry, NodeAdmitted)
    if body is None or body.code != code or not _KEY.fullmatch(body.sign_key):
        return
    key = bytes.fromhex(body.sign_key)
    if body.parent is None and entry.origin == code:
        own.setdefault(key, 0)
    elif body.parent == entry.origin and may_admit(entry.origin, code):
        given.setdefault(key, 0)


def _replace(code: str, entry: Entry, given: dict[bytes, int]) -> None:
    body = _body(entry, KeyReplaced)
    if body is None or body.code != code or not _KEY.fullmatch(body.sign_key) or not may_admit(entry.origin, code):
        return
    key = bytes.fromhex(body.sign_key)
    given.pop(key, None)
    given[key] = max(body.after, 0)


def _history(given: dict[bytes, int]) -> KeyHistory | None:
    """Keys by the place from which each is the node's; a key given again from a later place is a later one."""
    ordered = sorted(given.items(), key=lambda item: item[1])
    if not ordered:
        return None
    ends = [after for _, after in ordered[1:]]
    return KeyHistory(tuple(SigningKey(key, end) for (key, _), end in zip(ordered, [*ends, None], strict=True)))


def _body(entry: Entry, body: type[B]) -> B | None:
    try:
        return msgspec.convert(entry.body, body, strict=True)
    except msgspec.ValidationError:
        return None
