"""Security headers on every answer that does not bring its own."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""For pages: nothing inline, nothing evaluated, nothing from elsewhere."""
CONTENT_CSP = "default-src 'none'; sandbox; frame-ancestors 'none'"
"""For content that people sent in (photos, texts): it may do nothing at all."""
PAGE_HEADERS: Mapping[str, str] = {
    "content-security-policy": PAGE_CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}

_ALL = tuple((name.encode(), value.encode()) for name, value in {**PAGE_HEADERS, "cache-control": "no-store"}.items())


class SecurityHeaders:
    """ASGI middleware: adds the headers above where an answer has none of that name, and forbids caching by default."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete the answer's headers."""

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name for name, _ in given}
                message["headers"] = given + [one for one in _ALL if one[0] not in names]
            await send(message)

        await self._app(scope, receive, complete if scope["type"] == "http" else send)
