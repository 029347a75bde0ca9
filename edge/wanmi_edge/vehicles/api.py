"""HTTP: vehicles, their tracks, fences and who crossed them. Times µs UTC, coordinates 1e-7 degree WGS-84."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import Field
from sqlalchemy import Row, select

from wanmi.device_kinds import FenceAlarm, Severity, vehicle_id
from wanmi.errors import LinkError, NotFound
from wanmi.journal.vehicle_rows import FenceCrossingRow
from wanmi.models import table
from wanmi.registry import NodeContext
from wanmi.web.bounds import E7, Count, Id
from wanmi.web.callers import Reading, needs
from wanmi_edge.devices.devices import Devices
from wanmi_edge.devices.views import FixView, view_fix
from wanmi_edge.vehicles.fences import Fence, FenceBook, WantedFence
from wanmi_edge.vehicles.vehicles import Seen, Vehicles, name_of

LATEST = 2**53
MOST_FIXES = 20_000
MOST_POINTS = 1_000
MOST_VEHICLES = 1_000
Vehicle = Annotated[str, Path(min_length=1, max_length=62, description="its device, and :part at a gateway")]
FenceId = Annotated[str, Path(min_length=1, max_length=20)]


@dataclass(frozen=True)
class VehicleView:
    """A vehicle with its newest fix; ``age_s`` seconds since it came, ``valid`` the newest good one."""

    vehicle: str
    name: str
    device: str
    part: str
    fix: FixView
    came_at: int
    age_s: int
    valid: FixView | None


@dataclass(frozen=True)
class VehiclesOut:
    """Every vehicle that has been heard since the node started."""

    as_of: int
    vehicles: list[VehicleView]


@dataclass(frozen=True)
class TrackOut:
    """Positions ``[at, lon_e7, lat_e7]``, oldest first."""

    vehicle: str
    fixes: list[tuple[int, int, int]]


@dataclass(frozen=True)
class FenceIn:
    """A fence to set: one point and ``radius_m``, or a polygon's points ``[lon_e7, lat_e7]``.

    ``margin_m`` metres outside a vehicle counts as gone, after ``dwell_s`` seconds; ``vehicles`` empty: all.
    ``alarm``: whether a vehicle that has entered or left it raises an alarm, and of which ``severity``.
    """

    name: Id
    points: Annotated[list[tuple[E7, E7]], Field(max_length=MOST_POINTS)]
    radius_m: Count = 0
    margin_m: Count = 30
    dwell_s: Count = 10
    vehicles: Annotated[list[Id], Field(max_length=MOST_VEHICLES)] = field(default_factory=list)
    enabled: bool = True
    alarm: FenceAlarm = "none"
    severity: Severity = "warning"


@dataclass(frozen=True)
class FenceView:
    """A fence as it is set."""

    id: str
    name: str
    shape: str
    points: list[tuple[int, int]]
    radius_m: int
    margin_m: int
    dwell_s: int
    vehicles: list[str]
    enabled: bool
    alarm: FenceAlarm
    severity: Severity
    changed_at: int


@dataclass(frozen=True)
class FencesOut:
    """Every fence."""

    fences: list[FenceView]


@dataclass(frozen=True)
class CrossingView:
    """A vehicle entered or left, at ``since``."""

    fence: str
    vehicle: str
    way: str
    since: int
    lon_e7: int
    lat_e7: int


@dataclass(frozen=True)
class CrossingsOut:
    """Crossings, newest first."""

    crossings: list[CrossingView]


def build_api(node: NodeContext, devices: Devices, vehicles: Vehicles) -> APIRouter:
    """The routes under /api/v1."""
    router = APIRouter(tags=["vehicles"])
    devices.wire(node)
    vehicles.wire(node)
    _vehicles(router, node, devices, vehicles)
    _fences(router, node, _book(vehicles))
    return router


def _book(vehicles: Vehicles) -> FenceBook:
    if vehicles.fences is None:
        raise LinkError("the vehicles are not wired to their node yet")
    return vehicles.fences


def _vehicles(router: APIRouter, node: NodeContext, devices: Devices, vehicles: Vehicles) -> None:
    @router.get("/vehicles")
    @needs("device.read")
    def every() -> VehiclesOut:
        """Vehicles with their newest fix and its age."""
        names = {one.id: one for one in devices.book.all()} if devices.book is not None else {}
        now = node.clock.now()
        shown = [
            _vehicle(seen, name_of(names[seen.device], seen.part), now)
            for _, seen in sorted(vehicles.seen.items()) if seen.device in names
        ]  # fmt: skip
        return VehiclesOut(now, shown)

    @router.get("/vehicles/{vehicle}/track")
    @needs("device.read")
    def track(
        vehicle: Vehicle,
        since: Annotated[int, Query(ge=0, le=LATEST)] = 0,
        until: Annotated[int, Query(ge=0, le=LATEST)] = LATEST,
        limit: Annotated[int, Query(ge=1, le=MOST_FIXES)] = 2000,
    ) -> TrackOut:
        """Where a vehicle was: sealed segments and what is not sealed yet."""
        device, _, part = vehicle.partition(":")
        if vehicles.tracks is None:
            raise NotFound(f"no track of {vehicle}")
        found = vehicles.tracks.read(device, part, since, until, limit)
        return TrackOut(vehicle, [(fix.at, fix.lon_e7, fix.lat_e7) for fix in found])


def _fences(router: APIRouter, node: NodeContext, book: FenceBook) -> None:
    @router.get("/fences")
    @needs("device.read")
    def every() -> FencesOut:
        """Every fence of this edge."""
        return FencesOut([_view(one) for one in book.all()])

    @router.post("/fences", status_code=201)
    @needs("device.change")
    def add(caller: Reading, ask: FenceIn) -> FenceView:
        """Add a fence."""
        return _view(book.add(WantedFence(**vars(ask)), caller.actor.id))

    @router.put("/fences/{fence}")
    @needs("device.change")
    def change(caller: Reading, fence: FenceId, ask: FenceIn) -> FenceView:
        """Set a fence otherwise."""
        return _view(book.change(fence, WantedFence(**vars(ask)), caller.actor.id))

    @router.delete("/fences/{fence}")
    @needs("device.change")
    def remove(caller: Reading, fence: FenceId, reason: Annotated[str, Query(max_length=500)] = "") -> FenceView:
        """Take a fence away."""
        return _view(book.remove(fence, reason, caller.actor.id))

    @router.get("/fences/{fence}/crossings")
    @needs("device.read")
    def crossings(fence: FenceId, limit: Annotated[int, Query(ge=1, le=2000)] = 200) -> CrossingsOut:
        """Who entered and left."""
        row = table(FenceCrossingRow)
        query = select(row).where(row.c.edge == node.code, row.c.fence == fence).order_by(row.c.seq.desc()).limit(limit)
        with node.store.reader() as tx:
            return CrossingsOut([_crossing(one) for one in tx.execute(query)])


def _vehicle(seen: Seen, name: str, now: int) -> VehicleView:
    return VehicleView(
        vehicle_id(seen.device, seen.part), name, seen.device, seen.part, view_fix(seen.fix), seen.came_at,
        max(0, (now - seen.came_at) // 1_000_000), view_fix(seen.valid) if seen.valid is not None else None,
    )  # fmt: skip


def _view(fence: Fence) -> FenceView:
    points = [(one.lon_e7, one.lat_e7) for one in fence.shape.points]
    return FenceView(
        fence.id, fence.name, "circle" if len(points) == 1 else "polygon", points, fence.shape.radius_m, fence.margin_m,
        fence.dwell_s, list(fence.vehicles), fence.enabled, fence.alarm, fence.severity, fence.changed_at,
    )  # fmt: skip


def _crossing(row: Row[Any]) -> CrossingView:
    return CrossingView(row.fence, vehicle_id(row.device, row.part), row.way, row.since, row.lon_e7, row.lat_e7)
