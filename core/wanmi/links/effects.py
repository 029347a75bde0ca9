"""What a link asks its surroundings to do; the link itself touches neither network, disk nor clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wanmi.entries import Cosign
from wanmi.journal.types import Batch, Cursor


@dataclass(frozen=True)
class Send:
    """Give the frame to the transport; it may get lost."""

    frame: bytes


@dataclass(frozen=True)
class Apply:
    """Verify and apply the batch, then tell ``Link.committed``; ``own``: this node's own lost tail."""

    batch: Batch
    session: bytes
    own: bool = False


@dataclass(frozen=True)
class NoteCosign:
    """Keep a countersignature of one's own or a relayed chain; it has been verified."""

    cosign: Cosign


@dataclass(frozen=True)
class Arrived:
    """A parent durably holds more of a child's chain: to be journaled, at most once a second and origin."""

    origin: str
    cursor: Cursor
    at: int


@dataclass(frozen=True)
class PutChunk:
    """Store sealed bytes of a blob, then tell ``Link.blob_at`` or, after the last one, ``Link.blob_done``."""

    blob: str
    offset: int
    data: bytes
    size: int
    key: bytes


@dataclass(frozen=True)
class PeerUp:
    """A session stands; ``clock_offset`` is the peer's clock minus ours in µs, ``bulk`` the port for blobs or 0."""

    clock_offset: int
    bulk: int = 0


@dataclass(frozen=True)
class PeerDown:
    """The session is over, and why (short, for people)."""

    reason: str


@dataclass(frozen=True)
class Hold:
    """A peer holds more of this node's chain than the node does: nothing may be written before it is back."""

    reason: str


@dataclass(frozen=True)
class Release:
    """The node's own chain is whole again, as far as this peer knows."""


@dataclass(frozen=True)
class SnapshotWanted:
    """The child lacks so much that it asks for a snapshot: answer by ``Link.offer_snapshot``."""


@dataclass(frozen=True)
class SnapshotOffered:
    """The parent has a snapshot of ``size`` bytes for this node (0: none): WANT ``snap:<sha256>`` brings it."""

    sha256: str
    size: int
    manifest: bytes


AlarmKind = Literal["fork", "broken", "refused", "protocol", "not-yours"]


@dataclass(frozen=True)
class Alarm:
    """Something that a person must see; ``evidence`` are the bytes that prove it (a signed claim, a frame).

    For a fork ``origin``, ``seq`` and ``hash`` name the other side's version.
    """

    kind: AlarmKind
    text: str
    evidence: bytes = b""
    origin: str = ""
    seq: int = 0
    hash: bytes = b""


Effect = (
    Send
    | Apply
    | NoteCosign
    | Arrived
    | PutChunk
    | PeerUp
    | PeerDown
    | Hold
    | Release
    | SnapshotWanted
    | SnapshotOffered
    | Alarm
)
