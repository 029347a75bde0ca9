"""The link to one peer: a state machine that gets frames, times and answers, and returns effects. No I/O.

Who drives it calls ``on`` with every frame of the peer, ``tick`` at ``due()`` at the latest, ``advanced`` when a
chain grew, ``committed``, ``blob_at`` and ``blob_done`` when what an effect asked for is done, and carries the
effects out in order. It is not thread safe.
"""

from __future__ import annotations

from dataclasses import dataclass

from wanmi.errors import LinkError
from wanmi.journal.types import Cursor
from wanmi.links.claims import Claim
from wanmi.links.effects import (
    Alarm,
    Apply,
    Arrived,
    Effect,
    PeerDown,
    PeerUp,
    Send,
    SnapshotOffered,
    SnapshotWanted,
)
from wanmi.links.frames import (
    NO_SESSION,
    Ack,
    BatchHead,
    Bye,
    Chunk,
    Frame,
    Hello,
    Nak,
    Need,
    Open,
    Snap,
    Tick,
    Want,
    decode,
    encode,
)
from wanmi.links.handshake import Agreed, Handshake, Refused
from wanmi.links.line import Line
from wanmi.links.outgoing import StreamStatus
from wanmi.links.streams import Streams
from wanmi.links.terms import Ends, Instant, Peer, Side


@dataclass(frozen=True)
class LinkStatus:
    """A link as pages and probes show it. Times µs UTC (0: never); ``clock_offset`` µs, the peer's minus ours.

    ``protocol`` is the version of the session that stands, 0 when none does.
    """

    peer: str
    side: Side
    up: bool
    since: int
    heard_at: int
    reason: str
    clock_offset: int
    streams: tuple[StreamStatus, ...]
    fetching: int
    dropped: int
    protocol: int = 0


