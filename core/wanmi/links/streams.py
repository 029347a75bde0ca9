"""The streams of one session: which chains go which way, and the frames that move them."""

from __future__ import annotations

from wanmi.entries import GENESIS, Head, verify_cosign
from wanmi.errors import LinkError
from wanmi.journal.types import Cursor
from wanmi.links.claims import Claim
from wanmi.links.effects import Alarm, AlarmKind, Apply, NoteCosign
from wanmi.links.fetching import Fetcher
from wanmi.links.frames import Ack, BatchHead, Nak
from wanmi.links.incoming import InStream
from wanmi.links.line import Line
from wanmi.links.outgoing import OutStream, StreamStatus
from wanmi.links.terms import Ends, Instant, Side


class Streams:
    """Chains out, chains in, and blobs, with one peer. ``begin`` starts them anew with each session."""

    def __init__(self, line: Line, side: Side, ends: Ends) -> None:
        self._line = line
        self._side = side
        self._me = ends.me.code
        self._book = ends.book
        self._directory = ends.directory
        self._depot = ends.depot
        self._out: dict[str, OutStream] = {}
        self._in: dict[str, InStream] = {}
        self.blobs = Fetcher(line, ends.depot, self._has_blobs_of)

    def offers(self, origin: str) -> bool:
        """A child offers its own chain and those below it, a parent its own."""
        if origin == self._me:
            return True
        return self._side == "child" and origin != self._line.peer and self._directory.through(self._me, origin)

    def accepts(self, origin: str) -> bool:
        """A parent takes the peer's chain and those below it, a child its parent's."""
        if origin == self._line.peer:
            return True
        return self._side == "parent" and origin != self._me and self._directory.through(self._line.peer, origin)

    def heads(self) -> dict[str, tuple[int, bytes]]:
        """Every chain held here that goes either way on this link, with its position: what HELLO says."""
        held = self._book.cursors()
        wanted = {origin for origin in held if self.offers(origin) or self.accepts(origin)} | {self._me}
        return {o: (c.seq, c.hash) for o in sorted(wanted) for c in [held.get(o, Cursor())]}

    def yours(self) -> Head | None:
        """The newest head of the peer's chain that the peer signed: it proves to the peer how far it was."""
        return self._directory.head(self._line.peer, self._book.cursor(self._line.peer).seq)

    def begin(self, claim: Claim, evidence: bytes, now: Instant) -> None:
        """A session begins: compare heads both ways (R6) and start the streams from there."""
        self.end()
        self._line.tail_given = Cursor()
        self.blobs.peer_seal = claim.seal
        held = self._book.cursors()
        for origin in sorted({*held, self._me}):
            if self.offers(origin):
                self._stream_out(origin, now, claim.heads.get(origin))
        self._doubt_lost_tail(claim, evidence)
        theirs, mine = claim.heads.get(self._line.peer, (0, GENESIS)), self._book.cursor(self._line.peer)
        if theirs[0] < mine.seq:
            # the peer lost its tail: it gets it back, and no more than that
            start = Cursor(*theirs)
            self._out[self._line.peer] = OutStream(self._line, self._line.peer, start, now, upto=mine.seq)
        self._compare_incoming(claim, evidence)

    def end(self) -> None:
        """The session is over: nothing of its streams is left."""
        self._out, self._in = {}, {}
        self.blobs = Fetcher(self._line, self._depot, self._has_blobs_of)

    def pump(self, now: Instant) -> None:
        """Send what is ripe; entries before blobs."""
        for origin in self._book.cursors():
            if origin not in self._out and self.offers(origin):
                self._stream_out(origin, now)
        for stream in self._out.values():
            stream.pump(now)
        self.pump_blobs(now)

    def pump_blobs(self, now: Instant) -> None:
        """Ask for blobs while no entries are being applied."""
        self.blobs.pump(now, idle=self._is_idle())

    def advanced(self, origin: str, now: Instant) -> None:
        """A chain grew here."""
        if origin in self._out or self.offers(origin):
            self._stream_out(origin, now).pump(now)

    def committed(self, effect: Apply, result: Cursor | Exception, now: Instant) -> None:
        """The journal decided on a batch of this session."""
        self._stream_in(effect.batch.origin).committed(effect, result, now)
        self.blobs.look()

    def due(self) -> float:
        """The monotonic second of the next thing to do."""
        return min([self.blobs.due(idle=self._is_idle()), *(stream.due() for stream in self._out.values())])

    def status(self) -> tuple[StreamStatus, ...]:
        """The outgoing streams, for people and pages."""
        return tuple(stream.status() for stream in self._out.values())

    # --- frames

    def on_batch(self, header: BatchHead, body: bytes, now: Instant) -> None:
        """Entries: taken only from whom they may come."""
        origin = header.head.origin
        if origin == self._me or self.accepts(origin):
            self._stream_in(origin).batch(header, body, now)
        elif self._side == "parent" and self._directory.peer(origin) is None:
            self._line.send(Nak("unknown-origin", origin))
        else:
            self._line.send(Nak("not-yours", origin))
            text = f"{self._line.peer} sent the chain of {origin}, which is not below it"
            self._line.emit(Alarm("not-yours", text))

    def on_ack(self, ack: Ack, now: Instant) -> None:
        """The peer holds more: a countersignature, or plain for its own chain that it got back."""
        stream = self._out.get(ack.origin)
        cosign = ack.cosign
        if stream is None or (cosign is None and ack.origin != self._line.peer):
            return
        if cosign is not None:
            said = (cosign.origin, cosign.by, cosign.seq, cosign.hash)
            wanted = (ack.origin, self._line.peer, ack.seq, ack.hash)
            if said != wanted or not verify_cosign(cosign, self._line.peer_key):
                raise LinkError(f"a countersignature of chain {ack.origin} that does not verify")
        if stream.acknowledged(ack.seq, ack.hash, now) and cosign is not None:
            self._line.emit(NoteCosign(cosign))
        stream.pump(now)

    def on_nak(self, nak: Nak, now: Instant) -> None:
        """The peer did not take something."""
        if nak.code in {"no-blob", "erased"}:
            self.blobs.refused(nak.about, nak.code, now)
            return
        if nak.code in {"not-yours", "fork", "broken"}:
            kind: AlarmKind = "fork" if nak.code == "fork" else "broken"
            text = f"{self._line.peer} says {nak.code} of chain {nak.about}, entry {nak.seq}: {nak.text}"
            self._line.emit(Alarm(kind, text, origin=nak.about, seq=max(nak.seq, 0), hash=nak.hash))
        stream = self._out.get(nak.about)
        if stream is not None:
            self._turn_back(stream, nak, now)
            stream.pump(now)

    # --- inside

    def _is_idle(self) -> bool:
        return not any(stream.pending for stream in self._in.values())

    def _has_blobs_of(self, origin: str) -> bool:
        """Who sends a chain has its blobs; a node misses its own ones only after a restore: its peers have them."""
        return origin == self._me or self.accepts(origin)

    def _turn_back(self, stream: OutStream, nak: Nak, now: Instant) -> None:
        if nak.code == "gap" and nak.seq >= 0 and len(nak.hash) == len(GENESIS):
            stream.go_from(Cursor(nak.seq, nak.hash))
        elif nak.code in {"unknown-origin", "busy"}:
            stream.later(now)
        elif nak.code in {"not-yours", "fork", "broken"}:
            stream.stop(nak.code)

    def _doubt_lost_tail(self, claim: Claim, evidence: bytes) -> None:
        """A peer that says it holds more of my chain than I do must show my own signature for that."""
        seq, hash_ = claim.heads.get(self._me, (0, GENESIS))
        if seq <= self._book.cursor(self._me).seq:
            return
        head = claim.yours
        mine = head is not None and (head.origin, head.seq, head.hash) == (self._me, seq, hash_)
        if head is None or not mine or not self._book.signed_here(head):
            self._out[self._me].stop("broken")
            text = f"{self._line.peer} says it holds entry {seq} of our chain, but shows no head that we signed"
            self._line.emit(Alarm("broken", text, evidence=evidence))

    def _compare_incoming(self, claim: Claim, evidence: bytes) -> None:
        """What the peer holds of the chains that it sends must be ours as far as both go: both sides alarm."""
        for origin, (seq, hash_) in claim.heads.items():
            if not self.accepts(origin) or not 0 < seq <= self._book.cursor(origin).seq:
                continue
            if self._book.hash_at(origin, seq) != hash_:
                self._stream_in(origin).stopped = "fork"
                text = f"chain {origin}: {self._line.peer} holds another entry {seq} than the one here; it is not taken"
                self._line.emit(Alarm("fork", text, evidence=evidence, origin=origin, seq=seq, hash=hash_))

    def _stream_out(self, origin: str, now: Instant, start: tuple[int, bytes] | None = None) -> OutStream:
        stream = self._out.get(origin)
        if stream is None:
            seq, hash_ = start or (0, GENESIS)
            stream = self._out[origin] = OutStream(self._line, origin, Cursor(seq, hash_), now)
        return stream

    def _stream_in(self, origin: str) -> InStream:
        stream = self._in.get(origin)
        if stream is None:
            stream = self._in[origin] = InStream(self._line, origin)
        return stream
