"""Scenes on a real edge with a UPS that speaks lines and displays that are emulated byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from edge.devices.line_device import LinePeer, lines_plugin
from edge.devices.test_devices import until
from wanmi.clock import SECOND, SystemClock
from wanmi.errors import BadInput, NotFound
from wanmi.hookspecs import hookimpl
from wanmi.node import Node
from wanmi.plugins import Plugin
from wanmi.registry import Registry
from wanmi.testing import react, replay_differences, small_node
from wanmi_edge.devices.book import DeviceBook, Wanted
from wanmi_edge.devices.devices import Devices
from wanmi_edge.devices.parts import add_devices
from wanmi_edge.scenes import stage as stage_module
from wanmi_edge.scenes.book import Place, SceneBook
from wanmi_edge.scenes.parts import add_scenes
from wanmi_edge.scenes.rows import SceneSet, Trigger
from wanmi_edge.scenes.stage import Stage
from wanmi_edge.scenes.views import HeldView, view_held
from wanmi_edge.settings import EdgeSettings
from wanmi_hardware.pjlink import PJLINK
from wanmi_hardware.pjlink.emulator import PjlinkEmulator, Projector
from wanmi_hardware.samsung_mdc import MDC
from wanmi_hardware.samsung_mdc.emulator import MdcEmulator, Panel

POINT = (1_234_330_000, 417_900_000)


class Moved(SystemClock):
    """The time, moved by the test."""

    ahead = 0

    def now(self) -> int:
        return super().now() + self.ahead


class Hall:
    """An edge with devices and scenes, a UPS, a projector that warms up as the test says, a panel."""

    def __init__(self, node: Node, devices: Devices, stage: Stage, clock: Moved) -> None:
        self.node, self.devices, self.stage, self.clock = node, devices, stage, clock
        self.seconds = 0.0
        self.ups = LinePeer()
        self.projector = Projector(now=lambda: self.seconds, input="11")
        self.beamer = PjlinkEmulator(self.projector)
        self.screen = MdcEmulator(Panel(id=0, powered=True))
        self.book = SceneBook(node)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        for one in (self.ups, self.beamer, self.screen):
            await one.start()
        book = DeviceBook(self.node)
        book.add(Wanted("lines", "UPS 泵站", {"port": str(self.ups.port)}, True, *POINT), None)
        book.add(Wanted("pjlink", "beamer", {"host": "127.0.0.1", "port": str(self.beamer.port)}), None)
        book.add(Wanted("samsung-mdc", "screen", {"host": "127.0.0.1", "port": str(self.screen.port)}), None)
        tasks = [
            asyncio.create_task(run(self.node)) for run in (self.devices.run, self.devices.run_keeping, self.stage.run)
        ]
        tasks.append(asyncio.create_task(self._react()))
        try:
            await until(lambda: all(self.health(d) == "fine" for d in ("D0001", "D0002", "D0003")))
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            for one in (self.ups, self.beamer, self.screen):
                await one.stop()

    async def _react(self) -> None:
        while True:
            await asyncio.to_thread(react, self.node)
            await asyncio.sleep(0.02)

    def health(self, device: str) -> str:
        post = self.devices.board.get(device)
        return post.health(self.node.clock.now()).state if post is not None else ""

    def held(self, display: str) -> HeldView:
        return next(
            (one for one in view_held(self.node, self.stage) if one.display == display),
            HeldView(display, "", "", "", "", "", ""),
        )

    def kinds(self) -> list[str]:
        return [one.entry.kind for one in self.node.journal.read(self.node.code, 0) if one.entry is not None]


class HallPlugin:
    """The edge's devices and scenes, polled quickly."""

    def __init__(self) -> None:
        self.devices = Devices()
        self.stages: list[Stage] = []

    def plugin(self) -> Plugin:
        @hookimpl
        def register(to: Registry) -> None:
            to.section("edge", EdgeSettings)
            to.driver(replace(PJLINK, every=0.05))
            to.driver(replace(MDC, every=0.05))
            add_devices(to, self.devices)
            self.stages.append(add_scenes(to, self.devices))

        module = ModuleType("wanmi_edge_scenes")
        module.register = register  # type: ignore[attr-defined]
        return Plugin("edge_scenes", "0", module)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_module, "TICK", 0.02)
    monkeypatch.setattr(stage_module, "RETRY", 0.05)


