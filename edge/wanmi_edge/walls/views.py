"""Walls as people see them: who may stand at the broker, who does, and which display each one is."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from sqlalchemy import select

from wanmi.journal.device_rows import DeviceRow
from wanmi.models import table
from wanmi.registry import NodeContext
from wanmi_edge.walls.book import list_walls
from wanmi_edge.walls.desk import WallDesk
from wanmi_edge.walls.driver import NAME


@dataclass(frozen=True)
class WallLine:
    """A wall that was admitted once. ``state``: admitted or revoked; ``now``: up, gone, or empty while it is not heard.

    ``device`` is the display that it was added as, empty where nobody did.
    """

    wall: str
    state: str
    changed_at: int
    now: str
    page: str
    device: str


def wall_lines(node: NodeContext, desk: WallDesk) -> list[WallLine]:
    """Every wall as it stands and as it says."""
    heard, devices = desk.fresh(), wall_devices(node)
    lines = []
    for one in list_walls(node):
        status = heard.get(one.wall)
        now, page = ("", "") if status is None else (status.state, status.page)
        lines.append(WallLine(one.wall, one.state, one.changed_at, now, page, devices.get(one.wall, "")))
    return lines


def wall_devices(node: NodeContext) -> dict[str, str]:
    """The display (its number) that each wall was added as."""
    row = table(DeviceRow).c
    query = select(row.device, row.settings).where(row.edge == node.code, row.state == "kept", row.driver == NAME)
    with node.store.reader() as tx:
        found = tx.execute(query.order_by(row.device)).all()
    return {str(msgspec.json.decode(settings).get("wall")): device for device, settings in found}
