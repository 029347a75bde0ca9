"""Devices over HTTP at a running edge, with a technician's token."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from edge.devices.line_device import LINES, LinePeer, lines_plugin
from wanmi.clock import SystemClock
from wanmi.devices import Quantity, Reading
from wanmi.hookspecs import hookimpl
from wanmi.identity.tokens import add_token
from wanmi.plugins import Plugin
from wanmi.registry import Registry
from wanmi.testing import running, small_node
from wanmi_edge.devices.devices import Devices
from wanmi_edge.devices.parts import add_devices
from wanmi_edge.devices.views import view_reading
from wanmi_edge.settings import EdgeSettings

SCOPES = ["devices:read", "devices:write", "alarms:write"]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[httpx.Client]:
    devices = Devices()

    @hookimpl
    def register(to: Registry) -> None:
        to.section("edge", EdgeSettings)
        add_devices(to, devices)

    module = ModuleType("wanmi_edge_devices")
    module.register = register  # type: ignore[attr-defined]
    node = small_node(
        tmp_path / "edge", role="edge", code="21010201", plugins=[lines_plugin(), Plugin("edge_devices", "0", module)],
        sections={"edge.devices": {"flush_every": 1}}, clock=SystemClock(),
    )  # fmt: skip
    try:
        secret = add_token(node, name="screen", scopes=SCOPES).secret
        with (
            running(node, web=True) as places,
            httpx.Client(base_url=f"{places['web']}/api/v1", headers={"authorization": f"Bearer {secret}"}) as client,
        ):
            yield client
    finally:
        node.close()


@pytest.fixture
def peer() -> Iterator[LinePeer]:
    import threading

    loop, made = asyncio.new_event_loop(), LinePeer()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(made.start(), loop).result(5)
    try:
        yield made
    finally:
        asyncio.run_coroutine_threadsafe(made.stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def until(api: httpx.Client, path: str, wanted: Any, seconds: float = 10.0) -> Any:
    end = time.monotonic() + seconds
    while True:
        said = api.get(path).json()
        if wanted(said):
            return said
        assert time.monotonic() < end, said
        time.sleep(0.05)


def test_a_device_from_its_form_to_its_alarm(api: httpx.Client, peer: LinePeer) -> None:
    drivers = api.get("/drivers").json()["drivers"]
    lines = next(one for one in drivers if one["name"] == "lines")
    assert [(one["name"], one["required"], one["secret"]) for one in lines["settings"]] == [
        ("port", True, False), ("password", False, True),
    ]  # fmt: skip
    given = {"port": str(peer.port), "password": ""}
    tried = api.post("/devices/test", json={"driver": "lines", "settings": given}).json()
    assert tried["identity"]["model"] == "model 1"
    assert next((one["zh"], one["value"], one["unit"], one["raw"]) for one in tried["readings"]) == (
        "负载",
        20.0,
        "%",
        "20",
    )
    added = api.post("/devices", json={"driver": "lines", "name": "UPS", "settings": given})
    assert (added.status_code, added.json()["id"]) == (201, "D0001")
    seen = until(api, "/devices/UPS", lambda said: said["state"] == "fine")
    assert seen["secrets"] == ["password"]
    assert "password" not in seen["settings"]
    peer.says = "95 battery"
    (alarm,) = until(api, "/alarms", lambda said: len(said["alarms"]) == 1)["alarms"]
    assert (alarm["rule"], alarm["zh"], alarm["value"], alarm["device_name"]) == ("load.high", "负载过高", "95", "UPS")
    here = "/alarms/21010201/D0001/load.high"
    stale = api.post(f"{here}/acknowledge", json={"occurrence": 7})
    assert stale.status_code == 409
    kept = api.post(f"{here}/acknowledge", json={"occurrence": 1, "note": "去看过 seen"}).json()
    assert (kept["note"], kept["state"], kept["acknowledged_at"] is not None) == ("去看过 seen", "standing", True)
    quiet = api.post(f"{here}/silence", json={"occurrence": 1, "seconds": 600}).json()
    assert quiet["silenced_until"] > kept["acknowledged_at"]
    assert api.post(f"{here}/silence", json={"occurrence": 1, "seconds": 10**9}).status_code == 422
    until(api, "/equipment", lambda said: said["devices"][0]["power"] == "battery")
    samples = until(api, "/devices/D0001/samples?reading=load&limit=5", lambda said: len(said["samples"]) == 5)[
        "samples"
    ]
    assert {one["name"] for sample in samples for one in sample["readings"]} == {"load"}


def test_commands_are_checked_before_they_are_given(api: httpx.Client, peer: LinePeer) -> None:
    api.post("/devices", json={"driver": "lines", "name": "lamp", "settings": {"port": str(peer.port)}})
    until(api, "/devices/lamp", lambda said: said["state"] == "fine")
    wrong = api.post("/devices/lamp/commands/explode", json={})
    assert (wrong.status_code, "it knows dim" in wrong.json()["detail"]) == (422, True)
    assert api.post("/devices/lamp/commands/dim", json={"confirm": True}).status_code == 422
    assert api.post("/devices/lamp/commands/dim", json={"args": {"to": "5"}}).status_code == 422, "it is risky"
    done = api.post("/devices/lamp/commands/dim", json={"args": {"to": "5"}, "confirm": True})
    assert done.json() == {"answer": "did dim 5"}


def test_faults_of_devices_have_a_status_of_their_own(api: httpx.Client, peer: LinePeer) -> None:
    gone = api.post("/devices/test", json={"driver": "lines", "settings": {"port": "1"}})
    assert (gone.status_code, gone.headers["content-type"]) == (504, "application/problem+json")
    peer.password = "sesame"
    refused = api.post("/devices/test", json={"driver": "lines", "settings": {"port": str(peer.port)}})
    assert (refused.status_code, "password is wrong" in refused.json()["detail"]) == (502, True)
    assert api.post("/devices/discover", json={"driver": "lines"}).status_code == 422
    assert api.delete("/devices/nobody").status_code == 404


def test_a_row_is_told_by_its_number() -> None:
    volts = Quantity("input.#.voltage", "V", "第#相输入电压", "input # voltage")
    shown = view_reading(replace(LINES, quantities=(volts,)), Reading("input.2.voltage", 230.0, "2300"), 1)
    assert (shown.zh, shown.en, shown.unit) == ("第2相输入电压", "input 2 voltage", "V")
