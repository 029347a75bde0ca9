"""The driver ``wall-mqtt``: a wall agent at this edge's broker, as a display."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from pydantic import Field

from wanmi.devices import (
    Command,
    DeviceSettings,
    Driver,
    Found,
    Identity,
    Place,
    Quantity,
    Sample,
)
from wanmi.devices import displays as of
from wanmi.devices.walls import BEAT_SECONDS, WallOrder, WallStatus
from wanmi.errors import BadInput, DeviceRefused, DeviceUnreachable
from wanmi.ids import Ids, SystemIds
from wanmi_edge.walls.desk import WallDesk

NAME = "wall-mqtt"
ANNOUNCE_SECONDS = 2.0
BROWSER = Quantity(
    "display.browser", "", "浏览器", "browser", words={"running": ("运行中", "running"), "ended": ("已退出", "ended")}
)


class WallMqttSettings(DeviceSettings):
    """Which wall."""

    wall: str = Field(min_length=6)
    """Its name at the broker, as `wanmi walls admit` gave it."""


class WallSession:
    """A wall that has announced itself."""

    def __init__(self, desk: WallDesk, wall: str, ids: Ids) -> None:
        self._desk = desk
        self._wall = wall
        self._ids = ids
        self._heard: asyncio.Queue[WallStatus] = asyncio.Queue()
        self._asked: dict[str, asyncio.Future[WallStatus]] = {}
        self._newest: WallStatus | None = None
        self._first = asyncio.Event()

    def ear(self, status: WallStatus) -> None:
        """A status came."""
        self._newest = status
        self._first.set()
        self._heard.put_nowait(status)
        asked = self._asked.pop(status.order, None)
        if asked is not None and not asked.done():
            asked.set_result(status)

    async def announced(self, seconds: float) -> None:
        """Wait for the first status; DeviceUnreachable when none comes or it says that the wall is gone."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._first.wait(), seconds)
        await self._present()

    async def identify(self) -> Identity:
        """The agent and its version."""
        status = await self._present()
        return Identity("Wanmi", "wall", self._wall, status.version)

    async def samples(self) -> AsyncIterator[Sample]:
        """Whenever it says how it is: on a change, and every half minute."""
        while True:
            status = await self._heard.get()
            if status.state == "gone":
                raise DeviceUnreachable(_gone(status))
            yield _sample(status)

    async def command(self, name: str, args: Mapping[str, str]) -> str:
        """Order it, and wait for its answer."""
        status = await self._present()
        if name not in status.orders:
            raise DeviceRefused(f"{self._wall} does not do {name} (it does {', '.join(status.orders)})")
        if name not in ("show", "on", "off", "reload"):
            raise BadInput(f"a wall knows no command {name!r}")
        order = WallOrder(self._ids.token(9).hex(), name, args.get("url", ""))  # type: ignore[arg-type]
        asked = self._asked[order.id] = asyncio.get_running_loop().create_future()
        try:
            self._desk.order(self._wall, order)
            answer = await asked
        finally:
            self._asked.pop(order.id, None)
        if not answer.done:
            raise DeviceRefused(f"{self._wall} refuses: {answer.reason}")
        return f"{name}: done"

    async def _present(self) -> WallStatus:
        status = self._newest
        if status is not None and status.state == "gone":
            raise DeviceUnreachable(_gone(status))
        if status is None:
            raise DeviceUnreachable(f"{self._wall} has not announced itself: does `wanmi wall run` run on its PC?")
        return status


def _gone(status: WallStatus) -> str:
    return f"{status.wall} is gone: {status.reason or 'its agent or its PC ended'}"


def _sample(status: WallStatus) -> Sample:
    """A wall is a PC: what its screen does is known only where a program switches it."""
    return Sample(
        (
            of.POWER.read(None if status.power == "unknown" else status.power, status.power),
            of.PAGE.read(status.page, status.page),
            BROWSER.read(status.browser, status.browser),
        ),
        identity=Identity("Wanmi", "wall", status.wall, status.version),
    )


@asynccontextmanager
async def _connect(desk: WallDesk, _place: Place, settings: DeviceSettings) -> AsyncIterator[WallSession]:
    assert isinstance(settings, WallMqttSettings)  # noqa: S101 - the driver's own settings class
    wall = settings.wall
    if not desk.connected:
        raise DeviceUnreachable("the edge's broker cannot be reached now")
    session = WallSession(desk, wall, SystemIds())
    leave = desk.listen(wall, session.ear)
    try:
        await session.announced(ANNOUNCE_SECONDS)
        yield session
    finally:
        leave()


async def _discover(desk: WallDesk, _place: Place, _where: str) -> AsyncIterator[Found]:
    """Walls that have announced themselves at this edge's broker."""
    for wall, status in sorted(desk.fresh().items()):
        if status.state == "up":
            identity = Identity("Wanmi", "wall", wall, status.version)
            yield Found(
                NAME, wall, {"wall": wall}, identity, f"it announced itself, showing {status.page or 'nothing'}"
            )


def wall_driver(desk: WallDesk) -> Driver:
    """The driver, at this edge's desk."""
    return Driver(
        NAME, "display", "显示墙（MQTT）", "wall (MQTT)", WallMqttSettings,
        quantities=(of.POWER, of.PAGE, BROWSER), connect=partial(_connect, desk),
        commands=(of.ON, of.OFF, of.SHOW, Command("reload", "重新加载", "load the page again", {})),
        every=0.0, deadline=12.0, stale_after=3.0 * BEAT_SECONDS, discover=partial(_discover, desk),
    )  # fmt: skip
