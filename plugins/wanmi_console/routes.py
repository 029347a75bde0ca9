"""The console's routes, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter

from wanmi_console.case_pages import case_routes
from wanmi_console.files import file_routes
from wanmi_console.home_page import home_routes
from wanmi_console.login_pages import login_routes
from wanmi_console.node_pages import node_routes
from wanmi_console.pages import Pages, page_route_class

if TYPE_CHECKING:
    from wanmi.registry import NodeContext


def build_routes(node: NodeContext) -> APIRouter:
    """Every page of the console on one router."""
    pages = Pages(node)
    router = APIRouter(include_in_schema=False, route_class=page_route_class(pages))
    file_routes(router)
    for add in (login_routes, home_routes, case_routes, node_routes):
        add(router, pages)
    return router
