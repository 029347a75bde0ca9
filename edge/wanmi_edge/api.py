"""HTTP: the edge's ledger, and what it refused. Times µs UTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query

from wanmi.registry import NodeContext
from wanmi.web.callers import needs
from wanmi_edge.appliance import Edge
from wanmi_edge.views import LedgerView, RefusedView, retry_refused, view_ledger, view_refused

ItemId = Annotated[str, Path(pattern=r"^[ej][0-9]{1,15}$", description="e and a seq, or j and a number, as listed")]


@dataclass(frozen=True)
class RefusedOut:
    """What was not taken in, the newest first."""

    refused: list[RefusedView]


@dataclass(frozen=True)
class RetryOut:
    """``taken``: it is durable now."""

    id: str
    outcome: str


@dataclass(frozen=True)
class PositionOut:
    """Where a terminal was by its own newest status: WGS-84, µs UTC. Known at the edge only, never journaled."""

    terminal: str
    lon_e7: int
    lat_e7: int
    fix_at: int
    heard_at: int


@dataclass(frozen=True)
class PositionsOut:
    """Terminals that told their position since the node started."""

    as_of: int
    positions: list[PositionOut]


def build_api(node: NodeContext, edge: Edge) -> APIRouter:
    """The routes under /api/v1."""
    router = APIRouter(tags=["edge"])

    @router.get("/ledger")
    @needs("device.read")
    def ledger() -> LedgerView:
        """Taken in = delivered + waiting + refused, for reports, answers and positions."""
        return view_ledger(node, edge)

    @router.get("/spool/refused")
    @needs("device.read")
    def refused(
        limit: Annotated[int, Query(ge=1, le=200, description="of each kind: entries and junk")] = 50,
        before: Annotated[str, Query(pattern=r"^([ej][0-9]{1,15})?$", description="go on after this id")] = "",
    ) -> RefusedOut:
        """Refused reports and junk: why, what to do, and whether a second look would take it in now."""
        return RefusedOut(view_refused(node, edge, limit, before))

    @router.post("/spool/refused/{item}/retry")
    @needs("device.change")
    def retry(item: ItemId) -> RetryOut:
        """Look again at what was refused, by the terminals, the catalogue and the limits of now."""
        return RetryOut(item, retry_refused(node, edge, item))

    @router.get("/terminals/positions")
    @needs("device.read")
    def positions() -> PositionsOut:
        """Where the terminals were that spoke to this edge; the age is ``as_of`` less ``fix_at``."""
        heard = edge.statuses.newest() if edge.statuses is not None else {}
        found = [
            PositionOut(terminal, one.lon_e7, one.lat_e7, one.fix_at, at)
            for terminal, (one, at) in sorted(heard.items())
            if one.lon_e7 is not None and one.lat_e7 is not None and one.fix_at is not None
        ]
        return PositionsOut(node.clock.now(), found)

    return router
