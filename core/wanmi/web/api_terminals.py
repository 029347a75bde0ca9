"""/api/v1/terminals: every terminal that this node knows of, and how it was heard last."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter

from wanmi.query.terminals import TerminalView, list_terminals_heard
from wanmi.registry import NodeContext
from wanmi.web.callers import needs


@dataclass(frozen=True)
class TerminalsOut:
    """Terminals by id; ``as_of`` µs UTC."""

    as_of: int
    terminals: list[TerminalView]


def terminal_routes(node: NodeContext) -> APIRouter:
    """The routes under /api/v1."""
    router = APIRouter(tags=["devices"])

    @router.get("/terminals")
    @needs("device.read")
    def terminals() -> TerminalsOut:
        """Last seen, battery, app, queue, pending tasks, age of credentials and of the proven way to the district."""
        now = node.clock.now()
        with node.store.reader() as tx:
            return TerminalsOut(now, list(list_terminals_heard(tx, now)))

    return router
