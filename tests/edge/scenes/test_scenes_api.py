"""Scenes over HTTP and the command line at a running edge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from typer.testing import CliRunner

from wanmi.clock import SystemClock
from wanmi.hookspecs import hookimpl
from wanmi.identity.tokens import add_token
from wanmi.node import Node
from wanmi.plugins import Plugin
from wanmi.registry import Registry
from wanmi.testing import running, small_node
from wanmi_edge.devices.book import DeviceBook, Wanted
from wanmi_edge.devices.devices import Devices
from wanmi_edge.devices.parts import add_devices
from wanmi_edge.scenes.cli import app
from wanmi_edge.scenes.parts import add_scenes
from wanmi_edge.settings import EdgeSettings
from wanmi_hardware.pjlink import PJLINK

SCENE = {
    "trigger": {"on": "event", "events": ["case.pressed"]},
    "displays": ["D0001"],
    "page": "https://n/{ref}",
    "minutes": 5,
}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    @hookimpl
    def register(to: Registry) -> None:
        devices = Devices()
        to.section("edge", EdgeSettings)
        to.driver(PJLINK)
        add_devices(to, devices)
        add_scenes(to, devices)

    module = ModuleType("wanmi_edge_scenes")
    module.register = register  # type: ignore[attr-defined]
    made = small_node(tmp_path / "edge", role="edge", code="21010201", plugins=[Plugin("edge_scenes", "0", module)], clock=SystemClock())  # fmt: skip
    DeviceBook(made).add(Wanted("pjlink", "beamer", {"host": "127.0.0.1", "port": "1"}), None)
    try:
        yield made
    finally:
        made.close()


def test_scenes_over_http(node: Node) -> None:
    secret = add_token(node, name="desk", scopes=["devices:read", "devices:write"]).secret
    reader = add_token(node, name="screen", scopes=["devices:read"]).secret
    with running(node, web=True) as places, httpx.Client(base_url=f"{places['web']}/api/v1") as client:
        client.headers["authorization"] = f"Bearer {reader}"
        assert client.put("/scenes/press", json=SCENE).status_code == 403
        client.headers["authorization"] = f"Bearer {secret}"
        assert client.put("/scenes/press", json=SCENE).json()["priority"] == 50
        wrong = client.put("/scenes/press", json={**SCENE, "trigger": {"on": "moon"}})
        assert (wrong.status_code, "moon" in wrong.json()["detail"]) == (422, True)
        told = client.post(
            "/scenes/events", json={"event": "case.pressed", "ref": "E-1", "lon_e7": 1, "lat_e7": 2}
        ).json()
        assert [one["page"] for one in told["calls"]] == ["https://n/E-1"]
        assert client.post("/scenes/events", json={"event": "other"}).json() == {"calls": []}
        client.post("/scenes/press/calls", json={"why": "exercise", "minutes": 1})
        (scene,) = client.get("/scenes").json()["scenes"]
        assert [one["why"] for one in scene["calls"]] == ["case.pressed", "exercise"]
        assert client.delete("/scenes/press/calls").json() == {"ended": 2}
        assert client.delete("/scenes/press").json()["name"] == "press"
        assert client.get("/scenes").json()["scenes"] == []
        assert client.post("/scenes/press/calls", json={}).status_code == 404


def test_scenes_on_the_command_line(node: Node, tmp_path: Path) -> None:
    file = tmp_path / "press.toml"
    file.write_text(
        'scene = "press"\ndisplays = ["D0001"]\npage = "https://n/{ref}?{lon}"\nminutes = 5\n'
        '[trigger]\non = "event"\nevents = ["case.pressed"]\n'
    )

    def said(*args: str) -> str:
        done = CliRunner().invoke(app, [args[0], str(node.dir), *args[1:]], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    with running(node):
        assert "set press: priority 50, on event, D0001" in said("set", str(file))
        assert said("event", "case.pressed", "--ref", "E-1") == "1 scenes called\n"
        assert (
            said("call", "press", "--ref", "2", "--at", "123.4,41.8", "--why", "drill")
            == "called: https://n/2?123.4000000\n"
        )
        assert [c["why"] for c in json.loads(said("list", "--json"))["scenes"][0]["calls"]] == ["case.pressed", "drill"]
        assert "drill" in said("list")
        assert said("end", "press") == "ended 2 calls\n"
        assert said("remove", "press") == "removed press\n"
