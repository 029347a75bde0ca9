"""Vehicles at an edge: tracks, fences, the clock against a receiver; and a JT/T 808 terminal that drives into a fence."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from edge.vehicles.test_geometry import off
from hardware.jt808.terminal import Terminal, location
from wanmi.clock import SECOND, ManualClock, SystemClock
from wanmi.devices import Fix, Reading, Sample
from wanmi.errors import BadInput, NotFound
from wanmi.hookspecs import hookimpl
from wanmi.identity.tokens import add_token
from wanmi.node import Node
from wanmi.node.clockwatch import step_source
from wanmi.plugins import Plugin
from wanmi.registry import Registry
from wanmi.testing import replay_differences, running, small_node
from wanmi_edge.devices.alarm_watch import AlarmWatch
from wanmi_edge.devices.book import Device
from wanmi_edge.devices.devices import Devices
from wanmi_edge.devices.parts import add_devices
from wanmi_edge.settings import EdgeSettings
from wanmi_edge.vehicles.fences import WantedFence
from wanmi_edge.vehicles.timekeeping import HOUR, TimeKeeper
from wanmi_edge.vehicles.vehicles import Vehicles, read_standings
from wanmi_hardware.jt808.driver import JT808

EDGE = "21010201"
CAR = Device("D0001", "jt808", "vehicles", "cars", True, {}, (), None, None, 0)
RECEIVER = Device("D0002", "gnss-serial", "gnss", "roof", True, {}, (), None, None, 0)
PHONE = "13900000001"


def plugin() -> Plugin:
    @hookimpl
    def register(to: Registry) -> None:
        to.section("edge", EdgeSettings)
        to.driver(JT808)
        add_devices(to, Devices())

    module = ModuleType("wanmi_edge_devices")
    module.register = register  # type: ignore[attr-defined]
    return Plugin("edge_devices", "0", module)


def make(tmp_path: Path, clock: Any) -> Node:
    return small_node(
        tmp_path / "edge", role="edge", code=EDGE, plugins=[plugin()], clock=clock,
        sections={"edge.devices": {"flush_every": 1}, "edge.intake": {"segment_seconds": 60}},
    )  # fmt: skip


class Yard:
    """A node whose vehicles are told fixes by hand."""

    def __init__(self, node: Node, clock: ManualClock) -> None:
        self.node, self.clock = node, clock
        self.vehicles = Vehicles(Devices())
        self.vehicles.wire(node)
        assert self.vehicles.fences is not None
        assert self.vehicles.tracks is not None
        self.fences, self.tracks = self.vehicles.fences, self.vehicles.tracks

    def fence(self, **more: Any) -> str:
        wanted: dict[str, Any] = {
            "name": "yard", "points": [(off(0, 0).lon_e7, off(0, 0).lat_e7)], "radius_m": 100, "margin_m": 20,
            "dwell_s": 2, "vehicles": [], "enabled": True, **more,
        }  # fmt: skip
        return self.fences.add(WantedFence(**wanted), None).id

    def drive(self, *east: float, state: Any = "valid", part: str = PHONE, device: Device = CAR) -> None:
        for metres in east:
            self.clock.advance(SECOND)
            self.say(metres, self.clock.now(), state, part, device)
        asyncio.run(self.vehicles.take_up(self.node))

    def say(self, east: float, at: int, state: Any = "valid", part: str = PHONE, device: Device = CAR) -> None:
        there = off(east, 0)
        fix = Fix(state, at, there.lon_e7, there.lat_e7)
        self.vehicles.heard(device, Sample(fixes=(fix,), part=part))

    def crossed(self) -> list[tuple[str, str]]:
        entries = [one.entry for one in self.node.journal.read(EDGE, 0) if one.entry is not None]
        return [(one.body["fence"], one.body["way"]) for one in entries if one.kind == "fence.crossed"]


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    clock = ManualClock()
    node = make(tmp_path, clock)
    try:
        yield Yard(node, clock)
    finally:
        node.close()


def test_a_vehicle_enters_and_leaves_once(yard: Yard) -> None:
    fence = yard.fence()
    yard.drive(500, 300, 90, 50, 20, 0, 105, 95, 110, 60)
    assert yard.crossed() == [(fence, "enter")]
    yard.drive(150, 200, 300, 400)
    assert yard.crossed() == [(fence, "enter"), (fence, "leave")]
    assert replay_differences(yard.node) == []


def test_only_valid_fixes_count(yard: Yard) -> None:
    yard.fence()
    for state in ("implausible", "stale", "no_fix"):
        yard.drive(*[0.0] * 10, state=state)
    assert yard.crossed() == []
    assert yard.vehicles.seen[f"D0001:{PHONE}"].fix.state == "no_fix"
    assert yard.vehicles.seen[f"D0001:{PHONE}"].valid is None
    assert yard.tracks.read("D0001", PHONE, 0, 2**53, 99) == []


def test_a_receiver_that_stands_with_the_node_is_no_vehicle(yard: Yard) -> None:
    yard.fence()
    yard.drive(*[0.0] * 5, part="", device=RECEIVER)
    assert yard.vehicles.seen == {}
    rides = Device("D0003", "gnss-serial", "gnss", "car", True, {"vehicle": "辽A1"}, (), None, None, 0)
    yard.drive(*[0.0] * 5, part="", device=rides)
    assert set(yard.vehicles.seen) == {"D0003"}
    assert len(yard.crossed()) == 1


def test_a_fence_about_one_vehicle_and_one_that_is_off(yard: Yard) -> None:
    yard.fence(vehicles=["D0001:139"])
    yard.fence(enabled=False)
    yard.drive(*[0.0] * 5)
    assert yard.crossed() == []


def test_kept_positions_make_a_track_and_cross_nothing_in_the_past(yard: Yard) -> None:
    fence = yard.fence()
    yard.drive(*[0.0] * 5)
    start = yard.clock.now()
    for n in range(10):
        yard.say(1000, start - 3600 * SECOND + n * 10 * SECOND)
    asyncio.run(yard.vehicles.take_up(yard.node))
    assert yard.crossed() == [(fence, "enter")]
    track = yard.tracks.read("D0001", PHONE, 0, 2**53, 99)
    assert len(track) == 11
    assert [fix.at for fix in track] == sorted(fix.at for fix in track)
    assert yard.vehicles.seen[f"D0001:{PHONE}"].fix.made_at == start


class Judging:
    """In place of the devices: an alarm watch of a gateway that is told what fences say."""

    def __init__(self, yard: Yard) -> None:
        self.yard, self.watch = yard, AlarmWatch(yard.node, CAR.id, JT808, 1.0)
        yard.vehicles._devices.judge = self.judge  # type: ignore[method-assign]

    async def judge(self, device: str, part: str, family: str, judged: Any) -> None:
        assert (device, part, family) == (CAR.id, PHONE, "fence.")
        drafts = self.watch.judged(part, family, judged, self.yard.clock.now())
        if drafts:
            await self.yard.node.journal.append_async(*drafts)

    def again(self) -> None:
        asyncio.run(self.yard.vehicles.judge())

    def told(self) -> list[tuple[str, str]]:
        entries = [one.entry for one in self.yard.node.journal.read(EDGE, 0) if one.entry is not None]
        found = [one for one in entries if one.kind.startswith("alarm.")]
        return [(one.kind.removeprefix("alarm."), one.body.get("by", one.body["rule"])) for one in found]


def test_leaving_a_fence_is_an_alarm_until_the_vehicle_is_back(yard: Yard) -> None:
    judging, fence = Judging(yard), yard.fence(alarm="leave")
    yard.drive(500, 400, 300)
    judging.again()
    assert judging.told() == [], "it has never been inside"
    yard.drive(*[0.0] * 5)
    yard.drive(300, 300, 300, 300, 300)
    raised = ("raised", f"fence.leave.{fence}:{PHONE}")
    assert judging.told() == [raised]
    Judging(yard).again()
    assert judging.told() == [raised], "it stands through a restart, and is told once"
    yard.drive(*[0.0] * 5)
    assert judging.told() == [raised, ("cleared", "reading")]
    assert replay_differences(yard.node) == []


def test_a_fences_alarm_ends_with_its_rule(yard: Yard) -> None:
    judging = Judging(yard)
    first, second = yard.fence(alarm="enter"), yard.fence(alarm="enter", name="court")
    yard.fence(name="quiet")
    yard.drive(*[0.0] * 5)
    assert [what for what, _ in judging.told()] == ["raised", "raised"]
    yard.fences.remove(first, "moved", None)
    judging.again()
    assert judging.told()[2:] == [("cleared", "removed")]
    wanted = WantedFence("court", [(off(0, 0).lon_e7, off(0, 0).lat_e7)], 100, 20, 2, [], True)
    yard.fences.change(second, wanted, None)
    judging.again()
    assert judging.told()[3:] == [("cleared", "removed")]
    assert replay_differences(yard.node) == []


def test_standings_outlive_a_restart(yard: Yard) -> None:
    fence = yard.fence()
    yard.drive(*[0.0] * 5)
    assert {key: one.inside for key, one in read_standings(yard.node).items()} == {(fence, f"D0001:{PHONE}"): True}


def test_tracks_are_sealed_and_read_again(yard: Yard) -> None:
    yard.drive(*[n * 25.0 for n in range(90)])
    yard.tracks.seal()
    yard.tracks.seal()
    entries = [one.entry for one in yard.node.journal.read(EDGE, 0) if one.entry is not None]
    (sealed,) = [one for one in entries if one.kind == "vehicle.track_sealed"]
    assert sealed.subject == f"vehicle:{EDGE}:D0001:{PHONE}"
    assert (sealed.body["fixes"], sealed.body["distance_m"]) == (61, 1500)
    track = yard.tracks.read("D0001", PHONE, 0, 2**53, 999)
    assert len(track) == 90
    assert abs(track[-1].lon_e7 - off(89 * 25.0, 0).lon_e7) <= 1
    assert replay_differences(yard.node) == []


def test_fences_that_are_none(yard: Yard) -> None:
    for more, why in (
        ({"points": []}, "0 points"), ({"radius_m": 0}, "radius 0 m"), ({"name": " "}, "fence name"),
        ({"points": [(0, 0), (1, 1), (0, 0)]}, "three different points"), ({"points": [(0, 10**9)]}, "not on earth"),
        ({"dwell_s": -1}, "dwell_s"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=why):
            yard.fence(**more)
    first = yard.fence()
    yard.fences.remove(first, "moved", None)
    assert yard.fence() == "F0002"
    with pytest.raises(NotFound):
        yard.fences.get(first)


# -- the clock ------------------------------------------------------------------------------------------------


class Clockwork:
    def __init__(self, yard: Yard) -> None:
        self.yard, self.keeper = yard, TimeKeeper(Devices())
        self.keeper.wire(yard.node)

    def hear(self, milliseconds: float, seconds: int = 8, device: Device = RECEIVER) -> None:
        for _ in range(seconds):
            self.yard.clock.advance(SECOND)
            readings = (Reading("clock.offset", milliseconds), Reading("clock.uncertainty", 500.0))
            self.keeper.heard(device, Sample(readings))
            asyncio.run(self.keeper.write(self.yard.node))

    def told(self) -> list[tuple[str, int, bool]]:
        entries = [one.entry for one in self.yard.node.journal.subject(f"clock:{EDGE}") if one.entry is not None]
        return [(one.body["source"], one.body["offset"], one.body["within"]) for one in entries]


def test_the_clocks_offset_is_told_when_it_matters(yard: Yard) -> None:
    work = Clockwork(yard)
    work.hear(-80, 600)
    assert work.told() == [("gnss", -80_000, True)], "not each second"
    work.hear(90_000)
    work.hear(-80)
    assert work.told()[1:] == [("gnss", 90_000_000, False), ("gnss", -80_000, True)]
    yard.clock.advance(HOUR)
    work.hear(-70)
    assert len(work.told()) >= 4, "and every hour"
    yard.clock.advance(300 * SECOND)
    asyncio.run(work.keeper.write(yard.node))
    assert work.told()[-1] == ("none", 0, True)
    assert work.keeper.health(yard.node)[0].state == "warn"


def test_one_receiver_is_the_source_until_it_is_lost(yard: Yard) -> None:
    work = Clockwork(yard)
    other = Device("D0009", "gnss-gpsd", "gnss", "other", True, {}, (), None, None, 0)
    work.hear(10)
    work.hear(5000, device=other)
    assert work.told() == [("gnss", 10_000, True)]
    yard.clock.advance(130 * SECOND)
    work.hear(5000, device=other)
    assert work.told()[-1] == ("gnss", 5_000_000, False)
    assert "-5.0 s off" in work.keeper.health(yard.node)[0].reason


def test_a_steps_source(yard: Yard, tmp_path: Path) -> None:
    mark = tmp_path / "synchronized"
    assert step_source(yard.node, 90 * SECOND, [mark]) == "none"
    mark.touch()
    assert step_source(yard.node, 90 * SECOND, [mark]) == "ntp"
    Clockwork(yard).hear(90_000)
    assert step_source(yard.node, 90 * SECOND, [mark]) == "gnss"
    assert step_source(yard.node, -90 * SECOND, [mark]) == "ntp"
    assert replay_differences(yard.node) == []


# -- all of it ------------------------------------------------------------------------------------------------


def until(true: Callable[[], Any], seconds: float = 20.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = true()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come to pass")


def test_a_terminal_drives_into_a_fence_and_the_api_shows_it(tmp_path: Path) -> None:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    node = make(tmp_path, SystemClock())
    secret = add_token(node, name="screen", scopes=["devices:read", "devices:write"]).secret
    try:
        with (
            running(node, web=True) as places,
            httpx.Client(base_url=f"{places['web']}/api/v1", headers={"authorization": f"Bearer {secret}"}) as client,
        ):
            settings = {"host": "127.0.0.1", "port": str(port), "vehicles": PHONE}
            added = client.post("/devices", json={"driver": "jt808", "name": "cars", "settings": settings})
            assert added.status_code == 201, added.text
            there = off(0, 0)
            fence = client.post("/fences", json={
                "name": "yard", "points": [[there.lon_e7, there.lat_e7]], "radius_m": 200, "dwell_s": 0,
                "alarm": "enter", "severity": "critical",
            }).json()  # fmt: skip
            until(
                lambda: client.get("/devices").json()["devices"][0]["state"] in ("fine", "never_seen") and listens(port)
            )
            asyncio.run(_drive(port))
            found = until(lambda: client.get(f"/fences/{fence['id']}/crossings").json()["crossings"])
            assert [(one["way"], one["vehicle"]) for one in found] == [("enter", f"D0001:{PHONE}")]
            (vehicle,) = client.get("/vehicles").json()["vehicles"]
            assert (vehicle["name"], vehicle["fix"]["state"], vehicle["age_s"] < 20) == (PHONE, "valid", True)
            track = until(lambda: client.get(f"/vehicles/{vehicle['vehicle']}/track").json()["fixes"])
            assert len(track) == 3
            assert client.get("/vehicles", headers={"authorization": "Bearer wrong"}).status_code == 401
            (alarm,) = until(lambda: client.get("/alarms").json()["alarms"])
            assert (alarm["rule"], alarm["en"]) == (f"fence.enter.F0001:{PHONE}", f"Entered fence yard {PHONE}")
            assert (alarm["severity"], alarm["value"], alarm["since"]) == ("critical", "inside", found[0]["since"])
            assert abs(alarm["lon_e7"] - off(10, 0).lon_e7) < 100, "where it is, not where the gateway stands"
            changed = client.put(f"/devices/{added.json()['id']}", json={
                "driver": "jt808", "name": "cars", "settings": {**settings, "vehicles": "13900000009"},
            })  # fmt: skip
            assert changed.status_code == 200, changed.text
            (ended,) = until(lambda: client.get("/alarms", params={"state": "cleared"}).json()["alarms"])
            assert (ended["rule"], ended["state"]) == (alarm["rule"], "cleared"), (
                "a vehicle that may not report any more"
            )
            gone = client.delete(f"/fences/{fence['id']}")
            assert gone.status_code == 200
            assert client.get("/fences").json()["fences"] == []
    finally:
        node.close()


def listens(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def _drive(port: int) -> None:
    car = Terminal(PHONE)
    await car.connect(port)
    await car.log_in()
    now = SystemClock().now()
    for n, east in enumerate((600, 400, 10)):
        there = off(east, 0)
        body = location(now + n * SECOND, round(there.lon_e7 / 10), round(there.lat_e7 / 10))
        assert await car.result(0x0200, body) == 0
    car.close()
