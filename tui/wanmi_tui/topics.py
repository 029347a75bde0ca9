"""What is read of a node: each topic with its route, its answer's type, how often, and which entries hint at a change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import quote

from wanmi_tui.wire import (
    Alarms,
    Device,
    Devices,
    Drivers,
    Equipment,
    Heads,
    HealthLine,
    Links,
    NodeLine,
    OwnNode,
)
from wanmi_tui.wire_field import (
    Asks,
    Fences,
    Ledger,
    Positions,
    RefusedReports,
    Scenes,
    Terminals,
    Vehicles,
    Walls,
)

Answer_co = TypeVar("Answer_co", covariant=True)


@dataclass(frozen=True)
class Topic(Generic[Answer_co]):
    """``every`` seconds between two looks while a screen shows it; ``hinted`` are beginnings of kinds of entries."""

    name: str
    path: str
    kind: type[Answer_co]
    every: float = 5.0
    hinted: tuple[str, ...] = ()


OWN = Topic("own", "/node", OwnNode, 60.0)
HEALTH = Topic("health", "/health", list[HealthLine], 5.0)
NODES = Topic("nodes", "/nodes", list[NodeLine], 30.0, ("node.",))
LINKS = Topic("links", "/links", Links, 10.0, ("link.",))
HEADS = Topic("heads", "/heads", Heads, 5.0)
ALARMS = Topic("alarms", "/alarms", Alarms, 5.0, ("alarm.", "device."))
DEVICES = Topic("devices", "/devices", Devices, 4.0, ("device.", "power."))
EQUIPMENT = Topic("equipment", "/equipment", Equipment, 10.0, ("device.", "power."))
DRIVERS = Topic("drivers", "/drivers", Drivers, 300.0)
LEDGER = Topic("ledger", "/ledger", Ledger, 5.0, ("report.",))
REFUSED = Topic("refused", "/spool/refused", RefusedReports, 10.0, ("report.",))
TERMINALS = Topic("terminals", "/terminals", Terminals, 10.0, ("terminal.",))
ASKED = Topic("asked", "/terminals/asked", Asks, 10.0, ("terminal.",))
POSITIONS = Topic("positions", "/terminals/positions", Positions, 15.0)
VEHICLES = Topic("vehicles", "/vehicles", Vehicles, 5.0, ("fence.", "vehicle."))
FENCES = Topic("fences", "/fences", Fences, 30.0, ("fence.",))
SCENES = Topic("scenes", "/scenes", Scenes, 15.0, ("scene.",))
WALLS = Topic("walls", "/walls", Walls, 15.0, ("wall.",))

ALWAYS = (OWN, ALARMS)
"""Read whatever is shown: the top line counts alarms."""


def device_topic(device: str) -> Topic[Device]:
    """One device, while its details are shown."""
    return Topic(f"device {device}", f"/devices/{quote(device, safe='')}", Device, 2.0)
