"""The API's description (OpenAPI): what FastAPI finds, with how to log in, how errors look, and the keys of writes."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

_PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457: what was wrong, which thing, what to do.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}
_ANSWER = {
    "description": "A problem",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "a request that is sent again with its key is done once and answered alike, for seven days",
    "schema": {"type": "string", "maxLength": 100},
}
_LOGINS = {
    "token": {"type": "http", "scheme": "bearer", "description": "wanmi token add DIR NAME --scope …"},
    "session": {"type": "apiKey", "in": "cookie", "name": "wanmi_CODE", "description": "a person's login"},
}
_API = "/api/v1/"
_OWN = "/api/v1/self/"


class DescribedApp(FastAPI):
    """FastAPI that tells of problems, logins and keys, too."""

    def openapi(self) -> dict[str, Any]:
        """The description, made once."""
        if self.openapi_schema is None:
            schema = super().openapi()
            _complete(schema)
        return self.openapi_schema or {}


def _complete(schema: dict[str, Any]) -> None:
    parts = schema.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = _PROBLEM
    parts["securitySchemes"] = _LOGINS
    for path, operations in schema.get("paths", {}).items():
        for method, operation in operations.items():
            operation["responses"].pop("422", None)
            operation["responses"] |= {"4XX": _ANSWER, "5XX": _ANSWER}
            if path.startswith(_API):
                operation["security"] = [{"token": []}, {"session": []}]
            if method == "post" and path.startswith(_API) and not path.startswith(_OWN):
                _add_key(operation)


def _add_key(operation: dict[str, Any]) -> None:
    given = operation.setdefault("parameters", [])
    if not any(one["name"].lower() == "idempotency-key" for one in given):
        given.append(_KEY)
