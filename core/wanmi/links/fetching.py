"""Sealed blobs: fetched by hash after the entries, in chunks that resume, and served to those who may see them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wanmi.errors import NotAllowed, NotFound
from wanmi.links.effects import PutChunk
from wanmi.links.frames import MAX_CHUNK, Chunk, Nak, Want
from wanmi.links.line import Line
from wanmi.links.terms import Depot, Instant

_PAGE = 64


@dataclass
class _Fetch:
    offset: int
    asked_at: float


class Fetcher:
    """The blobs that this link fetches and serves, for one session."""

    def __init__(self, line: Line, depot: Depot, accepts: Callable[[str], bool]) -> None:
        self._line = line
        self._depot = depot
        self._accepts = accepts
        self._fetches: dict[str, _Fetch] = {}
        self._later: dict[str, tuple[float, float]] = {}
        self._curious = True
        self._look_at = 0.0
        self._skip = 0
        self.peer_seal = b""

    def look(self) -> None:
        """There may be new blobs to fetch: entries were applied."""
        self._curious = True

    def pump(self, now: Instant, *, idle: bool) -> None:
        """Ask again for what did not come; ask for more while no entries wait."""
        for blob, fetch in self._fetches.items():
            if now.mono - fetch.asked_at >= self._line.limits.blob_again:
                self._ask(blob, fetch, now)
        room = self._line.limits.fetches - len(self._fetches)
        if idle and room > 0 and self._curious and now.mono >= self._look_at:
            self._start(room, now)

    def due(self, *, idle: bool) -> float:
        """The monotonic second of the next thing to do."""
        again = [fetch.asked_at + self._line.limits.blob_again for fetch in self._fetches.values()]
        if idle and self._curious and len(self._fetches) < self._line.limits.fetches:
            again.append(self._look_at)
        return min(again, default=float("inf"))

    def chunk(self, header: Chunk, data: bytes) -> None:
        """Sealed bytes came; those that nobody asked for are dropped."""
        fetch = self._fetches.get(header.blob)
        if fetch is not None and header.offset == fetch.offset and 0 <= len(data) <= MAX_CHUNK:
            self._line.emit(PutChunk(header.blob, header.offset, data, header.size, header.key))

    def at(self, blob: str, offset: int, now: Instant) -> None:
        """The chunk was stored; go on from ``offset``."""
        fetch = self._fetches.get(blob)
        if fetch is not None:
            fetch.offset = offset
            self._ask(blob, fetch, now)

    def done(self, blob: str, error: Exception | None, now: Instant) -> None:
        """The blob is whole and checked, or is to be fetched anew."""
        if self._fetches.pop(blob, None) is None:
            return
        if error is not None:
            self._put_off(blob, now)
        self._curious = True
        self._look_at = min(self._look_at, now.mono)

    def refused(self, blob: str, code: str, now: Instant) -> None:
        """The peer has not got it yet, or will not give it."""
        if self._fetches.pop(blob, None) is not None:
            self._put_off(blob, now, for_good=code == "erased")
            self._curious = True

    def serve(self, want: Want) -> None:
        """Send a chunk of a blob that the peer may see; its key, wrapped for the peer, with the last one."""
        if not self._depot.may_see(self._line.peer, want.blob):
            self._line.send(Nak("erased", want.blob))
            return
        try:
            size = self._depot.size(want.blob)
            data = self._depot.read(want.blob, max(want.offset, 0), MAX_CHUNK)
            last = want.offset + len(data) >= size
            key = self._depot.wrap_key(want.blob, self.peer_seal) if last else b""
        except NotFound:
            self._line.send(Nak("no-blob", want.blob))
        except NotAllowed:
            self._line.send(Nak("erased", want.blob))
        else:
            self._line.send(Chunk(want.blob, max(want.offset, 0), size, key), data)

    @property
    def under_way(self) -> int:
        """Blobs being fetched now."""
        return len(self._fetches)

    def _start(self, room: int, now: Instant) -> None:
        page = self._depot.missing(_PAGE, self._skip)
        ready = [m.blob for m in page if self._accepts(m.origin) and self._may_ask(m.blob, now)]
        for blob in list(dict.fromkeys(ready))[:room]:
            fetch = _Fetch(0, now.mono)
            self._fetches[blob] = fetch
            self._ask(blob, fetch, now)
        if ready:
            return
        self._skip = self._skip + _PAGE if len(page) == _PAGE else 0
        self._look_at = now.mono + self._line.limits.look_for_blobs
        self._curious = bool(page)

    def _may_ask(self, blob: str, now: Instant) -> bool:
        return blob not in self._fetches and self._later.get(blob, (0.0, 0.0))[0] <= now.mono

    def _ask(self, blob: str, fetch: _Fetch, now: Instant) -> None:
        fetch.asked_at = now.mono
        self._line.send(Want(blob, fetch.offset))

    def _put_off(self, blob: str, now: Instant, *, for_good: bool = False) -> None:
        _, wait = self._later.get(blob, (0.0, self._line.limits.later_first))
        limits = self._line.limits
        again = float("inf") if for_good else now.mono + wait
        self._later[blob] = (again, min(wait * 2, limits.later_most))
