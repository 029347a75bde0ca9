"""Alarms of JT/T 808 vehicles on a running edge: raised, latched, acknowledged, cleared, also through a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from edge.vehicles.test_geometry import off
from edge.vehicles.test_vehicles import PHONE, listens, make, until
from hardware.jt808.terminal import Terminal, batch, location
from wanmi.clock import SECOND, SystemClock
from wanmi.identity.tokens import add_token
from wanmi.node import Node
from wanmi.testing import reopen, replay_differences, running
from wanmi_edge.broker import free_port


class Moved(SystemClock):
    """The time, moved by the test."""

    ahead = 0

    def now(self) -> int:
        return super().now() + self.ahead


class Gateway:
    """A running node with a `jt808` port, and one terminal that speaks to it."""

    def __init__(self, client: httpx.Client, port: int) -> None:
        self.client, self.port = client, port

    def say(self, *alarms: int, kept: tuple[int, ...] = (), later: int = 0) -> None:
        """Positions with these alarm words, ``later`` seconds from now; ``kept`` in one batch before them."""
        until(lambda: listens(self.port))
        asyncio.run(self._say(alarms, kept, SystemClock().now() + later * SECOND))

    async def _say(self, alarms: tuple[int, ...], kept: tuple[int, ...], now: int) -> None:
        car = Terminal(PHONE)
        await car.connect(self.port)
        await car.log_in()
        there = round(off(0, 0).lon_e7 / 10), round(off(0, 0).lat_e7 / 10)
        if kept:
            before = [location(now - 30 * SECOND + n * SECOND, *there, alarms=word) for n, word in enumerate(kept)]
            assert await car.result(0x0704, batch(before)) == 0
        for word in alarms:
            assert await car.result(0x0200, location(now, *there, alarms=word)) == 0
        car.close()

    def alarms(self, state: str = "open") -> list[dict[str, Any]]:
        answer = self.client.get("/alarms", params={"state": state})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["alarms"]
        return [one for one in found if one["rule"].startswith("vehicle.") and one["rule"] != "vehicles.waiting"]

    def acknowledge(self, alarm: dict[str, Any]) -> None:
        path = f"/alarms/{alarm['edge']}/{alarm['device']}/{alarm['rule']}/acknowledge"
        answer = self.client.post(path, json={"occurrence": alarm["occurrence"], "note": "patrol sent"})
        assert answer.status_code == 200, answer.text


@contextmanager
def gateway_of(node: Node, port: int, *, add: bool = True) -> Iterator[Gateway]:
    scopes = ["devices:read", "devices:write", "alarms:write"]
    secret = add_token(node, name=f"screen {add}", scopes=scopes).secret
    with (
        running(node, web=True) as places,
        httpx.Client(base_url=f"{places['web']}/api/v1", headers={"authorization": f"Bearer {secret}"}) as client,
    ):
        settings = {"host": "127.0.0.1", "port": str(port), "vehicles": PHONE}
        if add:
            client.post("/devices", json={"driver": "jt808", "name": "cars", "settings": settings}).raise_for_status()
        yield Gateway(client, port)


def test_a_panic_button_is_an_alarm_until_somebody_has_seen_it(tmp_path: Path) -> None:
    node, port = make(tmp_path, SystemClock()), free_port()
    try:
        with gateway_of(node, port) as gate:
            gate.say(1)
            (alarm,) = until(gate.alarms)
            assert (alarm["rule"], alarm["severity"], alarm["state"]) == (
                f"vehicle.emergency:{PHONE}",
                "critical",
                "standing",
            )
            assert (alarm["zh"], alarm["en"]) == (f"紧急报警 {PHONE}", f"emergency button {PHONE}")
            there = off(0, 0)
            assert (abs(alarm["lon_e7"] - there.lon_e7) < 10, abs(alarm["lat_e7"] - there.lat_e7) < 10) == (True, True)
            gate.say(0)
            until(lambda: gate.alarms()[0]["state"] == "over")
            gate.acknowledge(gate.alarms()[0])
            until(lambda: gate.alarms() == [])
            assert gate.alarms("cleared")[0]["note"] == "patrol sent"
            gate.say(0, kept=(0, 1, 0), later=60)
            (again,) = until(gate.alarms)
            assert again["occurrence"] == 2, "pressed where there was no link"
        assert replay_differences(node) == []
    finally:
        node.close()


def test_what_a_vehicle_says_no_longer_is_cleared_after_a_restart_too(tmp_path: Path) -> None:
    clock = Moved()
    node, port = make(tmp_path, clock), free_port()
    try:
        with gateway_of(node, port) as gate:
            gate.say(1 << 1 | 1 << 8)
            until(lambda: len(gate.alarms()) == 2)
        node = reopen(node)
        with gateway_of(node, port, add=False) as gate:
            assert {one["rule"].split(":")[0] for one in gate.alarms()} == {"vehicle.overspeed", "vehicle.power_off"}
            gate.say(1 << 8)
            clock.ahead = 40 * SECOND
            gate.say(1 << 8)
            until(lambda: [one["rule"] for one in gate.alarms()] == [f"vehicle.power_off:{PHONE}"])
    finally:
        node.close()