@pytest.fixture
def hall(tmp_path: Path, quick: None) -> Iterator[Hall]:
    made, clock = HallPlugin(), Moved()
    node = small_node(
        tmp_path / "edge", role="edge", code="21010201", plugins=[lines_plugin(), made.plugin()],
        sections={"edge": {}, "edge.devices": {"retry_longest": 1, "flush_every": 1}}, clock=clock,
    )  # fmt: skip
    try:
        yield Hall(node, made.devices, made.stages[-1], clock)
    finally:
        node.close()


def scene(name: str, trigger: Trigger, displays: list[str], **more: Any) -> SceneSet:
    given = {
        "zh": name,
        "en": name,
        "enabled": True,
        "priority": 50,
        "power_on": True,
        "input": "",
        "page": "",
        "minutes": 0,
    }
    return SceneSet(scene=name, trigger=trigger, displays=displays, **{**given, **more})


def test_an_alarm_takes_a_cold_projector_to_its_page_when_it_is_warm_and_back(hall: Hall) -> None:
    async def play() -> None:
        async with hall.open():
            alarm = Trigger("alarm", rules=["load.*"])
            hall.book.keep(scene("flood", alarm, ["D0002"], input="DIGITAL-2"), None)
            hall.book.keep(scene("map", alarm, ["D0003"], page="https://n/map?lon={lon}&lat={lat}&why={rule}"), None)
            hall.ups.says = "85 mains"
            await until(lambda: hall.held("D0003").state == "shown")
            assert hall.screen.panel.url == "https://n/map?lon=123.4330000&lat=41.7900000&why=load.high"
            assert hall.screen.panel.input == 0x63
            await until(lambda: hall.projector.power == "3")
            await until(lambda: hall.held("D0002").reason == "it is warming up")
            assert (hall.held("D0002").scene, hall.projector.input) == ("flood", "11")
            assert hall.held("D0002").state == "waiting"
            hall.seconds = 30
            await until(lambda: hall.held("D0002").state == "shown")
            assert hall.projector.input == "32"
            assert "UPS 泵站" in hall.held("D0002").reason
            hall.ups.says = "20 mains"
            await until(lambda: hall.projector.power == "2" and hall.held("D0003").state == "back")
            assert hall.screen.panel.input == 0x21, "the panel is back at its input"
            hall.seconds = 100
            await until(lambda: hall.held("D0002").state == "back")
            assert hall.projector.power == "0", "it was off before"

    asyncio.run(play())
    kinds = hall.kinds()
    assert kinds.count("scene.called") == kinds.count("scene.ended") == 2
    assert kinds.count("scene.shown") == 4
    assert replay_differences(hall.node) == []


def test_priorities_time_and_events(hall: Hall) -> None:
    async def play() -> None:
        async with hall.open():
            hall.book.keep(
                scene("low", Trigger("power", states=["battery"]), ["D0003"], page="https://n/power/{state}"), None
            )
            pressed = Trigger("event", events=["case.pressed"])
            hall.book.keep(
                scene("press", pressed, ["D0003"], priority=90, page="https://n/case/{ref}", minutes=5), None
            )
            hall.ups.says = "20 battery"
            await until(lambda: hall.screen.panel.url == "https://n/power/battery")
            calls = hall.book.tell_event("case.pressed", "", Place(ref="210102-E1"), None)
            assert [one.page for one in calls] == ["https://n/case/210102-E1"]
            await until(lambda: hall.screen.panel.url == "https://n/case/210102-E1")
            hall.clock.ahead += 6 * 60 * SECOND
            await until(lambda: hall.screen.panel.url == "https://n/power/battery")
            hall.book.call("press", "the mayor looks", Place(ref="7"), 0, None)
            await until(lambda: hall.screen.panel.url == "https://n/case/7")
            assert hall.book.end("press", None) == 1
            await until(lambda: hall.screen.panel.url == "https://n/power/battery")
            hall.book.remove("low", "enough", None)
            await until(lambda: hall.held("D0003").state == "back")
            assert hall.screen.panel.input == 0x21
            assert hall.book.calls() == []

    asyncio.run(play())
    assert replay_differences(hall.node) == []


