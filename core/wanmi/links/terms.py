"""What a link is told at birth: who it is, its limits, and what it may look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wanmi.clock import Clock
from wanmi.entries import Cosign, Head
from wanmi.ids import Ids
from wanmi.journal.types import Batch, Cursor
from wanmi.links.frames import HIGH, LOW
from wanmi.store import Missing

Side = Literal["child", "parent"]
"""What this node is on a link: the child dials, the parent listens."""


class Instant(NamedTuple):
    """Now: ``wall`` in µs UTC for what is signed and journaled, ``mono`` in seconds for timers."""

    wall: int
    mono: float


def instant(clock: Clock) -> Instant:
    """Now, by a clock."""
    return Instant(clock.now(), clock.monotonic())


@dataclass(frozen=True)
class Limits:
    """Timers in seconds, sizes in bytes, protocol versions. The defaults suit 2 Mbit/s as well as a LAN."""

    versions: tuple[int, int] = (LOW, HIGH)
    window: int = 4 * 1024 * 1024
    batch_entries: int = 1000
    batch_bytes: int = 1_000_000
    batch_bytes_low: int = 32 * 1024
    linger: float = 0.2
    tick: float = 2.0
    dead: float = 6.0
    retransmit: float = 5.0
    retransmit_most: float = 60.0
    open_first: float = 0.5
    open_most: float = 30.0
    hello_again: float = 1.0
    later_first: float = 1.0
    later_most: float = 30.0
    fetches: int = 4
    blob_again: float = 5.0
    look_for_blobs: float = 1.0


@dataclass(frozen=True)
class Face:
    """A node as its peers see it: code and keys. ``curve`` is z85 (40 bytes), ``seal`` 32 bytes.

    ``bulk`` is the TCP port of its second socket, for blobs; 0 when it has none.
    """

    code: str
    sign: Ed25519PrivateKey
    curve: bytes
    seal: bytes
    bulk: int = 0


@dataclass(frozen=True)
class Peer:
    """A node as its admission says: 32-byte Ed25519 key, z85 CURVE key, its parent's code, active or revoked."""

    code: str
    parent: str | None
    sign: bytes
    curve: bytes
    active: bool


class Book(Protocol):
    """The journal as a link sees it: reading only; durable state."""

    node: str

    def cursor(self, origin: str) -> Cursor:
        """How far a chain is durably held."""
        ...

    def cursors(self) -> dict[str, Cursor]:
        """Every chain that is held."""
        ...

    def hash_at(self, origin: str, seq: int) -> bytes | None:
        """The chain's hash after an entry."""
        ...

    def signed_here(self, head: Head) -> bool:
        """Whether this node signed a head of its chain, with its key of now or an earlier one."""
        ...

    def batch_for(self, peer: str, origin: str, after: int, *, limit: int, max_bytes: int) -> Batch | None:
        """What comes after ``after``, redacted for the peer; None when there is nothing that can be sent."""
        ...

    def cosign(self, origin: str) -> Cosign | None:
        """The countersignature by this node of what it durably holds of another chain."""
        ...


class Directory(Protocol):
    """Who is who: the admissions."""

    def peer(self, code: str) -> Peer | None:
        """A node by its code."""
        ...

    def through(self, peer: str, origin: str) -> bool:
        """Whether ``origin`` is ``peer`` or was admitted by it or by one below it."""
        ...

    def head(self, origin: str, seq: int) -> Head | None:
        """The signed head that was received for a chain at ``seq``."""
        ...


class Depot(Protocol):
    """The sealed blobs as a link sees them."""

    def missing(self, limit: int, skip: int) -> list[Missing]:
        """Blobs that entries name and that are not here."""
        ...

    def size(self, blob: str) -> int:
        """Sealed bytes; NotFound."""
        ...

    def read(self, blob: str, offset: int, n: int) -> bytes:
        """Sealed bytes from an offset."""
        ...

    def wrap_key(self, blob: str, seal_public: bytes) -> bytes:
        """The key for one receiver; NotAllowed once destroyed."""
        ...

    def may_see(self, peer: str, blob: str) -> bool:
        """Whether an entry that names the blob is addressed to the peer."""
        ...


@dataclass(frozen=True)
class Ends:
    """What every link of a node shares."""

    me: Face
    book: Book
    directory: Directory
    depot: Depot
    ids: Ids
    limits: Limits
