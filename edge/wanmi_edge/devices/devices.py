"""All devices of one edge: a task each, their samples kept, their alarms written; changed settings taken up at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import structlog
from sqlalchemy.exc import DBAPIError

from wanmi.devices import Driver, Found, Identity, Pace, Place, Sample
from wanmi.errors import BadInput, DeviceUnreachable, LinkError, StoreError, WanmiError
from wanmi.registry import Draft, NodeContext, Stored
from wanmi_edge.devices.alarm_watch import AlarmWatch, Judged
from wanmi_edge.devices.board import Board, Post
from wanmi_edge.devices.book import Device, DeviceBook, parse_settings
from wanmi_edge.devices.keeping import SampleKeeper
from wanmi_edge.devices.settings import DevicesSettings
from wanmi_edge.devices.talking import Talk, try_device

AGE_EVERY = 600.0
TICK = 0.5
WAITING_MOST = 500
"""Entries of one device that wait for room on the disk; beyond them it is judged anew when there is some."""
NOTED = ("alarm.acknowledged",)
Listener = Callable[[Device, Sample], None]


class Devices:
    """What the devices' tasks share. One for each registry, so one for each node."""

    def __init__(self) -> None:
        self.board = Board()
        self.keeper: SampleKeeper | None = None
        self.book: DeviceBook | None = None
        self._node: NodeContext | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: dict[str, tuple[Device, Talk, asyncio.Task[None], _Hearing]] = {}
        self._shared: dict[str, object] = {}
        self._listeners: list[Listener] = []
        self._lock = threading.Lock()

    # -- tasks --------------------------------------------------------------------------------------------

    async def run(self, node: NodeContext) -> None:
        """Keep one task for each device that is set and on; end them all when this one is cancelled."""
        settings = self.wire(node)
        self._loop = asyncio.get_running_loop()
        try:
            while True:
                self._take_up(node, settings)
                await asyncio.sleep(TICK)
        finally:
            await self._end([task for _, _, task, _ in self._running.values()])
            self._running.clear()
            self._shared.clear()
            self._loop = None

    async def run_keeping(self, node: NodeContext) -> None:
        """Bring samples to the disk, and let them age."""
        settings = self.wire(node)
        keeper, aged = self._keeper(), 0.0
        try:
            while True:
                await asyncio.sleep(settings.flush_every)
                with suppress(StoreError, DBAPIError):  # a full disk is told by the edge's own watch; samples wait
                    await asyncio.to_thread(keeper.flush)
                if node.clock.monotonic() - aged > AGE_EVERY:
                    aged = node.clock.monotonic()
                    await asyncio.to_thread(keeper.age)
        finally:
            keeper.flush()

    def note(self, node: NodeContext, batch: Sequence[Stored]) -> list[tuple[Stored, Draft]]:
        """Reactor: an acknowledgement, from this node or its parent, ends a latched alarm that is over."""
        drafts: list[tuple[Stored, Draft]] = []
        for stored in batch:
            body = stored.entry.body if stored.entry is not None else {}
            running = self._running.get(str(body.get("device")))
            if body.get("edge") == node.code and running is not None:
                made = running[3].watch.acknowledged(str(body["rule"]), int(body["occurrence"]))
                drafts += [(stored, draft) for draft in made]
        return drafts

    # -- what others ask ----------------------------------------------------------------------------------

    def wire(self, node: NodeContext) -> DevicesSettings:
        """Join the node once."""
        settings: DevicesSettings = node.settings.section("edge").devices
        with self._lock:
            if self._node is None:
                self._node, self.book = node, DeviceBook(node)
                self.keeper = SampleKeeper(node, settings)
        return settings

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop in which the devices' tasks run; None while they do not."""
        return self._loop

    def listen(self, listener: Listener) -> None:
        """Be told of every sample, in the loop, after it is on the board; must be short and raise nothing."""
        self._listeners.append(listener)

    async def judge(self, device: str, part: str, family: str, judged: Sequence[Judged]) -> None:
        """Bring alarms forward whose rules begin with ``family`` and are not the driver's; in the loop."""
        running = self._running.get(device)
        if running is not None:
            await running[3].judged(part, family, judged)

    def talk_of(self, device: str) -> Talk:
        """The conversation with a device; DeviceUnreachable when it is switched off."""
        if device not in self._running:
            raise DeviceUnreachable(f"device {device} is switched off, or the node has just started")
        return self._running[device][1]

    def place(self, node: NodeContext, name: str) -> Place:
        """Where a driver works."""
        folder: Path = node.dir / "devices" / name
        return Place(node.clock, folder, self._share)

    async def try_settings(
        self, node: NodeContext, driver: Driver, settings: Mapping[str, str]
    ) -> tuple[Identity, Sample]:
        """The connection test of settings that need not be set."""
        return await try_device(self.place(node, "test"), driver, parse_settings(driver, settings))

    async def discover(self, node: NodeContext, driver: Driver, where: str) -> list[Found]:
        """Devices that the driver finds there; BadInput when it has no way to look."""
        if driver.discover is None:
            raise BadInput(f"driver {driver.name} cannot look for devices; add one by its settings")
        return [found async for found in driver.discover(self.place(node, "discovery"), where)]

    # -- parts --------------------------------------------------------------------------------------------

    def _share(self, key: str, make: Callable[[], object]) -> object:
        if key not in self._shared:
            self._shared[key] = make()
        return self._shared[key]

    def _keeper(self) -> SampleKeeper:
        if self.keeper is None:
            raise LinkError("the devices are not wired to their node yet")
        return self.keeper

    def _take_up(self, node: NodeContext, settings: DevicesSettings) -> None:
        """Start, stop and start again what was set otherwise since the last look."""
        if self.book is None:
            return
        wanted = {one.id: one for one in self.book.all() if one.enabled}
        for id, (device, _, task, _) in list(self._running.items()):
            if wanted.get(id) != device:
                task.cancel()
                self._running.pop(id)
                self.board.close(id)
        for id in wanted.keys() - self._running.keys():
            self._start(node, wanted[id], settings)

    def _start(self, node: NodeContext, device: Device, settings: DevicesSettings) -> None:
        log = structlog.get_logger("wanmi.devices")
        try:
            if self.book is None:
                return
            driver, given = self.book.driver(device.driver), self.book.open_settings(device)
        except WanmiError as error:
            log.warning("device_cannot_be_opened", device=device.id, why=str(error))
            return
        post = self.board.open(device.id, driver)
        place = (device.lon_e7, device.lat_e7) if device.lon_e7 is not None and device.lat_e7 is not None else None
        watch = AlarmWatch(node, device.id, driver, settings.health_after, place)
        gone = watch.left(driver.parts(given), node.clock.now()) if driver.parts is not None else []
        hearing = _Hearing(node, self, device, post, watch, gone)
        pace = Pace(settings.retry_first, settings.retry_longest)
        talk = Talk(node, self.place(node, device.id), post, given, hearing, pace)
        task = asyncio.create_task(talk.run(), name=f"device {device.id}")
        self._running[device.id] = (device, talk, task, hearing)

    async def _end(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)

    def tell(self, device: Device, sample: Sample, at: int) -> None:
        """A sample to the disk and to the listeners."""
        self._keeper().take(device.id, sample, at)
        for listener in self._listeners:
            listener(device, sample)