def test_a_scene_may_wait_for_the_end_of_an_alarm(hall: Hall) -> None:
    async def play() -> None:
        async with hall.open():
            cleared = Trigger("alarm", rules=["load.*"], states=["cleared"])
            hall.book.keep(scene("calm", cleared, ["D0003"], page="https://n/{state}/{lon}", minutes=5), None)
            hall.ups.says = "85 mains"
            await until(lambda: "alarm.raised" in hall.kinds())
            hall.ups.says = "20 mains"
            await until(lambda: hall.screen.panel.url == "https://n/cleared/123.4330000")
            hall.clock.ahead += 6 * 60 * SECOND
            await until(lambda: hall.screen.panel.input == 0x21)

    asyncio.run(play())
    assert replay_differences(hall.node) == []


def test_a_display_that_is_away_gets_its_page_when_it_is_there_again(hall: Hall) -> None:
    async def play() -> None:
        async with hall.open():
            port = hall.screen.port
            await hall.screen.stop()
            await until(lambda: hall.health("D0003") == "unreachable")
            hall.book.keep(scene("map", Trigger("hand"), ["D0003"], page="https://n/map"), None)
            hall.book.call("map", "", Place(), None, None)
            await until(lambda: hall.held("D0003").state == "waiting" and "MDC over RJ45" in hall.held("D0003").reason)
            await hall.screen.start(port=port)
            await until(lambda: hall.held("D0003").state == "shown")

    asyncio.run(play())


def test_a_slow_display_delays_no_other(hall: Hall) -> None:
    async def play() -> None:
        async with hall.open():
            hall.book.keep(scene("all", Trigger("hand"), ["D0002", "D0003"], input="DIGITAL-2", power_on=False), None)
            hall.book.keep(scene("map", Trigger("hand"), ["D0003"], page="https://n/map", priority=60), None)
            hall.projector._lit = True
            await until(lambda: hall.stage._said("D0002", "power") == "on")
            hall.beamer.slow = 4.0
            hall.book.call("all", "", Place(), None, None)
            await until(lambda: "D0002" in hall.stage._under_way)
            hall.book.call("map", "", Place(), None, None)
            began = asyncio.get_running_loop().time()
            await until(lambda: hall.held("D0003").scene == "map" and hall.held("D0003").state == "shown")
            assert asyncio.get_running_loop().time() - began < 3.0
            assert "D0002" in hall.stage._under_way, "it is still being told"
            hall.beamer.slow = 0.0

    asyncio.run(play())


def test_what_cannot_be_shown_is_told(hall: Hall) -> None:
    async def play() -> None:
        async with hall.open():
            with pytest.raises(BadInput, match="D0001 are no displays"):
                hall.book.keep(scene("x", Trigger("hand"), ["D0001"]), None)
            with pytest.raises(NotFound, match="no scene 'y'"):
                hall.book.call("y", "", Place(), None, None)
            hall.projector._lit = True
            hall.book.keep(scene("x", Trigger("hand"), ["D0002"], input="VIDEO-9"), None)
            hall.book.call("x", "", Place(), None, None)
            await until(lambda: hall.held("D0002").state == "failed")
            assert "it has RGB-1" in hall.held("D0002").reason

    asyncio.run(play())
