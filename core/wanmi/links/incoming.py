"""A stream from the peer: batches of one chain, applied in order, acknowledged once they are durable (R1, R2, R5)."""

from __future__ import annotations

from wanmi.errors import ChainBroken, ForkSeen, LinkError, NotFound
from wanmi.journal.types import Batch, Cursor, Gap
from wanmi.links.effects import Alarm, Apply, NoteCosign
from wanmi.links.frames import Ack, BatchHead, Nak, decode_batch
from wanmi.links.line import Line
from wanmi.links.terms import Instant

NAK_AGAIN = 1.0
"""Seconds before the same gap is told again: every batch after a lost one shows it."""


class InStream:
    """One chain coming from one peer, for one session; this node's own one is its lost tail, given back."""

    def __init__(self, line: Line, origin: str) -> None:
        self.origin = origin
        self._own = origin == line.book.node
        self.stopped = ""
        self.pending = 0
        self._pending_bytes = 0
        self._line = line
        self._expected = Cursor()
        self._told: tuple[int, float] = (-1, float("-inf"))

    def batch(self, header: BatchHead, body: bytes, now: Instant) -> None:
        """A BATCH came: apply it, or say where to send from, or answer at once when it is held already."""
        if self.stopped:
            return
        at = self._at()
        if header.after > at.seq:
            self._tell_gap(at, now)
        elif header.head.seq <= at.seq and self._is_held(header):
            self._acknowledge()
        elif header.head.seq <= at.seq and self.pending:
            return  # its first copy is being applied; that one is acknowledged
        elif self._own and not self._line.tail_lost:
            return  # nothing of ours is lost, as far as this peer ever said
        elif self._pending_bytes < 2 * self._line.limits.window:
            self._apply(decode_batch(header, body), len(body))

    def committed(self, effect: Apply, result: Cursor | Exception, now: Instant) -> None:
        """The journal has decided on a batch of this session."""
        self.pending = max(0, self.pending - 1)
        if not self.pending:
            self._pending_bytes = 0
        if isinstance(result, Cursor):
            if self._own and result.seq > self._line.tail_given.seq:
                self._line.tail_given = result
            self._acknowledge()
            return
        self._expected = self._durable()
        self._refuse(effect, result, now)

    def _at(self) -> Cursor:
        durable = self._durable()
        return self._expected if self.pending and self._expected.seq > durable.seq else durable

    def _durable(self) -> Cursor:
        held, given = self._line.book.cursor(self.origin), self._line.tail_given
        return given if self._own and given.seq > held.seq else held

    def _is_held(self, header: BatchHead) -> bool:
        durable = self._durable()
        if header.head.seq > durable.seq:
            return False
        mine = durable.hash if header.head.seq == durable.seq else self._line.book.hash_at(self.origin, header.head.seq)
        return mine == header.head.hash

    def _apply(self, batch: Batch, size: int) -> None:
        self._expected = Cursor(batch.head.seq, batch.head.hash)
        self.pending += 1
        self._pending_bytes += size
        self._line.emit(Apply(batch, self._line.session, self._own))

    def _acknowledge(self) -> None:
        if self._own:
            cursor = self._durable()
            self._line.send(Ack(self.origin, cursor.seq, cursor.hash))
            return
        cosign = self._line.book.cosign(self.origin)
        if cosign is not None:
            self._line.send(Ack(self.origin, cosign.seq, cosign.hash, cosign))
            self._line.emit(NoteCosign(cosign))

    def _tell_gap(self, have: Cursor, now: Instant) -> None:
        seq, at = self._told
        if seq != have.seq or now.mono - at >= NAK_AGAIN:
            self._told = (have.seq, now.mono)
            self._line.send(Nak("gap", self.origin, have.seq, have.hash))

    def _refuse(self, effect: Apply, error: Exception, now: Instant) -> None:
        if self.stopped:
            return
        if isinstance(error, Gap):
            self._tell_gap(error.have, now)
        elif isinstance(error, NotFound):
            self._line.send(Nak("unknown-origin", self.origin, text=str(error)))
        elif isinstance(error, ForkSeen):
            self._stop("fork", effect, error)
        elif isinstance(error, ChainBroken | LinkError):
            self._stop("broken", effect, error)
        else:
            self._line.send(Nak("busy", self.origin, text=str(error)))

    def _stop(self, why: str, effect: Apply, error: Exception) -> None:
        self.stopped = why
        head = effect.batch.head
        self._line.send(Nak(why, self.origin, head.seq, head.hash, text=str(error)))
        self._line.emit(
            Alarm(
                "fork" if why == "fork" else "broken",
                f"{self._line.peer} sent {error}; the stream stands still until a person has looked",
                evidence=head.sig,
                origin=self.origin,
                seq=head.seq,
                hash=head.hash,
            )
        )
