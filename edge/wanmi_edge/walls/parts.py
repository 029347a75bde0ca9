"""What walls bring to the registry: entries, the desk, the driver, actions and commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from wanmi.errors import BadInput
from wanmi.mqtt import Address, MqttClient
from wanmi.registry import AdminResult, NodeContext, Progress, Registry
from wanmi_edge.walls.book import admission, revoke_wall
from wanmi_edge.walls.desk import WallDesk
from wanmi_edge.walls.driver import wall_driver
from wanmi_edge.walls.rows import register_walls
from wanmi_edge.walls.views import wall_lines

if TYPE_CHECKING:
    import typer
    from fastapi import APIRouter

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
    to.router("/api/v1", partial(_routes, desk, url))
    to.command("walls", _commands, help="Walls of an edge: admit, list, revoke.")
    return desk


def _admit(url: Callable[[], str], node: NodeContext, args: Args) -> Items:
    given = admission(node, _wall(args), url(), None)
    yield {"wall": given.wall, "password": given.password, "broker": given.broker, "ca": given.ca}


def _list(desk: WallDesk, node: NodeContext, _args: Args) -> Items:
    yield {"walls": [msgspec.to_builtins(one) for one in wall_lines(node, desk)]}


def _revoke(node: NodeContext, args: Args) -> Items:
    revoke_wall(node, _wall(args), str(args.get("reason", "")), None)
    yield {"wall": _wall(args), "state": "revoked"}


def _wall(args: Args) -> str:
    wall = args.get("wall")
    if not isinstance(wall, str):
        raise BadInput("wall: must be given")
    return wall


def _routes(desk: WallDesk, url: Callable[[], str], node: NodeContext) -> APIRouter:
    from wanmi_edge.walls.api import build_api

    return build_api(node, desk, url)


def _commands() -> typer.Typer:
    from wanmi_edge.walls.cli import app

    return app