class _Hearing:
    """What happens with one device's samples: kept, watched, told; entries are durable before the next one is taken."""

    def __init__(
        self, node: NodeContext, devices: Devices, device: Device, post: Post, watch: AlarmWatch, owed: list[Draft]
    ) -> None:
        self._node = node
        self._devices = devices
        self._device = device
        self._post = post
        self.watch = watch
        self._writing = asyncio.Lock()
        self._waiting = owed

    async def heard(self, sample: Sample) -> None:
        now = self._node.clock.now()
        self._devices.tell(self._device, sample, now)
        readings = {one.name: one for one in sample.readings}
        await self._write(self.watch.sampled(readings, now, sample.part, sample.fixes))
        await self.looked()

    async def looked(self) -> None:
        now = self._node.clock.now()
        await self._write(self.watch.found(self._post.health(now), now))

    async def judged(self, part: str, family: str, judged: Sequence[Judged]) -> None:
        await self._write(self.watch.judged(part, family, judged, self._node.clock.now()))

    async def _write(self, drafts: Sequence[Draft]) -> None:
        """Entries that cannot be written (a full disk) wait in memory, in order, and are written once there is room."""
        async with self._writing:
            waiting = [*self._waiting, *drafts]
            if not waiting:
                return
            self._waiting = []
            try:
                await self._node.journal.append_async(*waiting)
            except (WanmiError, DBAPIError) as error:
                if isinstance(error, StoreError | DBAPIError) and len(waiting) <= WAITING_MOST:
                    self._waiting = waiting
                else:
                    self.watch.read_again()  # what stands is judged anew and comes again
                if drafts:
                    log = structlog.get_logger("wanmi.devices")
                    log.error("alarm_not_written", device=self._device.id, waiting=len(waiting), why=str(error))
