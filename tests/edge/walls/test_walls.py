"""Walls as they are: a real agent process, a real mosquitto, an edge between; a script for a browser that notes its argv."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge.street import District, RunningEdge, make_edge_dir, open_edge, running, until
from wanmi.devices import walls
from wanmi.devices.walls import WallOrder, WallStatus
from wanmi.errors import BadInput, DeviceFault
from wanmi.mqtt import MqttClient, Session, read_address
from wanmi.testing import replay_differences
from wanmi_edge.devices.book import Device, DeviceBook, Wanted
from wanmi_edge.walls.driver import NAME

pytestmark = [pytest.mark.mosquitto, pytest.mark.processes]
BROWSER = """#!/bin/sh
echo "$@" >> {log}
exec sleep 600
"""
SCREEN = """#!/bin/sh
echo "screen $1" >> {log}
[ "$1" = on ] || { echo "no such output" >&2; exit 3; }
"""


def act(edge: RunningEdge, name: str, **args: Any) -> dict[str, Any]:
    """What an admin action answers at last."""
    answer: Any = list(edge.node.registry.actions[name].run(edge.node, args))[-1]
    assert isinstance(answer, dict)
    return answer


def script(file: Path, text: str, log: Path) -> Path:
    file.write_text(text.replace("{log}", str(log)))
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


class Wall:
    """A wall's PC: its folder, its settings, its process."""

    def __init__(self, dir: Path, edge: RunningEdge, name: str) -> None:
        dir.mkdir()
        self.name, self.dir, self.log = name, dir, dir / "argv.log"
        self.given = act(edge, "wall.admit", wall=name)
        passwords = edge.node.dir / "broker" / "passwords"
        until(lambda: name in passwords.read_text(), "the broker is told")
        browser, screen = script(dir / "browser", BROWSER, self.log), script(dir / "screen", SCREEN, self.log)
        (dir / "wall.password").write_text(self.given["password"] + "\n")
        (dir / "wall.toml").write_text(
            f'wall = "{name}"\nbroker = "{edge.broker["url"]}"\npassword_file = "wall.password"\n'
            f'allow = ["https://node.example/map"]\nbrowser = ["{browser}", "--kiosk", "{{url}}"]\n'
            f'power_on = ["{screen}", "on"]\npower_off = ["{screen}", "off"]\n'
        )
        self.process: subprocess.Popen[bytes] | None = None

    def shown(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    @contextmanager
    def runs(self) -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "wanmi.cli", "wall", "run", str(self.dir / "wall.toml")]
        with (self.dir / "out").open("ab") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(20)

    def client(self, *topics: str) -> MqttClient:
        """Somebody with this wall's password."""
        address = read_address(self.given["broker"]).login(self.name, self.given["password"])
        return MqttClient(address, Session(self.name, topics, expiry=0))


def add(edge: RunningEdge, wall: str) -> Device:
    return DeviceBook(edge.node).add(Wanted(NAME, wall, {"wall": wall}), None)


def state(edge: RunningEdge, device: Device) -> str:
    return str(act(edge, "device.show", device=device.id)["state"])


def reading(edge: RunningEdge, device: Device, name: str) -> Any:
    parts = act(edge, "device.show", device=device.id)["parts"]
    return next((one["value"] for part in parts for one in part["readings"] if one["name"] == name), None)


def tell(edge: RunningEdge, device: Device, command: str, **args: str) -> str:
    return str(act(edge, "device.command", device=device.id, command=command, args=args)["answer"])


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[RunningEdge]:
    district = District(tmp_path / "district")
    quick = {"edge.devices": {"retry_longest": 1}}
    with running(open_edge(make_edge_dir(tmp_path / "edge", district, **quick)), district) as made:
        yield made


