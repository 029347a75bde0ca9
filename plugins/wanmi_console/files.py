"""The console's own files: style sheet, icon, script. Open, since the login page needs them; nothing else lies there."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from starlette.responses import Response

from wanmi.errors import NotFound
from wanmi.web import open_route

if TYPE_CHECKING:
    from fastapi import APIRouter

BASE = "/static/console"
_MEDIA = {"console.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}


def file_routes(router: APIRouter) -> None:
    """The route of the files."""

    @router.get(f"{BASE}/{{name}}", name="console-file")
    @open_route
    async def console_file(name: str) -> Response:
        """One file; its address changes with its content, so that browsers may keep it."""
        content, media = _content(name)
        return Response(content, media_type=media, headers={"cache-control": "public, max-age=86400"})


@lru_cache(maxsize=8)
def address(name: str) -> str:
    """The file's path with the first digits of its digest."""
    return f"{BASE}/{name}?v={hashlib.sha256(_content(name)[0]).hexdigest()[:10]}"


@lru_cache(maxsize=8)
def _content(name: str) -> tuple[bytes, str]:
    media = _MEDIA.get(name)
    if media is None:
        raise NotFound(f"{BASE}/{name}: no such file")
    return (files("wanmi_console") / "static" / name).read_bytes(), media
