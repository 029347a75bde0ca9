"""An edge's devices on real sockets: their tasks, alarms, power, secrets, samples."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from edge.devices.line_device import LINES, LinePeer, lines_plugin
from wanmi.clock import SystemClock
from wanmi.device_kinds import AlarmAcknowledged, alarm_subject
from wanmi.errors import BadInput, Conflict, DeviceRefused, DeviceUnreachable, NotFound
from wanmi.hookspecs import hookimpl
from wanmi.journal.device_rows import AlarmRow, DeviceRow
from wanmi.models import table
from wanmi.node import Node
from wanmi.plugins import Plugin
from wanmi.query.alarms import Alarm, list_alarms, list_devices
from wanmi.registry import Draft, Registry
from wanmi.testing import react, reopen, replay_differences, small_node
from wanmi_edge.devices.book import Device, DeviceBook, Wanted
from wanmi_edge.devices.devices import Devices
from wanmi_edge.devices.parts import add_devices
from wanmi_edge.devices.rows import DeviceSampleRow, DeviceSecretRow
from wanmi_edge.settings import EdgeSettings


class Bench:
    """An edge with the devices' part only."""

    def __init__(self, node: Node, devices: Devices) -> None:
        self.node, self.devices = node, devices

    @property
    def book(self) -> DeviceBook:
        self.devices.wire(self.node)
        assert self.devices.book is not None
        return self.devices.book

    def add(self, name: str, peer: LinePeer, **more: str) -> Device:
        return self.book.add(Wanted("lines", name, {"port": str(peer.port), **more}), None)

    def alarms(self, kind: Any = "open") -> list[Alarm]:
        with self.node.store.reader() as tx:
            return list_alarms(tx, kind)

    def kinds(self) -> list[str]:
        return [one.entry.kind for one in self.node.journal.read(self.node.code, 0) if one.entry is not None]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(self.devices.run(self.node)),
            asyncio.create_task(self.devices.run_keeping(self.node)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = make_bench(tmp_path / "edge")
    try:
        yield made
    finally:
        made.node.close()


def make_bench(dir: Path) -> Bench:
    """An edge in ``dir``; close its node."""
    devices = Devices()

    @hookimpl
    def register(to: Registry) -> None:
        to.section("edge", EdgeSettings)
        add_devices(to, devices)

    from types import ModuleType

    module = ModuleType("wanmi_edge_devices")
    module.register = register  # type: ignore[attr-defined]
    quick = {"edge": {}, "edge.devices": {"retry_longest": 1, "flush_every": 1}}
    node = small_node(
        dir, role="edge", code="21010201", plugins=[lines_plugin(), Plugin("edge_devices", "0", module)],
        sections=quick, clock=SystemClock(),
    )  # fmt: skip
    return Bench(node, devices)


async def until(true: Callable[[], object], seconds: float = 8.0) -> None:
    for _ in range(int(seconds / 0.01)):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to pass")


@asynccontextmanager
async def peers(n: int) -> AsyncIterator[list[LinePeer]]:
    made = [LinePeer() for _ in range(n)]
    for peer in made:
        await peer.start()
    try:
        yield made
    finally:
        for peer in made:
            peer.hangs = False
            await peer.stop()


def test_a_dead_device_delays_no_other_and_comes_back(bench: Bench) -> None:
    async def play() -> None:
        async with peers(3) as (fine, slow, dead):
            ids = [bench.add(name, peer).id for name, peer in (("fine", fine), ("slow", slow), ("dead", dead))]
            slow.hangs = True
            await dead.stop()
            async with bench.running():
                await until(lambda: fine.answered > 40)
                health = {id: post.health(bench.node.clock.now()) for id, post in bench.devices.board.posts().items()}
                assert health[ids[0]].state == "fine"
                await until(lambda: state(ids[2]) == "unreachable")
                await until(lambda: state(ids[1]) == "unreachable")
                slow.hangs = False
                await dead.start()
                await until(lambda: state(ids[1]) == "fine" and state(ids[2]) == "fine")

    def state(id: str) -> str:
        post = bench.devices.board.get(id)
        assert post is not None
        return post.health(bench.node.clock.now()).state

    asyncio.run(play())


def test_alarms_and_power_become_entries_once_and_survive_a_restart(bench: Bench) -> None:
    async def play() -> None:
        async with peers(1) as (peer,):
            bench.add("UPS", peer)
            async with bench.running():
                await until(lambda: "power.changed" in bench.kinds())
                peer.says = "85 battery"
                await until(lambda: len(bench.alarms()) == 1)
                peer.says = "75 battery"  # above the way back: it stays
                seen = peer.answered
                await until(lambda: peer.answered > seen + 10)
                assert [(one.rule, one.state, one.value) for one in bench.alarms()] == [("load.high", "standing", "85")]
            async with bench.running():
                seen = peer.answered
                await until(lambda: peer.answered > seen + 5)
                peer.says = "20 mains"
                await until(lambda: not bench.alarms())

    asyncio.run(play())
    kinds = bench.kinds()
    assert kinds.count("alarm.raised") == kinds.count("alarm.cleared") == 1
    assert kinds.count("power.changed") == 3
    with bench.node.store.reader() as tx:
        assert list_devices(tx)[0].power == "mains"
    assert replay_differences(bench.node) == []


def test_the_alarms_of_a_device_that_is_taken_away_end(bench: Bench) -> None:
    async def play() -> None:
        async with peers(1) as (peer,):
            device = bench.add("UPS", peer)
            peer.says = "160 battery"
            async with bench.running():
                await until(lambda: len(bench.alarms()) == 2)
                bench.book.remove(device.id, "broken", None)
                assert bench.alarms() == []

    asyncio.run(play())
    with bench.node.store.reader() as tx:
        assert {one.cleared_by for one in tx.execute(table(AlarmRow).select())} == {"removed"}
    assert replay_differences(bench.node) == []


def test_a_latched_alarm_waits_to_be_acknowledged(bench: Bench) -> None:
    async def play() -> None:
        async with peers(1) as (peer,):
            device = bench.add("UPS", peer)
            async with bench.running():
                peer.says = "160 mains"
                await until(lambda: {one.rule for one in bench.alarms()} == {"load.high", "load.stuck"})
                peer.says = "10 mains"
                await until(lambda: [one.state for one in bench.alarms()] == ["over"])
                body = AlarmAcknowledged("21010201", device.id, "load.stuck", 1, "seen")
                subject = alarm_subject("21010201", device.id, "load.stuck")
                bench.node.journal.append(Draft(kind="alarm.acknowledged", subject=subject, body=body)).result()
                await asyncio.to_thread(react, bench.node)
                assert bench.alarms() == []

    asyncio.run(play())
    assert replay_differences(bench.node) == []


def test_a_refusal_is_told_as_one_and_the_secret_is_never_journaled(bench: Bench) -> None:
    async def play() -> None:
        async with peers(1) as (peer,):
            peer.password = "sesame"
            device = bench.add("door", peer, password="swordfish")
            async with bench.running():
                await until(lambda: (post := bench.devices.board.get(device.id)) and post.contact.fault == "refused")
                changed = bench.book.change(
                    device.id, Wanted("lines", "gate", {"port": str(peer.port), "password": "sesame"}), None
                )
                assert changed.id == device.id
                await until(lambda: (post := bench.devices.board.get(device.id)) and post.samples > 3)
                again = bench.book.change(device.id, Wanted("lines", "gate 2", {"port": str(peer.port)}), None)
                assert again.secrets == ("password",), "what is not given stays"

    asyncio.run(play())
    raw = b"".join(one.raw or b"" for one in bench.node.journal.read("21010201", 0))
    assert b"sesame" not in raw
    assert b"swordfish" not in raw
    with bench.node.store.reader() as tx:
        assert b"sesame" not in b"".join(bytes(one.sealed) for one in tx.execute(table(DeviceSecretRow).select()))


def test_numbers_stay_with_their_devices(bench: Bench) -> None:
    first = bench.book.add(Wanted("lines", "one", {"port": "1"}), None)
    with pytest.raises(Conflict, match="D0001 has the name"):
        bench.book.add(Wanted("lines", "one", {"port": "2"}), None)
    bench.book.remove("one", "broken", None)
    second = bench.book.add(Wanted("lines", "one", {"port": "2"}), None)
    assert (first.id, second.id) == ("D0001", "D0002")
    with pytest.raises(NotFound, match="no device 'D0001'"):
        bench.book.get("D0001")
    with pytest.raises(BadInput, match="port: must be given"):
        bench.book.add(Wanted("lines", "two", {}), None)
    with pytest.raises(BadInput, match="speed: no such setting"):
        bench.book.add(Wanted("lines", "two", {"port": "1", "speed": "9"}), None)
    with pytest.raises(NotFound, match="no driver 'radio'; there are lines"):
        bench.book.add(Wanted("radio", "two", {}), None)
    with bench.node.store.reader() as tx:
        assert [one.state for one in tx.execute(table(DeviceRow).select())] == ["removed", "kept"]


def test_the_connection_test_says_what_is_wrong(bench: Bench) -> None:
    async def play() -> None:
        async with peers(1) as (peer,):
            peer.password = "sesame"
            bench.devices.wire(bench.node)
            good = {"port": str(peer.port), "password": "sesame"}
            identity, sample = await bench.devices.try_settings(bench.node, LINES, good)
            assert identity.model == "model 1"
            assert [one.value for one in sample.readings] == [20.0, "mains"]
            with pytest.raises(DeviceRefused, match="password is wrong"):
                await bench.devices.try_settings(bench.node, LINES, {**good, "password": "x"})
            peer.hangs = True
            with pytest.raises(DeviceUnreachable, match="did not connect within"):
                await bench.devices.try_settings(bench.node, LINES, good)

    asyncio.run(play())


def test_samples_are_on_disk_after_the_end_and_age_out(bench: Bench) -> None:
    async def play() -> None:
        async with peers(1) as (peer,):
            device = bench.add("UPS", peer)
            async with bench.running():
                await until(lambda: peer.answered > 20)
            assert bench.devices.keeper is not None
            kept = bench.devices.keeper.read(device.id, "", 0, 1000)
            assert len(kept) >= 15
            assert [one.name for one in kept[0].readings] == ["load", "power.state"]
            assert [one.at for one in kept] == sorted(one.at for one in kept)

    asyncio.run(play())
    with bench.node.store.reader() as tx:
        assert len(tx.execute(table(DeviceSampleRow).select()).all()) >= 15


def test_a_device_whose_driver_is_gone_is_told_and_stops_nothing(bench: Bench) -> None:
    bench.book.add(Wanted("lines", "one", {"port": "1"}), None)
    bench.node.registry.drivers.clear()

    async def play() -> None:
        async with bench.running():
            await asyncio.sleep(0.05)

    asyncio.run(play())
    assert bench.devices.board.posts() == {}
    bench.node = reopen(bench.node)
