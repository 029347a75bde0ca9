"""Samples on disk: written together every few seconds, gone by age and by size. Local: never journaled, never replayed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, func, select
from sqlalchemy.exc import DBAPIError

from wanmi.clock import SECOND
from wanmi.devices import Fix, Reading, Sample
from wanmi.errors import StoreError
from wanmi.models import table
from wanmi.registry import NodeContext
from wanmi.store import upsert_rows
from wanmi_edge.devices.rows import DeviceSampleRow
from wanmi_edge.devices.settings import DevicesSettings

DAY = 86_400 * SECOND
MIB = 1024 * 1024
PENDING_MOST = 20_000
"""Samples that wait for the disk; more (a disk that hangs) push the oldest out, and are counted."""


class Packed(msgspec.Struct, frozen=True, array_like=True):
    """A sample on disk."""

    readings: tuple[Reading, ...]
    fixes: tuple[Fix, ...]


class Kept(msgspec.Struct, frozen=True):
    """A sample as it was kept: when, and what."""

    at: int
    part: str
    readings: tuple[Reading, ...]
    fixes: tuple[Fix, ...]


class SampleKeeper:
    """Takes samples in the loop, writes them by ``flush``, lets them age by ``age``."""

    def __init__(self, node: NodeContext, settings: DevicesSettings) -> None:
        self._node = node
        self._settings = settings
        self._encoder = msgspec.msgpack.Encoder()
        self._pending: list[tuple[str, str, int, int, bytes]] = []
        self._n = 0
        self.lost = 0

    def take(self, device: str, sample: Sample, at: int) -> None:
        """Keep a sample; it is on disk after the next ``flush``."""
        if not sample.readings and not sample.fixes:
            return
        self._n = (self._n + 1) % 1_000_000
        packed = self._encoder.encode(Packed(sample.readings, sample.fixes))
        self._pending.append((device, sample.part, at, self._n, packed))
        if len(self._pending) > PENDING_MOST:
            self._pending.pop(0)
            self.lost += 1

    def flush(self) -> None:
        """Write what waits, in one transaction; blocks until it is durable. What cannot be written waits on."""
        rows, self._pending = self._pending, []
        if not rows:
            return
        try:
            self._node.store.write(lambda tx: upsert_rows(tx, DeviceSampleRow, rows)).result()
        except (StoreError, DBAPIError):
            waiting = rows + self._pending
            self._pending = waiting[-PENDING_MOST:]
            self.lost += len(waiting) - len(self._pending)
            raise

    def age(self) -> int:
        """Delete what is too old or too much; returns how many samples went."""
        oldest = self._node.clock.now() - self._settings.keep_days * DAY
        return self._node.store.write(lambda tx: _age(tx, oldest, self._settings.keep_mib * MIB)).result()

    def read(self, device: str, part: str, since: int, limit: int) -> Sequence[Kept]:
        """A device's samples from ``since`` (µs UTC) on, the newest ``limit`` of them, oldest first."""
        row = table(DeviceSampleRow)
        query = (
            select(row.c.at, row.c.packed)
            .where(row.c.device == device, row.c.part == part, row.c.at >= since)
            .order_by(row.c.at.desc(), row.c.n.desc())
            .limit(limit)
        )
        with self._node.store.reader() as tx:
            found = tx.execute(query).all()
        return [_kept(at, part, bytes(packed)) for at, packed in reversed(found)]


def _kept(at: int, part: str, packed: bytes) -> Kept:
    sample = msgspec.msgpack.decode(packed, type=Packed)
    return Kept(at, part, sample.readings, sample.fixes)


def _age(tx: Connection, oldest: int, most_bytes: int) -> int:
    """Too old first; if the rest is too big, the oldest tenth of the time that it spans, once a call."""
    row = table(DeviceSampleRow)
    gone = tx.execute(delete(row).where(row.c.at < oldest)).rowcount
    size = tx.execute(select(func.coalesce(func.sum(func.length(row.c.packed)), 0))).scalar_one()
    if size > most_bytes:
        first, last = tx.execute(select(func.min(row.c.at), func.max(row.c.at))).one()
        gone += tx.execute(delete(row).where(row.c.at <= first + (last - first) // 10)).rowcount
    return gone