def test_a_wall_shows_the_page_it_is_told_through_losses_of_all_kinds(tmp_path: Path, edge: RunningEdge) -> None:
    wall = Wall(tmp_path / "pc", edge, "wall-hall")
    with wall.runs() as process:
        until(lambda: act(edge, "device.discover", driver=NAME)["found"], "it announces itself")
        (found,) = act(edge, "device.discover", driver=NAME)["found"]
        assert found["settings"] == {"wall": "wall-hall"}
        device = add(edge, "wall-hall")
        until(lambda: state(edge, device) == "fine", "it is a display")
        assert tell(edge, device, "show", url="https://node.example/map?lon=123.4&lat=41.8") == "show: done"
        until(lambda: wall.shown() == ["--kiosk https://node.example/map?lon=123.4&lat=41.8"], "shown")
        until(lambda: reading(edge, device, "page").endswith("lat=41.8"), "told")
        for url in ("https://evil.example/map", "https://node.example/mapped", "file:///etc/passwd", "--app=x"):
            with pytest.raises(DeviceFault, match="refuses"):
                tell(edge, device, "show", url=url)
        assert len(wall.shown()) == 1
        assert reading(edge, device, "power") is None
        tell(edge, device, "on")
        until(lambda: reading(edge, device, "power") == "on", "switched")
        with pytest.raises(DeviceFault, match="ended with 3: no such output"):
            tell(edge, device, "off")
        # the broker dies, and stands again: the wall comes back by itself
        os.kill(edge.broker["pid"], signal.SIGKILL)
        until(lambda: works(edge, device, "https://node.example/map/2"), "orders arrive again", 30)
        assert wall.shown()[-1] == "--kiosk https://node.example/map/2"
        # the agent dies without a word: its will is told
        os.kill(process.pid, signal.SIGKILL)
        until(lambda: state(edge, device) == "unreachable", "gone", 40)
        assert "gone" in act(edge, "device.show", device=device.id)["reason"]
    before = len(wall.shown())
    with wall.runs():
        until(lambda: state(edge, device) == "fine", "back", 30)
        assert wall.shown()[before:] == ["--kiosk https://node.example/map/2"], "the last page, by itself"
    until(lambda: state(edge, device) == "unreachable", "it says goodbye", 30)
    assert replay_differences(edge.node) == []


def works(edge: RunningEdge, device: Device, url: str) -> bool:
    try:
        return tell(edge, device, "show", url=url) == "show: done"
    except DeviceFault:
        return False


def test_a_wall_reads_its_own_orders_and_speaks_for_itself_only(tmp_path: Path, edge: RunningEdge) -> None:
    one, two = Wall(tmp_path / "1", edge, "wall-1"), Wall(tmp_path / "2", edge, "wall-2")
    forged = walls.encode(WallStatus("wall-1", "up"))
    other = two.client("wanmi/#", walls.ORDERS.format("wall-2"))
    other.start()
    try:
        until(lambda: other.connected, other.last_error)
        for topic in (
            walls.STATUSES.format("wall-1"), walls.ORDERS.format("wall-1"), walls.ORDERS.format("wall-2"),
            "wanmi/v1/wall-2/report", "wanmi/v1/wall-2/track",
        ):  # fmt: skip
            assert other.send(topic, forged).result(5) == 135, topic
        assert other.send(walls.STATUSES.format("wall-2"), walls.encode(WallStatus("wall-2", "up"))).result(5) in (
            0,
            16,
        )
        for wall in ("wall-1", "wall-2"):
            edge.client().publish(walls.ORDERS.format(wall), walls.encode(WallOrder("x", "reload")))
        heard = until(lambda: [m.topic for m in other.take(10, 0.3)], "its own")
        assert set(heard) == {walls.ORDERS.format("wall-2")}
    finally:
        other.stop()
    first = one.client()
    first.start()
    try:
        until(lambda: first.connected, first.last_error)
        act(edge, "wall.revoke", wall="wall-1", reason="sold")
        until(lambda: not first.connected, "a revoked wall is put out")
        until(lambda: "refused" in first.last_error, "and let in no more")
    finally:
        first.stop()
    assert [(w["wall"], w["state"]) for w in act(edge, "wall.list")["walls"]] == [
        ("wall-1", "revoked"),
        ("wall-2", "admitted"),
    ]
    with pytest.raises(BadInput, match="wall-"):
        act(edge, "wall.admit", wall="hall")
