"""What routing registers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wanmi_casework.routing.kinds import DepartmentSet, ResponsibilitySet, RouteArbitrated, RouteContested, RuleSet
from wanmi_casework.routing.tables import (
    DATA_KINDS,
    QUEUE_KINDS,
    ArbitrationRow,
    RoutingRow,
    project_arbitration,
    project_routing,
)

if TYPE_CHECKING:
    import typer
    from fastapi import APIRouter

    from wanmi.registry import AdminResult, Draft, NodeContext, Progress, Registry, Stored


def add_routing(to: Registry) -> None:
    """Kinds, projections, actions, the command ``route`` and the HTTP routes."""
    to.entry_kind("department.set", DepartmentSet, zh="部门设定", en="Department set")
    to.entry_kind("responsibility.set", ResponsibilitySet, zh="责任网格设定", en="Responsibility grid set")
    to.entry_kind("rule.set", RuleSet, zh="派遣规则设定", en="Routing rule set")
    to.entry_kind("route.contested", RouteContested, zh="职责争议", en="Route contested")
    to.entry_kind("route.arbitrated", RouteArbitrated, zh="职责裁定", en="Route arbitrated")
    to.projection("routing", kinds=tuple(DATA_KINDS), rows=(RoutingRow,), apply=project_routing)
    to.projection("arbitration", kinds=QUEUE_KINDS, rows=(ArbitrationRow,), apply=project_arbitration)
    to.reactor("casework.contest", kinds=("case.stepped",), decide=_contest)
    to.action("route.check", _check, help="read files of routing data, say what an import would do")
    to.action("route.import", _import, help="import departments, responsibility grids and rules")
    to.action("route.explain", _explain, help="who would handle something, and why")
    to.command("route", _commands, help="Who handles what, where and when: check, import, explain.")
    to.router("/api/v1", _routes)


def _contest(node: NodeContext, batch: Sequence[Stored]) -> Iterable[tuple[Stored, Draft]]:
    from wanmi_casework.routing.contesting import contest_steps

    return contest_steps(node, batch)


def _check(node: NodeContext, arguments: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    from wanmi_casework.routing.imports import run_check

    yield from run_check(node, arguments)


def _import(node: NodeContext, arguments: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    from wanmi_casework.routing.imports import run_import

    yield from run_import(node, arguments)


def _explain(node: NodeContext, arguments: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    from wanmi_casework.routing.asking import run_explain

    yield from run_explain(node, arguments)


def _commands() -> typer.Typer:
    from wanmi_casework.routing.cli import app

    return app


def _routes(node: NodeContext) -> APIRouter:
    from wanmi_casework.routing.api import build_routes

    return build_routes(node)
