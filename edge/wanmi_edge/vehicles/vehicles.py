"""Listens to devices' fixes: the newest of each vehicle, its track, its fences. Only valid fixes go any further."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import select

from wanmi.clock import SECOND
from wanmi.coords import Point, distance_m
from wanmi.device_kinds import FenceCrossed, fence_subject, vehicle_id
from wanmi.devices import AlarmRule, Fix, Reading, Sample
from wanmi.errors import LinkError, WanmiError
from wanmi.journal.vehicle_rows import FenceCrossingRow
from wanmi.models import table
from wanmi.registry import Draft, NodeContext
from wanmi_edge.devices.alarm_watch import Judged
from wanmi_edge.devices.book import Device
from wanmi_edge.devices.devices import Devices
from wanmi_edge.settings import EdgeSettings
from wanmi_edge.vehicles.crossing import Standing, step
from wanmi_edge.vehicles.fences import Fence, FenceBook
from wanmi_edge.vehicles.tracks import FixRow, VehicleTracks

TICK = 0.5
SEAL_EVERY = 10.0
PENDING_MOST = 20_000
"""Fixes that wait for the task; more push the oldest out, and are counted."""
FENCE = "fence."
"""What the names of fences' alarms begin with."""
APART_US, APART_M = 5 * SECOND, 20.0
"""A track keeps a position when it is so much later, or so much farther, than the one before."""


@dataclass(frozen=True)
class Seen:
    """A vehicle's newest fix and when it came; ``valid`` the newest one that was good."""

    device: str
    part: str
    fix: Fix
    came_at: int
    valid: Fix | None


@dataclass(frozen=True)
class _Heard:
    device: str
    part: str
    at: int
    point: Point


