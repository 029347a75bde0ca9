"""The JSON Schemas of the hotline's protocol, made from the types that the code decodes with."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from wanmi_hotline.events import Event
from wanmi_hotline.wrapup import CallBack, WrapUp

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_FILES: dict[str, type[Any]] = {"event.json": Event, "wrap-up.json": WrapUp, "call-back.json": CallBack}


def schema_files() -> dict[str, bytes]:
    """File name to content: what docs/hotline holds."""
    return {name: _written(kind) for name, kind in _FILES.items()}


def schema_of(name: str) -> dict[str, Any]:
    """The schema of a type by its name, whole in itself: for the API's description."""
    kind = next(one for one in _FILES.values() if one.__name__ == name)
    (shown,), parts = msgspec.json.schema_components([kind])
    whole: dict[str, Any] = _portable(_inlined(shown, parts))
    return whole


def _written(kind: type[Any]) -> bytes:
    schema = {"$schema": _DRAFT, **_portable(msgspec.json.schema(kind))}
    return (json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def _inlined(value: Any, parts: dict[str, Any]) -> Any:
    """Every reference replaced by what it names: in a larger document it would point outside."""
    if isinstance(value, dict):
        if "$ref" in value:
            return _inlined(parts[value["$ref"].rpartition("/")[2]], parts)
        return {key: _inlined(item, parts) for key, item in value.items()}
    return [_inlined(item, parts) for item in value] if isinstance(value, list) else value


def _portable(value: Any) -> Any:
    """Patterns without the guard against a final line feed (only Python's ``$`` needs it), descriptions in one line."""
    if isinstance(value, dict):
        return {key: _portable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_portable(item) for item in value]
    return " ".join(value.replace(r"(?!\n)$", "$").split()) if isinstance(value, str) else value
