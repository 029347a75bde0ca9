"""Errors as answers: problem+json (RFC 9457) for programs, a bare page for browsers."""

from __future__ import annotations

import html
from collections.abc import Mapping
from http import HTTPStatus

import orjson
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from wanmi.errors import (
    BadInput,
    Conflict,
    DeviceFault,
    DeviceUnreachable,
    NeedsExtra,
    NotAllowed,
    NotFound,
    StoreError,
    WanmiError,
)
from wanmi.web.headers import PAGE_HEADERS

_STATUS: tuple[tuple[type[WanmiError], int], ...] = (
    (BadInput, 422),
    (Conflict, 409),
    (NotAllowed, 403),
    (NotFound, 404),
    (NeedsExtra, 501),
    (StoreError, 503),
    (DeviceUnreachable, 504),
    (DeviceFault, 502),
)
_TITLES_ZH = {
    401: "请先登录",
    403: "无权进行此操作",
    404: "未找到",
    405: "不支持此方法",
    409: "已被他人改动",
    413: "请求过大",
    422: "输入有误",
    500: "节点内部错误",
    501: "缺少组件",
    502: "设备应答异常",
    503: "暂时不可用",
    504: "设备无应答",
}


def status_of(error: WanmiError) -> int:
    """The HTTP status of one of Wanmi's own errors."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def title_of(status: int) -> str:
    """The status in English, as the standard calls it."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def title_zh(status: int) -> str:
    """The status in Chinese."""
    return _TITLES_ZH.get(status, "出错了")


def wants_page(request: HTTPConnection) -> bool:
    """Whether a browser asks for a page (and not a program for JSON)."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")


def problem(
    request: HTTPConnection, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: object
) -> Response:
    """The answer for an error; carries the security headers itself, wherever it is made."""
    all_headers = {**PAGE_HEADERS, "cache-control": "no-store", **(headers or {})}
    if wants_page(request):
        return Response(_page(status, detail), status, all_headers, "text/html; charset=utf-8")
    body = {
        "type": "about:blank",
        "title": title_of(status),
        "status": status,
        "detail": detail,
        "instance": request.url.path,
        **more,
    }
    return Response(orjson.dumps(body), status, all_headers, "application/problem+json")


def add_problem_handlers(app: FastAPI) -> None:
    """Every error that leaves an endpoint becomes a problem; what nobody meant is logged by name."""
    log = structlog.get_logger("wanmi.web")

    async def on_wanmi(request: Request, error: Exception) -> Response:
        assert isinstance(error, WanmiError)  # noqa: S101 - registered for this type
        return problem(request, status_of(error), str(error))

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type
        return problem(request, error.status_code, str(error.detail), error.headers)

    async def on_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type
        wrong = [{"where": ".".join(map(str, one["loc"])), "message": str(one["msg"])} for one in error.errors()]
        detail = "; ".join(f"{one['where']}: {one['message']}" for one in wrong)
        return problem(request, 422, detail, errors=wrong)

    async def on_any(request: Request, error: Exception) -> Response:
        log.error("request_failed", method=request.method, path=request.url.path, exc_info=error)
        return problem(request, 500, "the node could not answer; its log says why")

    app.add_exception_handler(WanmiError, on_wanmi)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(Exception, on_any)


def _page(status: int, detail: str) -> str:
    return (
        '<!doctype html><html lang="zh-Hans"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        f"<title>{status} {html.escape(title_zh(status))}</title></head>"
        f'<body><main><h1>{html.escape(title_zh(status))} <span lang="en">{html.escape(title_of(status))}</span></h1>'
        f'<p lang="en">{html.escape(detail)}</p><p><a href="/">返回首页 <span lang="en">Home</span></a></p>'
        "</main></body></html>"
    )
