"""Positions become sealed segments: a `track.sealed` entry says when and how far, the blob where."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select, tuple_

from wanmi.kinds import Attachment
from wanmi.models import table
from wanmi.registry import Draft, NodeContext
from wanmi.reports import Refused, TrackFix, digest_of, segment_content, segment_fixes, segment_of
from wanmi.reports.bodies import TrackSealed, track_subject
from wanmi.reports.tracks import SECOND, Segment
from wanmi.store import Sealed, delete_keys
from wanmi_edge.rows import TrackBatchRow
from wanmi_edge.settings import IntakeSettings
from wanmi_edge.tally import POSITIONS, count_in
from wanmi_edge.terminals import TerminalBook

MEDIA = "application/x-ndjson"


class TrackSealer:
    """Seals what is long enough, has enough fixes, or has had no more for as long as a segment lasts."""

    def __init__(self, node: NodeContext, book: TerminalBook, settings: IntakeSettings) -> None:
        self._node = node
        self._book = book
        self._settings = settings
        self._by = f"edge@{node.registry.plugins.get('edge', '0')}"
        self.sealed = 0

    def step(self) -> None:
        """Seal one segment of each terminal that has one ready."""
        for terminal in self._ready():
            self._seal(terminal)

    def _ready(self) -> list[str]:
        row = table(TrackBatchRow).c
        length = self._settings.segment_seconds * SECOND
        query = (
            select(row.terminal)
            .group_by(row.terminal)
            .having(
                (func.sum(row.fixes) >= self._settings.segment_fixes)
                | (func.max(row.end) - func.min(row.start) >= length)
                | (func.max(row.at) <= self._node.clock.now() - length)
            )
        )
        with self._node.store.reader() as connection:
            return list(connection.execute(query).scalars())

    def _seal(self, terminal: str) -> None:
        rows = self._batches(terminal)
        payloads, fixes = self._read(terminal, rows)
        keys = [(terminal, start) for start, _ in rows]
        if not fixes:
            self._node.store.write(lambda tx: self._let_go(tx, keys, 0)).result()
            return
        sealed, way, said = seal_segment(self._node, segment_content(payloads), fixes)
        body = TrackSealed(
            terminal,
            said.start,
            said.end,
            said.fixes,
            said.distance_m,
            said.west,
            said.south,
            said.east,
            said.north,
            way,
        )
        draft = Draft("track.sealed", track_subject(self._node.code, terminal), body, by=self._by, actor=terminal)
        self._node.journal.append(draft, also=lambda tx, _: self._write(tx, sealed, keys, said.fixes)).result()
        self.sealed += 1

    def _read(self, terminal: str, rows: Sequence[tuple[int, bytes]]) -> tuple[list[bytes], list[TrackFix]]:
        """Batches that a key of the terminal signed which was not revoked (it may have been admitted anew), and their fixes."""
        known = self._book.known(terminal)
        keys = known.valid_keys() if known is not None else ()
        good: list[bytes] = []
        fixes: list[TrackFix] = []
        for _, payload in rows:
            try:
                fixes += segment_fixes(payload, *keys)
                good.append(payload)
            except Refused:
                continue
        return good, sorted(fixes, key=lambda one: one.at)

    def _write(self, tx: Connection, sealed: Sealed, keys: Sequence[tuple[str, int]], fixes: int) -> None:
        self._node.blobs.add(tx, sealed)
        self._let_go(tx, keys, fixes)

    def _let_go(self, tx: Connection, keys: Sequence[tuple[str, int]], sealed: int) -> None:
        """Delete batches of which ``sealed`` positions are in a segment now; the others count as refused."""
        row = table(TrackBatchRow).c
        which = tuple_(row.terminal, row.start).in_(keys)
        held = tx.execute(select(func.coalesce(func.sum(row.fixes), 0)).where(which)).scalar_one()
        count_in(tx, POSITIONS, 0, max(0, int(held) - sealed))
        delete_keys(tx, TrackBatchRow, keys)

    def _batches(self, terminal: str) -> list[tuple[int, bytes]]:
        """The oldest batches, as many as make a segment."""
        row = table(TrackBatchRow).c
        query = select(row.start, row.end, row.fixes, row.payload).where(row.terminal == terminal).order_by(row.start)
        taken: list[tuple[int, bytes]] = []
        fixes, first = 0, None
        with self._node.store.reader() as connection:
            for start, end, count, payload in connection.execute(query):
                first = start if first is None else first
                if taken and end - first > 2 * self._settings.segment_seconds * SECOND:
                    break
                taken.append((start, bytes(payload)))
                fixes += count
                if fixes >= self._settings.segment_fixes or end - first >= self._settings.segment_seconds * SECOND:
                    break
        return taken


def seal_segment(node: NodeContext, content: bytes, fixes: Sequence[TrackFix]) -> tuple[Sealed, Attachment, Segment]:
    """A segment's content as a sealed blob, how its entry names it, and what the entry says in the open."""
    sealed = node.blobs.seal(content)
    return sealed, Attachment("track", digest_of(content), len(content), MEDIA, sealed.blob), segment_of(fixes)
