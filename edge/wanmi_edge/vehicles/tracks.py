"""Vehicles' positions on disk until they are a segment; segments sealed as terminals' are, and read again."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, delete, func, select

from wanmi.device_kinds import VehicleTrackSealed, vehicle_subject
from wanmi.errors import NotAllowed, NotFound
from wanmi.journal.vehicle_rows import VehicleTrackRow
from wanmi.models import table
from wanmi.registry import Draft, NodeContext
from wanmi.reports import TrackFix
from wanmi.store import Sealed, upsert_rows
from wanmi_edge.settings import IntakeSettings
from wanmi_edge.track_sealer import seal_segment
from wanmi_edge.vehicles.rows import VehicleFixRow

SECOND = 1_000_000
Key = tuple[str, str]
FixRow = tuple[str, str, int, int, int, int]


class VehicleTracks:
    """``keep`` positions, ``seal`` what is long enough, ``read`` a vehicle's way."""

    def __init__(self, node: NodeContext, settings: IntakeSettings) -> None:
        self._node = node
        self._settings = settings
        self.sealed = 0

    def keep(self, rows: Iterable[FixRow]) -> None:
        """Positions to disk; the same moment twice is one."""
        kept = list({row[:3]: row for row in rows}.values())
        if kept:
            self._node.store.write(lambda tx: upsert_rows(tx, VehicleFixRow, kept)).result()

    def seal(self) -> None:
        """Seal a segment of each vehicle that has one ready."""
        for device, part in self._ready():
            self._seal(device, part)

    def read(self, device: str, part: str, since: int, until: int, limit: int) -> list[TrackFix]:
        """Positions from ``since`` to ``until`` (µs UTC), oldest first: sealed ones that can be opened here, and open ones."""
        row = table(VehicleTrackRow)
        query = select(row.c.blob).where(
            row.c.edge == self._node.code, row.c.device == device, row.c.part == part, row.c.end >= since,
            row.c.start <= until,
        ).order_by(row.c.start)  # fmt: skip
        with self._node.store.reader() as tx:
            blobs = list(tx.execute(query).scalars())
        found = {fix.at: fix for blob in blobs for fix in self._open(blob)}
        found.update({fix.at: fix for fix in self._waiting(device, part)})
        return [found[at] for at in sorted(found) if since <= at <= until][:limit]

    def _open(self, blob: str) -> list[TrackFix]:
        try:
            return segment_lines(self._node.blobs.open(blob))
        except (NotFound, NotAllowed):
            return []

    def _ready(self) -> list[Key]:
        row, length = table(VehicleFixRow).c, self._settings.segment_seconds * SECOND
        query = (
            select(row.device, row.part)
            .group_by(row.device, row.part)
            .having(
                (func.count() >= self._settings.segment_fixes)
                | (func.max(row.at) - func.min(row.at) >= length)
                | (func.max(row.kept_at) <= self._node.clock.now() - length)
            )
        )
        with self._node.store.reader() as tx:
            return [(device, part) for device, part in tx.execute(query)]

    def _waiting(self, device: str, part: str) -> list[TrackFix]:
        row = table(VehicleFixRow).c
        query = select(row.at, row.lon_e7, row.lat_e7).where(row.device == device, row.part == part).order_by(row.at)
        with self._node.store.reader() as tx:
            return [TrackFix(at, lon, lat, None) for at, lon, lat in tx.execute(query)]

    def _seal(self, device: str, part: str) -> None:
        fixes = self._segment(self._waiting(device, part))
        sealed, way, said = seal_segment(self._node, b"".join(msgspec.json.encode(fix) + b"\n" for fix in fixes), fixes)
        body = VehicleTrackSealed(
            device, part, said.start, said.end, said.fixes, said.distance_m, said.west, said.south, said.east, said.north,
            way,
        )  # fmt: skip
        draft = Draft("vehicle.track_sealed", vehicle_subject(self._node.code, device, part), body)
        end = fixes[-1].at
        self._node.journal.append(draft, also=lambda tx, _: self._let_go(tx, sealed, (device, part), end)).result()
        self.sealed += 1

    def _segment(self, fixes: list[TrackFix]) -> list[TrackFix]:
        end = fixes[0].at + self._settings.segment_seconds * SECOND
        return [fix for fix in fixes if fix.at <= end][: self._settings.segment_fixes]

    def _let_go(self, tx: Connection, sealed: Sealed, key: Key, end: int) -> None:
        self._node.blobs.add(tx, sealed)
        row = table(VehicleFixRow)
        tx.execute(delete(row).where(row.c.device == key[0], row.c.part == key[1], row.c.at <= end))


def segment_lines(content: bytes) -> list[TrackFix]:
    """The positions in a vehicle's sealed segment."""
    return [msgspec.json.decode(line, type=TrackFix) for line in content.splitlines()]
