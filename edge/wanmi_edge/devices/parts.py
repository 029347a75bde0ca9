"""What the devices bring to the registry."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from wanmi.registry import Health, NodeContext, Registry
from wanmi_edge.devices.actions import device_actions
from wanmi_edge.devices.devices import NOTED, Devices
from wanmi_edge.devices.rows import DEVICE_ROWS
from wanmi_edge.vehicles.parts import add_vehicles

if TYPE_CHECKING:
    import typer
    from fastapi import APIRouter

POSTS = ("technician", "administrator")


def add_devices(to: Registry, devices: Devices) -> None:
    """Tables, tasks, the reactor on acknowledgements, actions, routes, rights, health."""
    to.tables(*DEVICE_ROWS)
    to.task("edge.devices", devices.run)
    to.task("edge.samples", devices.run_keeping)
    to.reactor("edge.alarm_seen", kinds=NOTED, decide=devices.note)
    for name, run, help in device_actions(devices):
        to.action(name, run, help=help)
    to.command("device", _commands, help="Devices of an edge: add, test, list, show, remove.")
    to.right(
        "device.change", zh="管理与操作设备", en="Change and command devices", scope="devices:write", posts=POSTS, tiers=("edge",)
    )  # fmt: skip
    to.router("/api/v1", partial(_routes, devices))
    to.probe("devices", partial(device_health, devices))
    add_vehicles(to, devices)


def _routes(devices: Devices, node: NodeContext) -> APIRouter:
    from wanmi_edge.devices.api import build_api

    return build_api(node, devices)


def _commands() -> typer.Typer:
    from wanmi_edge.devices.cli import app

    return app


def device_health(devices: Devices, node: NodeContext) -> Sequence[Health]:
    """One line for all devices: how many are how, and which is worst."""
    now = node.clock.now()
    found = {id: post.health(now) for id, post in devices.board.posts().items()}
    facts: dict[str, str | int] = {"devices": len(found)}
    for one in found.values():
        facts[one.state] = int(facts.get(one.state, 0)) + 1
    if devices.keeper is not None and devices.keeper.lost:
        facts["samples_lost"] = devices.keeper.lost
    bad = [f"{id}: {one.reason or one.state}" for id, one in sorted(found.items()) if one.state != "fine"]
    if not bad:
        return [Health("edge.devices", "fine", f"{len(found)} devices" if found else "no device is set", facts)]
    return [Health("edge.devices", "warn", "; ".join(bad[:3]), facts)]
