"""What the plugin registers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wanmi_supervision import reacting
from wanmi_supervision.actions import ACTIONS
from wanmi_supervision.commands import commands
from wanmi_supervision.settings import SupervisionSettings

if TYPE_CHECKING:
    from fastapi import APIRouter

    from wanmi.registry import NodeContext, Registry


def add_parts(to: Registry) -> None:
    """Fill the registry."""
    to.section("supervision", SupervisionSettings)
    to.reactor("supervision.link", kinds=("case.opened",), decide=reacting.link_cases)
    to.reactor("supervision.asked", kinds=("order.asked",), decide=reacting.register_asks)
    to.reactor(
        "supervision.answer",
        kinds=("case.stepped", "case.request_decided", "case.merged"),
        decide=reacting.answer_ended,
    )
    to.reactor("supervision.close", kinds=("case.stepped",), decide=reacting.close_taken)
    for name, run, help in ACTIONS:
        to.action(name, run, help=help)
    to.command("orders", commands, help="Orders between city and district.")
    to.right(
        "order.ask", zh="提请市级", en="Ask the city for help", scope="orders:write",
        posts=("operator", "shift_leader", "dispatcher"), tiers=("district",),
    )  # fmt: skip
    to.router("/api/v1", _routes)


def _routes(node: NodeContext) -> APIRouter:
    from wanmi_supervision.api import build_api

    return build_api(node)
