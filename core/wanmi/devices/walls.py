"""What an edge and a wall agent (a PC behind a display) say to each other over MQTT; docs/devices/displays.md tells it all.

down  wanmi/walls/v1/{wall}/order     show a page, power on or off, load again; not retained, expires
up    wanmi/walls/v1/{wall}/status    how the wall is; retained, and the will when it is gone
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from wanmi.errors import BadInput, DeviceGarbled

ORDERS = "wanmi/walls/v1/{}/order"
STATUSES = "wanmi/walls/v1/{}/status"
STATUS_FILTER = "wanmi/walls/v1/+/status"
ORDER_SECONDS = 60
"""An order that waits longer at the broker is not obeyed any more."""
BEAT_SECONDS = 30
"""How often a wall says that it is still there."""
STATUS_SECONDS = 90
"""A status that is older says nothing any more: the broker forgets it."""
MOST_BYTES = 16 * 1024
_WALL = re.compile(r"wall-[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_STATUS_TOPIC = re.compile(r"wanmi/walls/v1/(wall-[a-z0-9-]{1,32})/status")
OrderName = Literal["show", "on", "off", "reload"]


class WallOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Do this: ``url`` for show. ``id`` comes back in the status that answers."""

    id: str
    name: OrderName
    url: str = ""
    v: int = 1


class WallStatus(msgspec.Struct, frozen=True):
    """How a wall is. ``order``, ``done``, ``reason`` answer the newest order; fields that a reader does not know are passed over.

    ``browser``: whether the program that shows pages runs; ``power``: unknown where no command for it is set.
    """

    wall: str
    state: Literal["up", "gone"]
    page: str = ""
    power: Literal["on", "off", "unknown"] = "unknown"
    browser: Literal["running", "ended"] = "ended"
    order: str = ""
    done: bool = False
    reason: str = ""
    orders: tuple[str, ...] = ()
    allows: tuple[str, ...] = ()
    version: str = ""
    v: int = 1


def need_wall(name: str) -> str:
    """A wall's name, which is its user at the broker too; BadInput for another form."""
    if not _WALL.fullmatch(name):
        raise BadInput(f"wall {name!r}: write wall- and up to 32 small letters, digits and hyphens, like wall-hall-1")
    return name


def is_wall(user: str) -> bool:
    """Whether a user of the broker is a wall."""
    return _WALL.fullmatch(user) is not None


def encode(said: WallOrder | WallStatus) -> bytes:
    """As it goes over MQTT."""
    return msgspec.json.encode(said)


def read_order(raw: bytes) -> WallOrder:
    """An order; BadInput for anything else."""
    if len(raw) > MOST_BYTES:
        raise BadInput(f"an order of {len(raw)} bytes")
    try:
        return msgspec.json.decode(raw, type=WallOrder)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"no order: {error}") from None


def read_status(topic: str, raw: bytes) -> WallStatus:
    """A status under its own wall's topic; DeviceGarbled for anything else."""
    found = _STATUS_TOPIC.fullmatch(topic)
    if found is None or len(raw) > MOST_BYTES:
        raise DeviceGarbled(f"{topic[:60]}: no status of a wall")
    try:
        status = msgspec.json.decode(raw, type=WallStatus)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DeviceGarbled(f"{topic}: {error}") from None
    if status.wall != found.group(1):
        raise DeviceGarbled(f"{topic}: speaks of {status.wall[:40]!r}")
    return status
