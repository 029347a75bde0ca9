"""HTTP: the queue of cases that left a department. A department's people see their own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from wanmi.registry import NodeContext
from wanmi.web.callers import Reading, needs
from wanmi_casework.leaving import MOST, LeftPage, list_left


def leaving_routes(node: NodeContext) -> APIRouter:
    """The route."""
    router = APIRouter(tags=["casework"])

    @router.get("/departments/left")
    @needs("case.read")
    def left(
        caller: Reading,
        department: Annotated[str, Query(max_length=60)] = "",
        cursor: Annotated[str, Query(max_length=200)] = "",
        limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    ) -> LeftPage:
        """Cases that were returned, given to another department, taken over, voided or merged: what, why, and whose they are now."""
        if caller.sees_all_cases:
            return list_left(node, department, cursor, limit)
        return LeftPage([], None) if caller.unit is None else list_left(node, caller.unit, cursor, limit)

    return router