class Link:
    """One peer, over all of its sessions."""

    def __init__(self, ends: Ends, peer: str, side: Side, pinned: Peer | None = None) -> None:
        self.peer = peer
        self.side: Side = side
        self._ids = ends.ids
        self._limits = ends.limits
        self._handshake = Handshake(ends, peer, side, pinned)
        self._line = Line(peer, ends.book, ends.limits)
        self._streams = Streams(self._line, side, ends)
        self._up = False
        self._since = 0
        self._reason = "not connected yet"
        self._hello = b""
        self._next_open = float("inf")
        self._open_wait = self._limits.open_first
        self._hello_at = 0.0
        self._sent_at = 0.0
        self._heard = Instant(0, 0.0)
        self._offset = 0
        self._bulk = 0
        self._dropped = 0

    @property
    def up(self) -> bool:
        """Whether a session stands."""
        return self._up

    @property
    def session(self) -> bytes:
        """The current session; zeros when there is none."""
        return self._line.session

    def remember_lost_tail(self) -> None:
        """A former run found that this peer has something to give back, and did not get all of it."""
        self._line.tail_lost = True

    def opened(self, now: Instant) -> list[Effect]:
        """Child: the way to the parent is open; ask for a session."""
        if self.side == "child":
            self._open_wait = self._limits.open_first
            self._send_open(now)
        return self._taken(now)

    def closed(self, reason: str, now: Instant) -> list[Effect]:
        """The way to the peer is gone, or the owner wants no session: it is over."""
        self._down(reason, now)
        return self._taken(now)

    def on(self, data: bytes, now: Instant) -> list[Effect]:
        """A frame of the peer came (the transport vouches for the peer's CURVE key, not for the frame)."""
        try:
            self._frame(decode(data), now)
        except Refused as error:
            self._refuse(str(error), data, now)
        except LinkError as error:
            self._line.emit(Alarm("protocol", f"{self.peer}: {error}", evidence=data[:1024]))
        return self._taken(now)

    def tick(self, now: Instant) -> list[Effect]:
        """Time has passed."""
        if self._line.session != NO_SESSION and now.mono - self._heard.mono >= self._limits.dead:
            self._down(f"silent for {self._limits.dead:g} s", now)
        self._refuse_if_revoked(now)
        if self.side == "child":
            self._tick_child(now)
        if self._up:
            self._streams.pump(now)
            if now.mono - self._sent_at >= self._limits.tick:
                self._line.send(Tick(now.wall))
        return self._taken(now)

    def advanced(self, origin: str, now: Instant) -> list[Effect]:
        """A chain grew here: there may be something to send."""
        if self._up:
            self._streams.advanced(origin, now)
        return self._taken(now)

    def committed(self, effect: Apply, result: Cursor | Exception, now: Instant) -> list[Effect]:
        """The journal decided on an Apply: its cursor after the commit, or the error."""
        if isinstance(result, Cursor) and not effect.own and self.side == "parent":
            self._line.emit(Arrived(effect.batch.origin, result, now.wall))
        if effect.session == self._line.session:
            self._streams.committed(effect, result, now)
            if self._up:
                self._streams.pump(now)
        return self._taken(now)

    def blob_at(self, blob: str, offset: int, now: Instant) -> list[Effect]:
        """A chunk was stored; the next one is wanted from ``offset``."""
        self._streams.blobs.at(blob, offset, now)
        return self._taken(now)

    def blob_done(self, blob: str, error: Exception | None, now: Instant) -> list[Effect]:
        """A blob is whole and kept (or what came was not it)."""
        self._streams.blobs.done(blob, error, now)
        if self._up:
            self._streams.pump_blobs(now)
        return self._taken(now)

    def ask_snapshot(self, now: Instant) -> list[Effect]:
        """Child: ask the parent for a snapshot; nothing goes out to one that does not know what that is."""
        if self._up and self.side == "child":
            self._line.send(Need("snapshot"))
        return self._taken(now)

    def offer_snapshot(self, sha256: str, size: int, manifest: bytes, now: Instant) -> list[Effect]:
        """Parent: say that a snapshot is ready for the child, or (``size`` 0) that there will be none."""
        if self._up and self.side == "parent":
            self._line.send(Snap(sha256, size, manifest))
        return self._taken(now)

    def due(self) -> float:
        """The monotonic second at which ``tick`` is to be called at the latest."""
        times = [self._next_open]
        if self._line.session != NO_SESSION:
            times.append(self._heard.mono + self._limits.dead)
        if self._hello:
            times.append(self._hello_at + self._limits.hello_again)
        if self._up:
            times.append(self._sent_at + self._limits.tick)
            times.append(self._streams.due())
        return min(times)

    def status(self) -> LinkStatus:
        """For people and pages."""
        return LinkStatus(
            self.peer, self.side, self._up, self._since, self._heard.wall, self._reason, self._offset,
            self._streams.status(), self._streams.blobs.under_way, self._dropped,
            self._line.version if self._line.session != NO_SESSION else 0,
        )  # fmt: skip

    # --- frames

    def _frame(self, frame: Frame, now: Instant) -> None:
        header = frame.header
        if isinstance(header, Open):
            self._on_open(header, now)
        elif isinstance(header, Hello):
            self._on_hello(frame.session, header, now)
        elif frame.session != self._line.session or frame.session == NO_SESSION:
            self._foreign(frame, now)
        else:
            self._heard = now
            self._confirm(now)
            self._in_session(frame, now)

    def _in_session(self, frame: Frame, now: Instant) -> None:
        match frame.header:
            case BatchHead() as header:
                self._streams.on_batch(header, frame.body, now)
            case Ack() as header:
                self._streams.on_ack(header, now)
            case Nak() as header:
                self._streams.on_nak(header, now)
            case Want() as header:
                self._streams.blobs.serve(header)
            case Chunk() as header:
                self._streams.blobs.chunk(header, frame.body)
            case Tick() as header:
                self._offset = header.at - now.wall
            case Need() | Snap() as header:
                self._about_snapshot(header)
            case Bye() as header:
                self._down(f"{self.peer} ended it: {header.reason}", now)
            case _ if not frame.optional:
                self._line.send(Nak("unknown-type", str(frame.type)))

    def _about_snapshot(self, header: Need | Snap) -> None:
        """A child asks, a parent offers; the other way round it means nothing."""
        if isinstance(header, Need):
            if self.side == "parent" and header.what == "snapshot":
                self._line.emit(SnapshotWanted())
        elif self.side == "child":
            self._line.emit(SnapshotOffered(header.sha256, header.size, header.manifest))

    def _foreign(self, frame: Frame, now: Instant) -> None:
        """R4: a frame of another session changes nothing; a parent says that the session is none."""
        self._dropped += 1
        if self.side == "parent" and not isinstance(frame.header, Bye):
            self._line.emit(Send(encode(frame.session, Bye("no such session"))))
        elif isinstance(frame.header, Bye) and frame.session == NO_SESSION and not self._up:
            self._reason = f"{self.peer} refuses: {frame.header.reason}"
            self._open_wait = self._limits.open_most
            self._next_open = now.mono + self._open_wait

    # --- handshake

    def _send_open(self, now: Instant) -> None:
        self._line.emit(Send(encode(NO_SESSION, self._handshake.open())))
        jitter = self._ids.token(1)[0] / 512
        self._next_open = now.mono + self._open_wait * (1 + jitter)
        self._open_wait = min(self._open_wait * 2, self._limits.open_most)

    def _tick_child(self, now: Instant) -> None:
        if self._line.session == NO_SESSION and now.mono >= self._next_open:
            self._send_open(now)
        elif self._hello and now.mono - self._hello_at >= self._limits.hello_again:
            self._send_hello(now)

    def _on_open(self, opened: Open, now: Instant) -> None:
        if self.side != "parent":
            raise LinkError("an OPEN from a parent")
        self._handshake.peer()
        agreed = self._handshake.offered(opened)
        hello = self._handshake.hello(agreed, self._streams.heads(), self._streams.yours(), now)
        self._line.emit(Send(encode(agreed.session, hello)))

    def _on_hello(self, session: bytes, hello: Hello, now: Instant) -> None:
        if session == self._line.session:
            self._heard = now
            if self.side == "parent":
                self._line.send(Tick(now.wall))
            return
        done = (self._handshake.answered if self.side == "child" else self._handshake.confirmed)(session, hello)
        if done is None:
            self._dropped += 1
            return
        agreed, claim = done
        mine = (
            self._handshake.hello(agreed, self._streams.heads(), self._streams.yours(), now)
            if self.side == "child"
            else None
        )
        self._begin(agreed, claim, hello.claim + hello.sig, now)
        if mine is None:
            self._confirm(now)
            self._line.send(Tick(now.wall))
        else:
            self._hello = encode(agreed.session, mine)
            self._send_hello(now)

    def _send_hello(self, now: Instant) -> None:
        self._hello_at = now.mono
        self._line.emit(Send(self._hello))

    def _begin(self, agreed: Agreed, claim: Claim, evidence: bytes, now: Instant) -> None:
        """The session of a pair of nonces replaces whatever stood before."""
        self._line.session = agreed.session
        self._line.version = agreed.version
        self._bulk = claim.bulk if 0 < claim.bulk < 65536 else 0
        self._line.window = max(min(claim.window, 64 * 1024 * 1024), 64 * 1024)
        self._line.peer_key = self._handshake.peer().sign
        self._heard = now
        self._offset = claim.at - now.wall
        self._next_open = float("inf")
        self._streams.begin(claim, evidence, now)

    def _confirm(self, now: Instant) -> None:
        """Both sides know the session: it stands."""
        self._hello = b""
        if not self._up:
            self._up, self._since, self._reason = True, now.wall, ""
            self._open_wait = self._limits.open_first
            self._line.emit(PeerUp(self._offset, self._bulk))
            self._streams.pump(now)

    def _refuse(self, reason: str, evidence: bytes, now: Instant) -> None:
        self._line.emit(Alarm("refused", reason, evidence=evidence[:4096]))
        self._line.send(Bye(reason))
        self._down(reason, now)
        self._open_wait = self._limits.open_most

    def _refuse_if_revoked(self, now: Instant) -> None:
        if self._line.session != NO_SESSION:
            try:
                self._handshake.peer()
            except Refused as error:
                self._refuse(str(error), b"", now)

    def _down(self, reason: str, now: Instant) -> None:
        self._reason = reason
        self._streams.end()
        self._line.session = NO_SESSION
        self._hello = b""
        if self._up:
            self._up, self._since = False, now.wall
            self._line.emit(PeerDown(reason))
        if self.side == "child":
            self._next_open = min(self._next_open, now.mono + self._open_wait)

    def _taken(self, now: Instant) -> list[Effect]:
        effects = self._line.take()
        if any(isinstance(effect, Send) for effect in effects):
            self._sent_at = now.mono
        return effects
