"""Admin actions for tasks: what the command line, the demo and scripts call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

import msgspec

from wanmi.errors import BadInput
from wanmi.hookspecs import Actor
from wanmi.registry import AdminResult, NodeContext, Progress, Registry
from wanmi_casework.desk import CaseDesk
from wanmi_casework.task_sending import CaseTaskAsk, send_for_case
from wanmi_casework.task_views import TaskFilter
from wanmi_casework.task_views import list_tasks as page_of_tasks
from wanmi_casework.task_weighing import decide_answer
from wanmi_casework.tasks import TaskAsk, TaskDesk

T = TypeVar("T")


class _Which(msgspec.Struct, frozen=True):
    case: str = ""
    terminal: str = ""
    state: str = ""
    outcome: str = ""
    cursor: str = ""
    limit: int = 200


class _Decide(msgspec.Struct, frozen=True):
    task_id: str
    accepted: bool
    opinion: str
    actor: str
    post: str


class _Withdraw(msgspec.Struct, frozen=True):
    task_id: str
    reason: str


def register_task_actions(to: Registry) -> None:
    """``task.send``, ``task.send_case``, ``task.withdraw``, ``task.decide``, ``task.list``."""
    to.action("task.send_case", send_case, help="Send a case to a collector's terminal: the step and the task.")
    to.action("task.decide", decide, help="Accept an answer that waits, or set it aside.")
    to.action("task.send", send_task, help="Send a verify, check or survey task to a terminal.")
    to.action("task.withdraw", withdraw_task, help="Withdraw an open task.")
    to.action("task.list", list_tasks, help="Tasks of this district, the newest first.")


def send_task(node: NodeContext, given: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    """Fields of TaskAsk; answers ``task_id``."""
    yield {"task_id": TaskDesk(node).send(_read(given, TaskAsk))}


def send_case(node: NodeContext, given: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    """Fields of CaseTaskAsk, with ``actor`` and ``post``; answers ``task_id``, ``terminal`` and why this one."""
    who = Actor(str(given.get("actor", "")), str(given.get("post", "")))
    ask = _read({name: value for name, value in given.items() if name not in ("actor", "post")}, CaseTaskAsk)
    task_id, chosen = send_for_case(CaseDesk(node), ask, who)
    yield {"task_id": task_id, **asdict(chosen)}


def decide(node: NodeContext, given: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    """``task_id``, ``accepted``, ``opinion``, ``actor``, ``post``."""
    ask = _read(given, _Decide)
    decide_answer(CaseDesk(node), ask.task_id, ask.accepted, Actor(ask.actor, ask.post), ask.opinion)
    yield {"task_id": ask.task_id, "accepted": ask.accepted}


def withdraw_task(node: NodeContext, given: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    """``task_id`` and ``reason``."""
    ask = _read(given, _Withdraw)
    TaskDesk(node).withdraw(ask.task_id, ask.reason)
    yield {"task_id": ask.task_id, "state": "withdrawn"}


def list_tasks(node: NodeContext, given: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    """Optional ``case``, ``terminal``, ``state``, ``outcome``, ``cursor``, ``limit``; answers ``tasks`` and ``next``."""
    ask = _read(given, _Which)
    wanted = TaskFilter(ask.state, "", ask.outcome, ask.terminal, ask.case, node.code)
    yield asdict(page_of_tasks(node, wanted, ask.cursor, ask.limit))


def _read(given: Mapping[str, Any], kind: type[T]) -> T:
    try:
        return msgspec.convert(dict(given), kind, strict=True)
    except msgspec.ValidationError as error:
        raise BadInput(f"task: {error}") from error
