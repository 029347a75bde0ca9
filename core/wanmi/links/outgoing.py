"""A stream to the peer: one chain, sent in batches within the peer's window, moved by its acknowledgements.

The position comes from the peer's HELLO and is compared before anything is sent (FEDERATION rules R3, R5, R6).
Lost frames are sent again from the last position that the peer confirmed.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from wanmi.journal.types import Cursor
from wanmi.links.effects import Alarm, Hold, Release, Send
from wanmi.links.frames import Nak, encode_batch
from wanmi.links.line import Line
from wanmi.links.terms import Instant

SLOW = 1.0
"""Seconds a batch may take to be acknowledged before batches are made smaller."""
QUICK = 0.3


@dataclass(frozen=True)
class _Flight:
    seq: int
    hash: bytes
    size: int
    at: float


@dataclass(frozen=True)
class StreamStatus:
    """Where an outgoing stream stands: held here, confirmed by the peer, bytes under way, why it stopped."""

    origin: str
    held: int
    confirmed: int
    bytes_under_way: int
    stopped: str


class OutStream:
    """One chain on its way to one peer, for one session; ``upto`` ends it there (a lost tail given back)."""

    def __init__(self, line: Line, origin: str, start: Cursor, now: Instant, upto: int | None = None) -> None:
        self.origin = origin
        self._upto = upto
        self.base = start
        self.stopped = ""
        self._line = line
        self._compared = False
        self._sent = start.seq
        self._flights: deque[_Flight] = deque()
        self._flight_bytes = 0
        self._waiting_since: float | None = float("-inf")
        self._progress_at = now.mono
        self._rto = line.limits.retransmit
        self._retry_at = 0.0
        self._later = line.limits.later_first
        self._batch_bytes = line.limits.batch_bytes

    def pump(self, now: Instant) -> None:
        """Send what is ripe: as far as window, linger and the peer's position allow."""
        if self.stopped or now.mono < self._retry_at:
            return
        held = self._line.book.cursor(self.origin)
        self._mind_tail(held)
        if not self._compared and not self._compare(held):
            return
        self._send_again_if_overdue(now)
        self._note_waiting(held, now)
        while self._sent < self._end(held) and self._has_room() and self._is_ripe(held, now):
            if not self._send_batch(now):
                break

    def acknowledged(self, seq: int, hash_: bytes, now: Instant) -> bool:
        """The peer durably holds the chain up to ``seq``; False when that contradicts what is held here."""
        if self.stopped or seq > self._line.book.cursor(self.origin).seq:
            return False
        if self._hash_of(seq) != hash_:
            self._fork(Cursor(seq, hash_), "acknowledged")
            return False
        if seq > self.base.seq:
            self._settle(seq, now)
            self.base = Cursor(seq, hash_)
            self._sent = max(self._sent, seq)
            self._progress_at = now.mono
            self._rto = self._line.limits.retransmit
            self._later = self._line.limits.later_first
        return True

    def go_from(self, have: Cursor) -> None:
        """The peer says where it stands: compare, then send from there; older news than an answer is none."""
        mine = self._line.book.cursor(self.origin).seq
        if have.seq < self.base.seq or (self.origin == self._line.book.node and have.seq > mine):
            return
        self.base = have
        self._compared = False
        self._rewind()

    def later(self, now: Instant) -> None:
        """The peer cannot take it yet: again after a while, each time a longer one."""
        self._rewind()
        self._retry_at = now.mono + self._later
        self._later = min(self._later * 2, self._line.limits.later_most)

    def stop(self, why: str) -> None:
        """Nothing more goes out in this session."""
        self.stopped = why
        self._rewind()

    def due(self) -> float:
        """The monotonic second at which ``pump`` has something to do next without news; infinity if never."""
        if self.stopped:
            return float("inf")
        times = []
        if self._flights:
            times.append(self._progress_at + self._rto)
        if self._waiting_since is not None and self._compared and self._has_room():
            times.append(self._waiting_since + self._line.limits.linger)
        return max(min(times, default=float("inf")), self._retry_at)

    def status(self) -> StreamStatus:
        """For people and pages."""
        held = self._line.book.cursor(self.origin)
        return StreamStatus(self.origin, held.seq, self.base.seq, self._flight_bytes, self.stopped)

    def _mind_tail(self, held: Cursor) -> None:
        """R6, R7: a peer that is ahead on my own chain has what I lost, until it has given all of that back."""
        line = self._line
        if self.origin != line.book.node:
            return
        given = line.tail_given
        if self.base.seq > max(held.seq, given.seq):
            if not line.tail_lost:
                line.tail_lost = True
                line.emit(Hold(f"{line.peer} holds {self.base.seq} entries of ours, {held.seq} are here"))
        elif line.tail_lost and self.base.hash == (given.hash if self.base == given else self._hash_of(self.base.seq)):
            line.tail_lost = False
            line.emit(Release())

    def _compare(self, held: Cursor) -> bool:
        """R6: a peer that is behind or level must agree on the hash; with one that is ahead it waits."""
        if held.seq < self.base.seq:
            return False
        if self._hash_of(self.base.seq) != self.base.hash:
            self._fork(self.base, "holds")
            return False
        self._compared = True
        self._sent = max(self._sent, self.base.seq)
        return True

    def _fork(self, theirs: Cursor, verb: str) -> None:
        self.stop("fork")
        self._line.send(Nak("fork", self.origin, theirs.seq, theirs.hash, text="another entry is held here"))
        self._line.emit(
            Alarm(
                "fork",
                f"chain {self.origin}: {self._line.peer} {verb} another entry {theirs.seq} than the one here; "
                f"the stream stands still until a person has looked",
                origin=self.origin,
                seq=theirs.seq,
                hash=theirs.hash,
            )
        )

    def _hash_of(self, seq: int) -> bytes | None:
        for flight in self._flights:
            if flight.seq == seq:
                return flight.hash
        held = self._line.book.cursor(self.origin)
        return held.hash if seq == held.seq else self._line.book.hash_at(self.origin, seq)

    def _end(self, held: Cursor) -> int:
        return held.seq if self._upto is None else min(held.seq, self._upto)

    def _note_waiting(self, held: Cursor, now: Instant) -> None:
        if self._sent >= self._end(held):
            self._waiting_since = None
        elif self._waiting_since is None:
            self._waiting_since = now.mono

    def _is_ripe(self, held: Cursor, now: Instant) -> bool:
        since = now.mono if self._waiting_since is None else self._waiting_since
        many = held.seq - self._sent >= self._line.limits.batch_entries
        return many or now.mono - since >= self._line.limits.linger

    def _has_room(self) -> bool:
        return self._flight_bytes < min(self._line.window, 4 * self._batch_bytes)

    def _send_batch(self, now: Instant) -> bool:
        line = self._line
        limit = line.limits.batch_entries
        if self._upto is not None:
            limit = min(limit, self._upto - self._sent)
        batch = line.book.batch_for(line.peer, self.origin, self._sent, limit=limit, max_bytes=self._batch_bytes)
        if batch is None:
            return False
        if self._upto is not None and line.version < 2 and any(item.raw is None for item in batch.items):
            self.stop("redacted")  # an owner of protocol 1 takes it only whole; another peer may have that
            return False
        frame = encode_batch(line.session, batch)
        line.emit(Send(frame))
        if not self._flights:
            self._progress_at = now.mono
        self._flights.append(_Flight(batch.head.seq, batch.head.hash, len(frame), now.mono))
        self._flight_bytes += len(frame)
        self._sent = batch.head.seq
        return True

    def _settle(self, seq: int, now: Instant) -> None:
        while self._flights and self._flights[0].seq <= seq:
            flight = self._flights.popleft()
            self._flight_bytes -= flight.size
            self._adapt(now.mono - flight.at)

    def _adapt(self, seconds: float) -> None:
        """Batches are as big as what the link carries in about a second."""
        limits = self._line.limits
        if seconds > SLOW:
            self._batch_bytes = max(self._batch_bytes // 2, limits.batch_bytes_low)
        elif seconds < QUICK:
            self._batch_bytes = min(self._batch_bytes * 2, limits.batch_bytes)

    def _send_again_if_overdue(self, now: Instant) -> None:
        if self._flights and now.mono - self._progress_at >= self._rto:
            self._rewind()
            self._rto = min(self._rto * 2, self._line.limits.retransmit_most)
            self._waiting_since = float("-inf")

    def _rewind(self) -> None:
        self._flights.clear()
        self._flight_bytes = 0
        self._sent = self.base.seq
        if self._waiting_since is None:
            self._waiting_since = float("-inf")
