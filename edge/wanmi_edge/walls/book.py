"""Admitting and revoking walls."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from wanmi.devices.walls import need_wall
from wanmi.errors import BadInput, NotFound
from wanmi.models import table
from wanmi.registry import Draft, NodeContext
from wanmi.reports import broker_verifier
from wanmi.reports.cards import SALT_BYTES
from wanmi.reports.envelope import to_b64
from wanmi_edge.broker_files import BrokerFiles
from wanmi_edge.walls.rows import WallAdmitted, WallRevoked, WallRow, wall_subject


@dataclass(frozen=True)
class WallView:
    """A wall that was admitted once; ``state``: admitted or revoked; times µs UTC."""

    wall: str
    state: str
    changed_at: int


@dataclass(frozen=True)
class Admission:
    """What a wall's PC needs; the password is shown this once."""

    wall: str
    password: str
    broker: str
    ca: str


def list_walls(node: NodeContext) -> list[WallView]:
    """The walls of this edge, by name."""
    row = table(WallRow)
    query = select(row.c.wall, row.c.state, row.c.changed_at).where(row.c.edge == node.code).order_by(row.c.wall)
    with node.store.reader() as tx:
        return [WallView(*found) for found in tx.execute(query)]


def admit_wall(node: NodeContext, wall: str, actor: str | None) -> str:
    """Admit a wall, or give one a new password (the old one ends); returns the password."""
    need_wall(wall)
    password = to_b64(node.ids.token(32))
    body = WallAdmitted(wall, broker_verifier(password, node.ids.token(SALT_BYTES)))
    node.journal.append(
        Draft(kind="wall.admitted", subject=wall_subject(node.code, wall), body=body, actor=actor)
    ).result()
    return password


def revoke_wall(node: NodeContext, wall: str, reason: str, actor: str | None) -> WallView:
    """Its password is good no longer; NotFound when it is not admitted."""
    if not any(one.wall == wall and one.state == "admitted" for one in list_walls(node)):
        raise NotFound(f"no wall {wall!r} is admitted at {node.code}; `wanmi walls list` shows them")
    draft = Draft(
        kind="wall.revoked", subject=wall_subject(node.code, wall), body=WallRevoked(wall, reason), actor=actor
    )
    node.journal.append(draft).result()
    return next(one for one in list_walls(node) if one.wall == wall)


def admission(node: NodeContext, wall: str, url: str, actor: str | None) -> Admission:
    """Admit, and say all that the wall's PC needs."""
    told = _told(node)
    if told.get("kind") == "iotcore":
        raise BadInput("this edge's broker is iotcore, which has no access rules: install mosquitto to admit walls")
    return Admission(wall, admit_wall(node, wall, actor), url, str(told.get("ca") or ""))


def _told(node: NodeContext) -> dict[str, Any]:
    """What the edge's own broker says of itself (kind, ca); empty while it does not run, or is another's."""
    try:
        told: dict[str, Any] = json.loads(BrokerFiles(node.dir / "broker").address.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told
