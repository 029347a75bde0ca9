"""Projections of vehicles' tracks, of fences and who crossed them, and of nodes' clocks against receivers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import BigInteger, Connection, Index, Integer, String, Text, update
from sqlalchemy.orm import Mapped, mapped_column

from wanmi import device_kinds as kinds
from wanmi.entries import Entry
from wanmi.errors import BadInput
from wanmi.journal.projecting import body_of
from wanmi.models import AttachmentRow, Row, mark, table
from wanmi.registry import Registry
from wanmi.store import upsert_rows


class ClockOffsetRow(Row):
    """How a node's clock stands to a receiver's, as it said last; µs."""

    __tablename__ = "clock_offset"
    node: Mapped[str] = mapped_column(String(10), primary_key=True)
    source: Mapped[str] = mapped_column(String(10))
    device: Mapped[str] = mapped_column(String(20))
    offset: Mapped[int] = mapped_column(BigInteger)
    uncertainty: Mapped[int] = mapped_column(BigInteger)
    within: Mapped[int] = mapped_column(Integer)
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection")


class VehicleTrackRow(Row):
    """A sealed segment of a vehicle's track."""

    __tablename__ = "vehicle_track"
    edge: Mapped[str] = mapped_column(String(10), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    device: Mapped[str] = mapped_column(String(20))
    part: Mapped[str] = mapped_column(String(40))
    start: Mapped[int] = mapped_column(BigInteger)
    end: Mapped[int] = mapped_column(BigInteger)
    fixes: Mapped[int] = mapped_column(Integer)
    distance_m: Mapped[int] = mapped_column(BigInteger)
    blob: Mapped[str] = mapped_column(String(64))
    __table_args__ = mark("projection", Index("vehicle_track_part", "edge", "device", "part", "start"))


class FenceRow(Row):
    """A fence as it was set last; ``state``: kept or removed. ``points`` and ``vehicles`` are JSON."""

    __tablename__ = "fence"
    edge: Mapped[str] = mapped_column(String(10), primary_key=True)
    fence: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    shape: Mapped[str] = mapped_column(String(10))
    points: Mapped[str] = mapped_column(Text)
    radius_m: Mapped[int] = mapped_column(Integer)
    margin_m: Mapped[int] = mapped_column(Integer)
    dwell_s: Mapped[int] = mapped_column(Integer)
    vehicles: Mapped[str] = mapped_column(Text)
    enabled: Mapped[int] = mapped_column(Integer)
    alarm: Mapped[str] = mapped_column(String(10))
    severity: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    changed_at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection")


class FenceCrossingRow(Row):
    """A vehicle entered or left a fence."""

    __tablename__ = "fence_crossing"
    edge: Mapped[str] = mapped_column(String(10), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    fence: Mapped[str] = mapped_column(String(20))
    device: Mapped[str] = mapped_column(String(20))
    part: Mapped[str] = mapped_column(String(40))
    way: Mapped[str] = mapped_column(String(10))
    since: Mapped[int] = mapped_column(BigInteger)
    lon_e7: Mapped[int] = mapped_column(BigInteger)
    lat_e7: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection", Index("fence_crossing_fence", "edge", "fence", "since"))


FENCES = ("fence.set", "fence.removed")


def register_vehicles(to: Registry) -> None:
    """Kinds and projections."""
    to.entry_kind("clock.offset", kinds.ClockOffset, zh="时钟偏差", en="Clock offset")
    to.entry_kind("vehicle.track_sealed", kinds.VehicleTrackSealed, zh="车辆轨迹封存", en="Vehicle track sealed")
    to.entry_kind("fence.set", kinds.FenceSet, zh="围栏设定", en="Fence set")
    to.entry_kind("fence.removed", kinds.FenceRemoved, zh="围栏移除", en="Fence removed")
    to.entry_kind("fence.crossed", kinds.FenceCrossed, zh="进出围栏", en="Fence crossed")
    to.projection("clock_offsets", kinds=("clock.offset",), rows=(ClockOffsetRow,), apply=project_clocks)
    to.projection("vehicle_tracks", kinds=("vehicle.track_sealed",), rows=(VehicleTrackRow,), apply=project_tracks)
    to.projection(
        "vehicle_attachments", kinds=("vehicle.track_sealed",), rows=(AttachmentRow,), apply=project_attachments
    )
    to.projection("fences", kinds=FENCES, rows=(FenceRow,), apply=project_fences)
    to.projection("fence_crossings", kinds=("fence.crossed",), rows=(FenceCrossingRow,), apply=project_crossings)


def project_clocks(tx: Connection, entries: Sequence[Entry]) -> None:
    """The newest offset of each node."""
    rows = []
    for entry in entries:
        body = body_of(entry, kinds.ClockOffset)
        rows.append((entry.origin, body.source, body.device, body.offset, body.uncertainty, int(body.within), entry.at))
    upsert_rows(tx, ClockOffsetRow, rows)


def project_tracks(tx: Connection, entries: Sequence[Entry]) -> None:
    """Sealed segments by the entry that seals them."""
    rows = []
    for entry in entries:
        body = body_of(entry, kinds.VehicleTrackSealed)
        rows.append((
            entry.origin, entry.seq, body.device, body.part, body.start, body.end, body.fixes, body.distance_m,
            body.way.blob,
        ))  # fmt: skip
    upsert_rows(tx, VehicleTrackRow, rows)


def project_attachments(tx: Connection, entries: Sequence[Entry]) -> None:
    """The sealed blobs that tracks name."""
    rows = []
    for entry in entries:
        way = body_of(entry, kinds.VehicleTrackSealed).way
        rows.append((entry.origin, entry.seq, 0, entry.subject, way.role, way.media, way.size, way.digest, way.blob))
    upsert_rows(tx, AttachmentRow, rows)


def project_fences(tx: Connection, entries: Sequence[Entry]) -> None:
    """Fences by (edge, fence)."""
    row = table(FenceRow)
    for entry in entries:
        if entry.kind == "fence.set":
            upsert_rows(tx, FenceRow, [_fence(entry)])
            continue
        gone = body_of(entry, kinds.FenceRemoved)
        which = (row.c.edge == entry.origin) & (row.c.fence == gone.fence) & (row.c.state == "kept")
        values = {"state": "removed", "enabled": 0, "changed_at": entry.at}
        if tx.execute(update(row).where(which).values(**values)).rowcount == 0:
            raise BadInput(f"fence.removed: {entry.origin} has no fence {gone.fence}")


def _fence(entry: Entry) -> tuple[object, ...]:
    body = body_of(entry, kinds.FenceSet)
    points, vehicles = (msgspec.json.encode(one).decode() for one in (body.points, body.vehicles))
    return (
        entry.origin, body.fence, body.name, body.shape, points, body.radius_m, body.margin_m, body.dwell_s, vehicles,
        int(body.enabled), body.alarm, body.severity, "kept", entry.at,
    )  # fmt: skip


def project_crossings(tx: Connection, entries: Sequence[Entry]) -> None:
    """Crossings by their entries."""
    rows = []
    for entry in entries:
        body = body_of(entry, kinds.FenceCrossed)
        rows.append((
            entry.origin, entry.seq, body.fence, body.device, body.part, body.way, body.since, body.lon_e7, body.lat_e7,
        ))  # fmt: skip
    upsert_rows(tx, FenceCrossingRow, rows)
