"""/openapi.json and /docs: the API's description and its explorer, from files in the package, behind the login."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, FastAPI
from starlette.responses import HTMLResponse, JSONResponse, Response

from wanmi.errors import NeedsExtra, NotFound
from wanmi.web.callers import Reading, needs

_OWN = {"explorer.js": "text/javascript", "explorer.css": "text/css"}
_VENDOR = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_PAGE = """<!doctype html>
<html lang="zh-Hans">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Wanmi API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/explorer.css">
</head>
<body>
<main id="explorer"></main>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/explorer.js"></script>
</body>
</html>
"""


class ExplorerMissing(NeedsExtra):
    """The browser files of the API explorer are not in this install."""

    def __init__(self, name: str) -> None:
        Exception.__init__(
            self,
            f"{name} is not in this install: the build puts it there (`pip install -e .` with npm on the path); "
            "/openapi.json works without it",
        )


def explorer_routes(app: FastAPI) -> APIRouter:
    """Routes of the API's description."""
    router = APIRouter(include_in_schema=False)

    @router.get("/openapi.json")
    @needs("docs.read")
    async def openapi(_caller: Reading) -> Response:
        return JSONResponse(app.openapi())

    @router.get("/docs")
    @needs("docs.read")
    async def docs(_caller: Reading) -> Response:
        for name in _VENDOR:
            _file(name)
        return HTMLResponse(_PAGE)

    @router.get("/docs/{name}")
    @needs("docs.read")
    async def docs_file(_caller: Reading, name: str) -> Response:
        media = {**_OWN, **_VENDOR}.get(name)
        if media is None:
            raise NotFound(f"/docs/{name}: no such file")
        return Response(_file(name).read_bytes(), media_type=media, headers={"cache-control": "private, max-age=3600"})

    return router


def _file(name: str) -> Traversable:
    static = files("wanmi") / "static"
    file = static / "vendor" / name if name in _VENDOR else static / name
    if not file.is_file():
        raise ExplorerMissing(name)
    return file
