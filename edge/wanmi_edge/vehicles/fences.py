"""The book of an edge's fences, in entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Row, select

from wanmi.coords import Point
from wanmi.device_kinds import FenceAlarm, FenceRemoved, FenceSet, Severity, fence_subject
from wanmi.errors import BadInput, NotFound
from wanmi.journal.vehicle_rows import FenceRow
from wanmi.models import table
from wanmi.registry import Draft, NodeContext
from wanmi_edge.vehicles.geometry import Shape

MOST_POINTS = 500
MOST_RADIUS = 100_000
MOST_VEHICLES = 1000


@dataclass(frozen=True)
class Fence:
    """A fence as it is set."""

    id: str
    name: str
    shape: Shape
    margin_m: int
    dwell_s: int
    vehicles: tuple[str, ...]
    enabled: bool
    alarm: FenceAlarm
    severity: Severity
    changed_at: int

    def is_about(self, vehicle: str) -> bool:
        """Whether it watches this vehicle."""
        return self.enabled and (not self.vehicles or vehicle in self.vehicles)


@dataclass(frozen=True)
class WantedFence:
    """What somebody wants a fence to be."""

    name: str
    points: Sequence[tuple[int, int]]
    radius_m: int
    margin_m: int
    dwell_s: int
    vehicles: Sequence[str]
    enabled: bool
    alarm: FenceAlarm = "none"
    severity: Severity = "warning"


class FenceBook:
    """Reads and writes what is set."""

    def __init__(self, node: NodeContext) -> None:
        self._node = node

    def all(self) -> list[Fence]:
        """Every fence that is kept, by number."""
        row = table(FenceRow)
        query = select(row).where(row.c.edge == self._node.code, row.c.state == "kept").order_by(row.c.fence)
        with self._node.store.reader() as tx:
            return [_fence(found) for found in tx.execute(query)]

    def get(self, id: str) -> Fence:
        """A fence by its number; NotFound."""
        for one in self.all():
            if one.id == id:
                return one
        raise NotFound(f"no fence {id!r} at {self._node.code}")

    def add(self, wanted: WantedFence, actor: str | None) -> Fence:
        """Add a fence; BadInput when it is none."""
        row = table(FenceRow)
        with self._node.store.reader() as tx:
            given = tx.execute(select(row.c.fence).where(row.c.edge == self._node.code)).scalars()
            id = f"F{max((int(one[1:]) for one in given), default=0) + 1:04d}"
        return self._set(id, wanted, actor, 0)

    def change(self, id: str, wanted: WantedFence, actor: str | None) -> Fence:
        """Set a fence otherwise."""
        self.get(id)
        return self._set(id, wanted, actor, None)

    def remove(self, id: str, reason: str, actor: str | None) -> Fence:
        """Take a fence away; its number is never given again."""
        fence = self.get(id)
        body = FenceRemoved(id, reason)
        draft = Draft(kind="fence.removed", subject=fence_subject(self._node.code, id), body=body, actor=actor)
        self._node.journal.append(draft).result()
        return fence

    def _set(self, id: str, wanted: WantedFence, actor: str | None, expect: int | None) -> Fence:
        _check(wanted)
        body = FenceSet(
            fence=id, name=wanted.name, shape="circle" if len(wanted.points) == 1 else "polygon",
            points=[(lon, lat) for lon, lat in wanted.points], radius_m=wanted.radius_m, margin_m=wanted.margin_m,
            dwell_s=wanted.dwell_s, vehicles=sorted(wanted.vehicles), enabled=wanted.enabled,
            alarm=wanted.alarm, severity=wanted.severity,
        )  # fmt: skip
        subject = fence_subject(self._node.code, id)
        self._node.journal.append(
            Draft(kind="fence.set", subject=subject, body=body, actor=actor, expect=expect)
        ).result()
        return self.get(id)


def _check(wanted: WantedFence) -> None:
    n = len(wanted.points)
    if not wanted.name.strip() or len(wanted.name) > 60:
        raise BadInput(f"fence name {wanted.name!r}: 1 to 60 characters")
    if n != 1 and not 3 <= n <= MOST_POINTS:
        raise BadInput(f"a fence has one point and a radius, or 3 to {MOST_POINTS} points; this one has {n} points")
    if not (1 if n == 1 else 0) <= wanted.radius_m <= MOST_RADIUS:
        raise BadInput(f"radius {wanted.radius_m} m: a circle's is 1 to {MOST_RADIUS}, a polygon has none")
    if any(abs(lon) > 1_800_000_000 or abs(lat) > 900_000_000 for lon, lat in wanted.points):
        raise BadInput("a fence's points are [longitude, latitude] in 1e-7 degree; one is not on earth")
    if n > 1 and len(set(wanted.points)) < 3:
        raise BadInput("a polygon has three different points at least")
    if len(wanted.vehicles) > MOST_VEHICLES or any(not 0 < len(one) <= 62 for one in wanted.vehicles):
        raise BadInput(f"a fence is about {MOST_VEHICLES} vehicles at most, each by its name of 1 to 62 characters")
    if not 0 <= wanted.margin_m <= MOST_RADIUS or not 0 <= wanted.dwell_s <= 86_400:
        raise BadInput("margin_m is 0 to 100000 metres, dwell_s 0 to 86400 seconds")


def _fence(found: Row[Any]) -> Fence:
    points = tuple(Point(lon, lat) for lon, lat in msgspec.json.decode(found.points))
    return Fence(
        found.fence, found.name, Shape(points, found.radius_m), found.margin_m, found.dwell_s,
        tuple(msgspec.json.decode(found.vehicles)), bool(found.enabled), found.alarm, found.severity,
        found.changed_at,
    )  # fmt: skip
