"""HTTP: /api/v1/routes/explain, /api/v1/departments, /api/v1/arbitration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from sqlalchemy import Connection

from wanmi.codes import local_date
from wanmi.errors import BadInput
from wanmi.registry import NodeContext
from wanmi.web import Keeping, needs
from wanmi.web.bounds import Id, Words
from wanmi.web.callers import Reading
from wanmi_casework.routing.arbitration import Arbitration, Mark, arbitrate, queue
from wanmi_casework.routing.asking import explain
from wanmi_casework.routing.kept import current_book
from wanmi_casework.routing.showing import ArbitrationOut, RouteOut, arbitration_out, route_out


@dataclass(frozen=True)
class DepartmentOut:
    """A department in force today."""

    code: str
    name: str
    name_en: str
    kind: str
    tier: str
    begins: str
    ends: str | None
    schematic: bool


@dataclass(frozen=True)
class QueueOut:
    """A page of the queue; ``next`` is the cursor of the following page, null on the last."""

    cases: list[ArbitrationOut]
    next: str | None


@dataclass(frozen=True)
class DecisionIn:
    """An arbiter's decision."""

    department: Id
    opinion: Words


def build_routes(node: NodeContext) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["routing"])

    @router.get("/routes/explain")
    @needs("routing.read")
    def explain_route(
        _caller: Reading,
        category: Annotated[Id, Query(description="event:0102 or component:0101")],
        grid: Annotated[Id, Query(description="unit grid (15 digits); or community, street, district")],
        at: Annotated[Id, Query(description="2026-11-24T17:30 local, or µs UTC; now when left out")] = "",
        source: Annotated[Id, Query(description="who told of it: collector, hotline, …")] = "collector",
        version: Annotated[Id, Query(description="earlier data, as an answer named them")] = "",
    ) -> RouteOut:
        """Who would handle it, by which rule and why; which rules came near and why they did not win."""
        return route_out(explain(node, category, grid, at, source, version))

    @router.get("/departments")
    @needs("routing.read")
    def departments(_caller: Reading) -> list[DepartmentOut]:
        """The departments in force today at this node."""
        today = local_date(node.clock.now()).isoformat()
        return [
            DepartmentOut(one.code, one.name, one.name_en, one.kind, one.tier, one.begins, one.ends, one.schematic)
            for one in current_book(node).departments(today)
        ]

    @router.get("/arbitration")
    @needs("routing.read")
    def arbitrations(
        _caller: Reading,
        state: Literal["open", "decided", "lapsed"] = "open",
        cursor: Id = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> QueueOut:
        """Contested cases, those that wait longest first. Follow ``next`` to the last page."""
        found = queue(node, state, _mark(cursor), limit + 1)
        more = found[limit - 1] if len(found) > limit else None
        following = f"{more.contested_at}:{more.case}" if more else None
        return QueueOut([arbitration_out(one) for one in found[:limit]], following)

    @router.post("/arbitration/{case}")
    @needs("routing.decide")
    def decide(caller: Reading, once: Keeping, case: Id, decision: DecisionIn) -> ArbitrationOut:
        """Decide a contested case. 409 when somebody decided before."""

        def keep(tx: Connection, decided: Arbitration) -> None:
            once.keep(tx, arbitration_out(decided))

        return arbitration_out(arbitrate(node, case, decision.department, decision.opinion, caller.actor.id, keep))

    return router


def _mark(cursor: str) -> Mark | None:
    if not cursor:
        return None
    at, _, case = cursor.partition(":")
    if not at.isascii() or not at.isdigit() or len(at) > 18 or not case.isprintable() or not case:
        raise BadInput("cursor is none of this queue; begin without one")
    return int(at), case
