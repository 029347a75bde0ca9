"""HTTP: the walls of this edge: admit one, see which announced themselves, end one. Times µs UTC."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query

from wanmi.registry import NodeContext
from wanmi.web.callers import Reading, needs
from wanmi_edge.walls.book import Admission, WallView, admission, revoke_wall
from wanmi_edge.walls.desk import WallDesk
from wanmi_edge.walls.views import WallLine, wall_lines

Name = Annotated[str, Path(min_length=1, max_length=40, description="the wall's name, `wall-…`")]


@dataclass(frozen=True)
class WallsOut:
    """Every wall, by name."""

    as_of: int
    walls: list[WallLine]


def build_api(node: NodeContext, desk: WallDesk, url: Callable[[], str]) -> APIRouter:
    """The routes under /api/v1."""
    router = APIRouter(tags=["walls"])

    @router.get("/walls")
    @needs("device.read")
    def every() -> WallsOut:
        """Walls that were admitted, and which have announced themselves."""
        return WallsOut(node.clock.now(), wall_lines(node, desk))

    @router.put("/walls/{wall}")
    @needs("device.change")
    def admit(caller: Reading, wall: Name) -> Admission:
        """Admit a wall, or give one a new password; the answer shows it this once."""
        return admission(node, wall, url(), caller.actor.id)

    @router.delete("/walls/{wall}")
    @needs("device.change")
    def revoke(caller: Reading, wall: Name, reason: Annotated[str, Query(max_length=500)] = "") -> WallView:
        """End a wall's password; the broker puts it out."""
        return revoke_wall(node, wall, reason, caller.actor.id)

    return router
