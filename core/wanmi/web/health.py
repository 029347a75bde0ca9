"""/healthz for load balancers, /metrics for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wanmi.registry import NodeContext
from wanmi.web.callers import Reading, needs, open_route


class Meter:
    """Counts answers and their seconds by method and status; ASGI middleware shares it."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], int] = {}

    def count(self, method: str, status: int) -> None:
        """One more answer."""
        key = (method, str(status))
        self.answers[key] = self.answers.get(key, 0) + 1


class Metering:
    """ASGI middleware: tells the meter about every answer."""

    def __init__(self, app: ASGIApp, meter: Meter) -> None:
        self._app = app
        self._meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and count its answer."""

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._meter.count(scope["method"], message["status"])
            await send(message)

        await self._app(scope, receive, counting if scope["type"] == "http" else send)


def health_routes(node: NodeContext, meter: Meter) -> APIRouter:
    """/healthz (open) and /metrics (closed)."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", response_class=JSONResponse)
    @open_route
    async def healthz() -> Response:
        """``ok`` or ``degraded``; reasons only behind the login."""
        bad = any(line.state == "bad" for line in node.health())
        return JSONResponse({"status": "degraded" if bad else "ok"})

    @router.get("/metrics", response_class=Response)
    @needs("metrics.read")
    async def metrics(_caller: Reading) -> Response:
        """Prometheus text."""
        from wanmi.web.metrics import CONTENT_TYPE_LATEST, write_metrics

        return Response(write_metrics(node, meter.answers), media_type=CONTENT_TYPE_LATEST)

    return router
