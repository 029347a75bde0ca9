"""What vehicles and timekeeping bring to the registry."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from wanmi.registry import NodeContext, Registry
from wanmi_edge.devices.devices import Devices
from wanmi_edge.vehicles.rows import VehicleFixRow
from wanmi_edge.vehicles.timekeeping import TimeKeeper
from wanmi_edge.vehicles.vehicles import Vehicles

if TYPE_CHECKING:
    from fastapi import APIRouter


def add_vehicles(to: Registry, devices: Devices) -> tuple[Vehicles, TimeKeeper]:
    """The table, the tasks, the routes, the clock's health."""
    vehicles, keeper = Vehicles(devices), TimeKeeper(devices)
    to.tables(VehicleFixRow)
    to.task("edge.vehicles", vehicles.run)
    to.task("edge.clock", keeper.run)
    to.router("/api/v1", partial(_routes, devices, vehicles))
    to.probe("edge.clock", keeper.health)
    return vehicles, keeper


def _routes(devices: Devices, vehicles: Vehicles, node: NodeContext) -> APIRouter:
    from wanmi_edge.vehicles.api import build_api

    return build_api(node, devices, vehicles)
