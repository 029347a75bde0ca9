"""What the appliance brings to the registry besides its tasks: the ledger, what was refused, their routes and commands."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from wanmi.registry import NodeContext, Registry
from wanmi_edge.actions import edge_actions
from wanmi_edge.appliance import Edge
from wanmi_edge.disk import add_disk
from wanmi_edge.tally import CountRow

if TYPE_CHECKING:
    import typer
    from fastapi import APIRouter


def add_desk(to: Registry, edge: Edge) -> None:
    """The table of counts, actions, routes and the command line."""
    to.tables(CountRow)
    add_disk(to)
    to.router("/api/v1", partial(_routes, edge))
    for name, run, help in edge_actions(edge):
        to.action(name, run, help=help)
    to.command("spool", _commands, help="What an edge did not take in, and its ledger.")


def _routes(edge: Edge, node: NodeContext) -> APIRouter:
    from wanmi_edge.api import build_api

    return build_api(node, edge)


def _commands() -> typer.Typer:
    from wanmi_edge.cli import app

    return app
