"""Admin actions for tasks: what the command line, the demo and scripts call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

import msgspec

from wanmi.errors import BadInput
from wanmi.registry import AdminResult, NodeContext, Progress, Registry
from wanmi_casework.tasks import TaskAsk, TaskDesk

T = TypeVar("T")


class _Which(msgspec.Struct, frozen=True):
    case: str | None = None
    terminal: str | None = None
    limit: int = 200


class _Withdraw(msgspec.Struct, frozen=True):
    task_id: str
    reason: str


def register_task_actions(to: Registry) -> None:
    """``task.send``, ``task.withdraw``, ``task.list``."""
    to.action("task.send", send_task, help="Send a verify, check or survey task to a terminal.")
    to.action("task.withdraw", withdraw_task, help="Withdraw an open task.")
    to.action("task.list", list_tasks, help="Tasks of this district, the newest first.")


def send_task(node: NodeContext, given: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    """Fields of TaskAsk; answers ``task_id``."""
    yield {"task_id": TaskDesk(node).send(_read(given, TaskAsk))}


def withdraw_task(node: NodeContext, given: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    """``task_id`` and ``reason``."""
    ask = _read(given, _Withdraw)
    TaskDesk(node).withdraw(ask.task_id, ask.reason)
    yield {"task_id": ask.task_id, "state": "withdrawn"}


def list_tasks(node: NodeContext, given: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    """Optional ``case``, ``terminal``, ``limit``; answers ``tasks``."""
    ask = _read(given, _Which)
    views = TaskDesk(node).tasks(case=ask.case, terminal=ask.terminal, limit=ask.limit)
    yield {"tasks": [asdict(view) for view in views]}


def _read(given: Mapping[str, Any], kind: type[T]) -> T:
    try:
        return msgspec.convert(dict(given), kind, strict=True)
    except msgspec.ValidationError as error:
        raise BadInput(f"task: {error}") from error
