"""What walls bring to the registry: entries, the desk, the driver, actions and commands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from wanmi.errors import BadInput
from wanmi.mqtt import Address, MqttClient
from wanmi.registry import AdminResult, NodeContext, Progress, Registry
from wanmi_edge.broker_files import BrokerFiles
from wanmi_edge.walls.book import Admission, admit_wall, list_walls, revoke_wall
from wanmi_edge.walls.desk import WallDesk
from wanmi_edge.walls.driver import wall_driver
from wanmi_edge.walls.rows import register_walls

if TYPE_CHECKING:
    import typer

Args = Mapping[str, Any]
Items = Iterator[Progress | AdminResult]
Client = Callable[[], MqttClient | None]


def add_walls(to: Registry, client: Client, url: Callable[[], str]) -> WallDesk:
    """``client`` is the edge's own at its broker, ``url`` where others reach that broker."""
    from wanmi_edge.appliance import in_thread

    desk = WallDesk()

    def address() -> Address | None:
        own = client()
        return None if own is None else own.address

    async def run(node: NodeContext) -> None:
        await in_thread(partial(desk.run, node, address), "edge-walls")

    register_walls(to)
    to.driver(wall_driver(desk))
    to.task("edge.walls", run)
    to.action("wall.admit", partial(_admit, url), help="admit a wall, or give it a new password")
    to.action("wall.list", partial(_list, desk), help="the walls of this edge")
    to.action("wall.revoke", _revoke, help="end a wall's password")
    to.command("walls", _commands, help="Walls of an edge: admit, list, revoke.")
    return desk


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


def _admit(url: Callable[[], str], node: NodeContext, args: Args) -> Items:
    given = admission(node, _wall(args), url(), None)
    yield {"wall": given.wall, "password": given.password, "broker": given.broker, "ca": given.ca}


def _list(desk: WallDesk, node: NodeContext, _args: Args) -> Items:
    heard = desk.fresh()
    yield {
        "walls": [
            {
                "wall": one.wall, "state": one.state, "changed_at": one.changed_at,
                "now": heard[one.wall].state if one.wall in heard else "", "page": heard[one.wall].page if one.wall in heard else "",
            }
            for one in list_walls(node)
        ]
    }  # fmt: skip


def _revoke(node: NodeContext, args: Args) -> Items:
    revoke_wall(node, _wall(args), str(args.get("reason", "")), None)
    yield {"wall": _wall(args), "state": "revoked"}


def _wall(args: Args) -> str:
    wall = args.get("wall")
    if not isinstance(wall, str):
        raise BadInput("wall: must be given")
    return wall


def _commands() -> typer.Typer:
    from wanmi_edge.walls.cli import app

    return app
