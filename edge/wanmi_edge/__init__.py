"""The appliance in the street: a broker for terminals, and the intake that turns their reports into entries."""

from __future__ import annotations

from functools import partial

from wanmi.hookspecs import hookimpl
from wanmi.registry import Registry
from wanmi_edge.appliance import Edge
from wanmi_edge.asks.parts import add_asks
from wanmi_edge.devices.devices import Devices
from wanmi_edge.devices.parts import add_devices
from wanmi_edge.health import edge_health
from wanmi_edge.homeassistant import announce
from wanmi_edge.parts import add_desk
from wanmi_edge.rows import EDGE_ROWS
from wanmi_edge.scenes.parts import add_scenes
from wanmi_edge.settings import EdgeSettings
from wanmi_edge.walls.parts import add_walls


@hookimpl
def register(to: Registry) -> None:
    """Settings, local tables, tasks and health of the edge."""
    edge = Edge()
    to.section("edge", EdgeSettings)
    to.tables(*EDGE_ROWS)
    to.task("edge.broker", edge.run_broker)
    to.task("edge.intake", edge.run_intake)
    to.task("edge.receipts", edge.run_receipts)
    to.task("edge.tasks", edge.run_tasks)
    to.task("edge.probe", edge.run_probe)
    to.probe("edge", partial(edge_health, edge))
    add_desk(to, edge)
    add_walls(to, lambda: edge.client, lambda: edge.url)
    add_asks(to, lambda: edge.client, lambda: edge.url)
    devices = Devices()
    add_devices(to, devices)
    to.task("edge.homeassistant", partial(announce, devices, lambda: edge.address))
    add_scenes(to, devices)
