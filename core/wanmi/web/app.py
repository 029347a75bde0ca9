"""The app of a node: the core's routes, the plugins' routes, and what stands before them."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute, Route

from wanmi import __version__
from wanmi.errors import SettingsError
from wanmi.identity.rights import check_rights
from wanmi.registry import NodeContext
from wanmi.web.api_alarms import alarm_routes
from wanmi.web.api_cases import case_routes
from wanmi.web.api_codes import code_routes
from wanmi.web.api_events import event_routes
from wanmi.web.api_exports import export_routes
from wanmi.web.api_journal import journal_routes
from wanmi.web.api_people import people_routes, self_routes
from wanmi.web.api_reports import report_routes
from wanmi.web.api_self import who_routes
from wanmi.web.api_settings import settings_routes
from wanmi.web.api_terminals import terminal_routes
from wanmi.web.described import DescribedApp
from wanmi.web.doors import Doors, flat_routes
from wanmi.web.events import EventHub
from wanmi.web.explorer import explorer_routes
from wanmi.web.gate import Gate
from wanmi.web.headers import SecurityHeaders
from wanmi.web.health import Meter, Metering, health_routes
from wanmi.web.idempotency import Idempotency
from wanmi.web.problems import add_problem_handlers

API = "/api/v1"
LOGIN_ROUTE = "login"
"""Name of the route that a browser is sent to when it must log in (a plugin brings it)."""


def build_app(node: NodeContext) -> FastAPI:
    """The ASGI app of a node that stands: pages of its plugins, the JSON API, /healthz, /metrics, /docs."""
    app = DescribedApp(title=f"Wanmi {node.code}", version=__version__, openapi_url=None, docs_url=None, redoc_url=None)
    meter = Meter()
    app.state.events = EventHub(node)
    found: list[tuple[str, BaseRoute]] = []
    for prefix, router in _routers(node, app, meter):
        app.include_router(router, prefix=prefix)
        found += flat_routes(prefix, router.routes)
    add_problem_handlers(app)
    check_rights(node.registry.rights.values())
    app.state.doors = Doors(found, node.registry.rights)
    app.add_middleware(Idempotency, node=node, found=found)
    app.add_middleware(Gate, node=node, doors=app.state.doors, login=_login_path(found))
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Metering, meter=meter)
    return app


def _routers(node: NodeContext, app: FastAPI, meter: Meter) -> Iterator[tuple[str, APIRouter]]:
    yield "", health_routes(node, meter)
    yield API, case_routes(node)
    yield API, journal_routes(node)
    yield API, code_routes(node)
    yield API, people_routes(node)
    yield API, settings_routes(node)
    yield API, self_routes(node)
    yield API, who_routes(node)
    yield API, export_routes(node)
    yield API, report_routes(node)
    yield API, event_routes(node, app.state.events)
    yield API, alarm_routes(node)
    yield API, terminal_routes(node)
    yield "", explorer_routes(app)
    for routes in node.registry.routes:
        router = routes.build(node)
        if not isinstance(router, APIRouter):
            raise SettingsError(f"plugin {routes.plugin}: its routes {routes.prefix or '/'} are no APIRouter")
        yield routes.prefix, router


def _login_path(found: list[tuple[str, BaseRoute]]) -> str:
    paths = (prefix + route.path for prefix, route in found if isinstance(route, Route) and route.name == LOGIN_ROUTE)
    return next(paths, "")
