"""The JSON Schemas of the terminal's protocol, made from the types that the code decodes with."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from wanmi.reports import Answer, Card, Receipt, Report, Seen, Status, Task, TrackBatch, WireMessage
from wanmi.reports.asks import Ask, AskAnswer, AskWire, Granted
from wanmi.reports.rotations import KeyNote, Rotation, RotationWire

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_FILES: dict[str, type[Any]] = {
    "report.json": Report,
    "message.json": WireMessage,
    "receipt.json": Receipt,
    "terminal-card.json": Card,
    "task.json": Task,
    "seen.json": Seen,
    "answer.json": Answer,
    "track.json": TrackBatch,
    "status.json": Status,
    "rotation.json": Rotation,
    "rotation-message.json": RotationWire,
    "key-note.json": KeyNote,
    "ask.json": Ask,
    "ask-message.json": AskWire,
    "ask-answer.json": AskAnswer,
    "ask-granted.json": Granted,
}


def schema_files() -> dict[str, bytes]:
    """File name to content."""
    return {name: _written(kind) for name, kind in _FILES.items()}


def _written(kind: type[Any]) -> bytes:
    schema = {"$schema": _DRAFT, **_portable(msgspec.json.schema(kind))}
    return (json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def _portable(value: Any) -> Any:
    """Patterns without the guard against a final line feed (only Python's ``$`` needs it), descriptions in one line."""
    if isinstance(value, dict):
        return {key: _portable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_portable(item) for item in value]
    return " ".join(value.replace(r"(?!\n)$", "$").split()) if isinstance(value, str) else value