class Vehicles:
    """What the vehicles' task and the routes share; one for each node."""

    def __init__(self, devices: Devices) -> None:
        self.seen: dict[str, Seen] = {}
        self.lost = 0
        self._devices = devices
        self._node: NodeContext | None = None
        self._pending: deque[_Heard] = deque(maxlen=PENDING_MOST)
        self._kept: dict[str, tuple[int, Point]] = {}
        self._newest: dict[str, int] = {}
        self._standings: dict[tuple[str, str], Standing] = {}
        self.tracks: VehicleTracks | None = None
        self.fences: FenceBook | None = None

    def wire(self, node: NodeContext) -> None:
        """Join the node once; before the devices' tasks start, so that nothing is missed."""
        if self._node is None:
            self._node = node
            settings = node.settings.section("edge", EdgeSettings)
            self.tracks, self.fences = VehicleTracks(node, settings.intake), FenceBook(node)
            self._devices.listen(self.heard)

    def heard(self, device: Device, sample: Sample) -> None:
        """A sample, in the loop: note its fixes, leave the rest to the task."""
        if self._node is None or not sample.fixes or not is_vehicle(device):
            return
        now = self._node.clock.now()
        for fix in sample.fixes:
            self._note(device.id, sample.part, fix, now)

    def _note(self, device: str, part: str, fix: Fix, now: int) -> None:
        vehicle = vehicle_id(device, part)
        good = fix.state == "valid" and fix.lon_e7 is not None and fix.lat_e7 is not None
        before = self.seen.get(vehicle)
        older = before is not None and (fix.made_at or now) < (before.fix.made_at or before.came_at)
        if not older:
            valid = fix if good else before.valid if before is not None else None
            self.seen[vehicle] = Seen(device, part, fix, now, valid)
        if good and fix.lon_e7 is not None and fix.lat_e7 is not None:
            self.lost += len(self._pending) == PENDING_MOST
            self._pending.append(_Heard(device, part, fix.made_at or now, Point(fix.lon_e7, fix.lat_e7)))

    async def run(self, node: NodeContext) -> None:
        """The task: fences first, then tracks; what cannot be written now is tried again."""
        self.wire(node)
        self._standings = await asyncio.to_thread(read_standings, node)
        sealed_at = node.clock.monotonic()
        while True:
            await asyncio.sleep(TICK)
            await self.take_up(node)
            if node.clock.monotonic() - sealed_at >= SEAL_EVERY:
                sealed_at = node.clock.monotonic()
                await self._try(self._tracks().seal)
                await self.judge()

    async def judge(self) -> None:
        """Fences' alarms as they must stand: also after a fence was changed or taken away, and after a restart."""
        await self._judge({vehicle for _, vehicle in self._standings}, await asyncio.to_thread(self._fences().all))

    async def _judge(self, vehicles: Iterable[str], fences: Sequence[Fence]) -> None:
        for vehicle in sorted(vehicles):
            device, _, part = vehicle.partition(":")
            judged = [judged_of(one, self._standings.get((one.id, vehicle), Standing()))
                      for one in fences if one.alarm != "none" and one.is_about(vehicle)]  # fmt: skip
            await self._devices.judge(device, part, FENCE, judged)

    async def take_up(self, node: NodeContext) -> None:
        """Everything that was heard until now."""
        heard = [self._pending.popleft() for _ in range(len(self._pending))]
        if not heard:
            return
        fences = await asyncio.to_thread(self._fences().all)
        await self._cross(node, heard, fences)
        now = node.clock.now()
        rows = [row for one in heard if (row := self._row(one, now)) is not None]
        if not await self._try(lambda: self._tracks().keep(rows)):
            self.lost += len(rows)

    async def _cross(self, node: NodeContext, heard: Sequence[_Heard], fences: Sequence[Fence]) -> None:
        before = dict(self._standings)
        drafts = [draft for one in heard for draft in self._crossings(node.code, one, fences)]
        if not drafts:
            return
        try:
            await node.journal.append_async(*drafts)
            await self._judge({str(one.actor) for one in drafts}, fences)
        except WanmiError as error:
            # the next fix judges anew
            self._standings = before
            structlog.get_logger("wanmi.vehicles").error("crossing_not_written", why=str(error))

    def _crossings(self, edge: str, heard: _Heard, fences: Sequence[Fence]) -> list[Draft]:
        vehicle = vehicle_id(heard.device, heard.part)
        if heard.at <= self._newest.get(vehicle, 0):
            return []  # a kept position of earlier: it belongs to the track only
        self._newest[vehicle] = heard.at
        drafts: list[Draft] = []
        for fence in fences:
            if not fence.is_about(vehicle):
                continue
            key = (fence.id, vehicle)
            standing, crossing = step(
                self._standings.get(key, Standing()), fence.shape.beyond_m(heard.point), fence.margin_m, fence.dwell_s,
                heard.at, heard.point,
            )  # fmt: skip
            self._standings[key] = standing
            if crossing is not None:
                way, since, first = crossing
                body = FenceCrossed(fence.id, heard.device, heard.part, way, since, first.lon_e7, first.lat_e7)
                drafts.append(Draft("fence.crossed", fence_subject(edge, fence.id), body, actor=vehicle))
        return drafts

    def _row(self, heard: _Heard, now: int) -> FixRow | None:
        vehicle = vehicle_id(heard.device, heard.part)
        at, point = self._kept.get(vehicle, (0, heard.point))
        if abs(heard.at - at) < APART_US and distance_m(point, heard.point) < APART_M:
            return None
        self._kept[vehicle] = (heard.at, heard.point)
        return (heard.device, heard.part, heard.at, heard.point.lon_e7, heard.point.lat_e7, now)

    async def _try(self, work: Callable[[], None]) -> bool:
        try:
            await asyncio.to_thread(work)
        except WanmiError as error:
            structlog.get_logger("wanmi.vehicles").error("track_not_written", why=str(error))
            return False
        return True

    def _tracks(self) -> VehicleTracks:
        if self.tracks is None:
            raise LinkError("the vehicles are not wired to their node yet")
        return self.tracks

    def _fences(self) -> FenceBook:
        if self.fences is None:
            raise LinkError("the vehicles are not wired to their node yet")
        return self.fences


def judged_of(fence: Fence, standing: Standing) -> Judged:
    """The rule of a fence that raises alarms, and how a vehicle stands to it."""
    zh, en, wrong = ("进入", "Entered", "inside") if fence.alarm == "enter" else ("离开", "Left", "left")
    rule = AlarmRule(
        f"{FENCE}{fence.alarm}.{fence.id}", f"{FENCE}{fence.id}", fence.severity, f"{zh}围栏 {fence.name}",
        f"{en} fence {fence.name}", is_one_of=(wrong,),
    )  # fmt: skip
    return Judged(rule, Reading(rule.reading, standing.word), standing.crossed_at)


def is_vehicle(device: Device) -> bool:
    """Whether a device's fixes are a vehicle's: a gateway of vehicles, a track source, or a receiver that rides in one."""
    return device.kind in ("vehicles", "tracks") or (device.kind == "gnss" and bool(device.settings.get("vehicle")))


def name_of(device: Device, part: str) -> str:
    """What people call it: the receiver's vehicle, the gateway's terminal, or the device."""
    return device.settings.get("vehicle") or part or device.name


def read_standings(node: NodeContext) -> dict[tuple[str, str], Standing]:
    """How vehicles stand to fences, by their newest crossings."""
    row = table(FenceCrossingRow)
    crossed = (row.c.fence, row.c.device, row.c.part, row.c.way, row.c.since)
    query = select(*crossed).where(row.c.edge == node.code).order_by(row.c.seq)
    with node.store.reader() as tx:
        found = tx.execute(query).all()
    return {
        (fence, vehicle_id(device, part)): Standing(way == "enter", crossed_at=since)
        for fence, device, part, way, since in found
    }
