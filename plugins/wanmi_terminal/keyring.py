"""A terminal's keys: today's, the next one while it is asked for, the one before. Each with its broker password.

TDIR/keys.json (0600) is replaced as a whole at each step; before the first rotation the pair of the setup lies in sign.key and
broker.password. Whatever step a crash comes after, one of the pairs is good at every broker, and the terminal tries them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wanmi.errors import BadInput, StoreError
from wanmi.ids import Ids
from wanmi.reports import broker_verifier
from wanmi.reports.cards import SALT_BYTES
from wanmi.reports.envelope import to_b64
from wanmi.reports.rotations import Rotation, sign_rotation

FILE = "keys.json"


@dataclass(frozen=True)
class Pair:
    """A signing key and the broker password that goes with it; made at ``since`` (µs UTC)."""

    key: Ed25519PrivateKey = field(repr=False)
    password: str = field(repr=False)
    verifier: str
    since: int

    @property
    def public(self) -> bytes:
        """The 32 public bytes."""
        return self.key.public_key().public_bytes_raw()

    @classmethod
    def make(cls, ids: Ids, now: int) -> Pair:
        """A new pair."""
        password = to_b64(ids.token(32))
        key = Ed25519PrivateKey.from_private_bytes(ids.token(32))
        return cls(key, password, broker_verifier(password, ids.token(SALT_BYTES)), now)


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pair in the file; the key in hex."""

    key: str
    password: str
    verifier: str
    since: int


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """keys.json."""

    v: int
    current: _Kept
    next: _Kept | None = None
    past: _Kept | None = None
    request: str = ""
    """The request for the next key as it was signed: the same bytes go out until it is answered."""


class KeyRing:
    """The pairs of one terminal; every change is on disk before it is used."""

    def __init__(self, dir: Path, current: Pair, write: Callable[[Path, bytes], None]) -> None:
        self._path = dir / FILE
        self._write = write
        self._lock = threading.Lock()
        self.current = current
        self.next: Pair | None = None
        self.past: Pair | None = None
        self.request = b""

    @classmethod
    def read(cls, dir: Path, write: Callable[[Path, bytes], None]) -> KeyRing:
        """The ring in keys.json; FileNotFoundError when no key was rotated yet, BadInput for a broken file."""
        try:
            file = msgspec.json.decode((dir / FILE).read_bytes(), type=_File)
            ring = cls(dir, _pair(file.current), write)
            ring.next = _pair(file.next) if file.next else None
            ring.past = _pair(file.past) if file.past else None
        except (msgspec.DecodeError, ValueError) as error:
            raise BadInput(f"{dir / FILE}: not a terminal's keys: {error}") from error
        ring.request = file.request.encode()
        return ring

    def pairs(self) -> Sequence[Pair]:
        """The pairs to try at a broker, today's first."""
        return [pair for pair in (self.current, self.next, self.past) if pair is not None]

    def begin(self, terminal: str, ids: Ids, now: int) -> bytes:
        """Make the next pair, unless one is asked for already; the request to send."""
        with self._lock:
            if self.next is None:
                fresh = Pair.make(ids, now)
                said = Rotation(1, terminal, self.current.public.hex(), fresh.public.hex(), fresh.verifier, now)
                request = sign_rotation(said, self.current.key, fresh.key)
                self._save(self.current, fresh, self.past, request)
            return self.request

    def promote(self, public: bytes) -> bool:
        """The district has this key now: the next pair is today's, if it is that one. Whether it is."""
        with self._lock:
            if self.next is None or self.next.public != public:
                return False
            self._save(self.next, None, self.current, b"")
            for gone in ("sign.key", "broker.password"):
                self._path.with_name(gone).unlink(missing_ok=True)
            return True

    def _save(self, current: Pair, next: Pair | None, past: Pair | None, request: bytes) -> None:
        kept = _File(1, _kept(current), _kept(next) if next else None, _kept(past) if past else None, request.decode())
        try:
            self._write(self._path, msgspec.json.encode(kept))
        except OSError as error:
            raise StoreError(
                f"{self._path}: {error.strerror}; the terminal goes on with the key that it has"
            ) from error
        self.current, self.next, self.past, self.request = current, next, past, request


def _pair(kept: _Kept) -> Pair:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(kept.key))
    return Pair(key, kept.password, kept.verifier, kept.since)


def _kept(pair: Pair) -> _Kept:
    return _Kept(pair.key.private_bytes_raw().hex(), pair.password, pair.verifier, pair.since)
