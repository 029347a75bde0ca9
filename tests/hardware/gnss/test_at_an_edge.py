"""A receiver at a running edge: unplugged, plugged in again, its alarm, its time; a drive that the edge seals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

import pytest

from hardware.gnss.saying import epoch
from hardware.gnss.test_serial import Cable
from wanmi.clock import SystemClock
from wanmi.hookspecs import hookimpl
from wanmi.node import Node
from wanmi.plugins import Plugin
from wanmi.registry import Registry
from wanmi.testing import small_node
from wanmi_edge.devices.book import DeviceBook, Wanted
from wanmi_edge.devices.devices import Devices
from wanmi_edge.devices.parts import add_devices
from wanmi_edge.settings import EdgeSettings
from wanmi_edge.vehicles.timekeeping import TimeKeeper
from wanmi_hardware.gnss.serial_driver import GNSS_SERIAL

LON, LAT = 1_234_293_041, 417_967_700


class Edge:
    def __init__(self, node: Node, devices: Devices, cable: Cable) -> None:
        self.node, self.devices, self.cable = node, devices, cable
        self.keeper = TimeKeeper(devices)
        devices.wire(node)
        self.keeper.wire(node)

    def state(self, id: str) -> str:
        post = self.devices.board.get(id)
        return post.health(self.node.clock.now()).state if post is not None else ""

    def kinds(self) -> list[str]:
        return [one.entry.kind for one in self.node.journal.read(self.node.code, 0) if one.entry is not None]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(run(self.node)) for run in (self.devices.run, self.keeper.run)]
        tasks.append(asyncio.create_task(self.speak()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def speak(self) -> None:
        """An epoch every 100 ms while the cable is in."""
        while True:
            if self.cable.name.exists():
                await self.cable.say(epoch(SystemClock().now(), LON, LAT))
            await asyncio.sleep(0.1)


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    devices = Devices()

    @hookimpl
    def register(to: Registry) -> None:
        to.section("edge", EdgeSettings)
        to.driver(GNSS_SERIAL)
        add_devices(to, devices)

    module = ModuleType("wanmi_edge_devices")
    module.register = register  # type: ignore[attr-defined]
    node = small_node(
        tmp_path / "edge", role="edge", code="21010201", plugins=[Plugin("edge_devices", "0", module)],
        sections={"edge.devices": {"retry_first": 0.1, "retry_longest": 0.2}}, clock=SystemClock(),
    )  # fmt: skip
    try:
        yield Edge(node, devices, Cable(tmp_path))
    finally:
        node.close()


async def until(true: Callable[[], object]) -> None:
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to pass")


def test_a_receiver_may_be_pulled_and_put_in_again(edge: Edge) -> None:
    async def play() -> None:
        edge.cable.plug()
        settings = {"path": str(edge.cable.name), "baud": "115200", "every": "0.05"}
        id = DeviceBook(edge.node).add(Wanted("gnss-serial", "roof", settings), None).id
        async with edge.running():
            await until(lambda: edge.state(id) == "fine")
            await until(lambda: "clock.offset" in edge.kinds())
            edge.cable.unplug()
            await until(lambda: edge.state(id) == "unreachable")
            post = edge.devices.board.get(id)
            assert post is not None
            assert "is it plugged in" in post.contact.reason
            edge.cable.plug()
            await until(lambda: edge.state(id) == "fine")
            fix = post.parts[""].fix
            assert fix is not None
            assert (fix.state, fix.systems) == ("valid", ("BD", "GP"))

    asyncio.run(play())
    assert edge.kinds().count("clock.offset") == 1, "not each second"
