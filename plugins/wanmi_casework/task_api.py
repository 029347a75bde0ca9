"""HTTP: tasks for terminals, under /api/v1/tasks: lists, one with its answer, sending, recalling, deciding on an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from wanmi.errors import BadInput
from wanmi.registry import NodeContext
from wanmi.reports.bodies import Outcome
from wanmi.reports.tasks import TaskKind
from wanmi.web.bounds import E7, Count, Id, Time, Words
from wanmi.web.callers import Caller, Reading, needs
from wanmi_casework.desk import CaseDesk
from wanmi_casework.routing.conditions import Facts
from wanmi_casework.task_sending import USUAL, By, CaseTaskAsk, Proposal, propose, send_for_case
from wanmi_casework.task_views import MOST, TaskFilter, TaskPage, TaskView, find_view, list_tasks
from wanmi_casework.task_weighing import decide_answer
from wanmi_casework.tasks import TaskAsk, TaskDesk, check_reason

DECIDE = "task.decide"
"""The right to decide on answers that wait."""


@dataclass(frozen=True)
class TaskIn:
    """A task to send. verify and check name their ``case`` and take its place; a survey names category and place.

    ``terminal`` left out: that of the collector whom routing names for the grid. ``deadline`` µs UTC; left out: the
    clock of the case's step, two hours for a survey. ``expect`` is the version of the case that was looked at.
    """

    kind: TaskKind
    case: Id | None = None
    terminal: Id = ""
    deadline: Time | None = None
    remark: Words = ""
    category: Id = ""
    grid: Id | None = None
    lon_e7: E7 | None = None
    lat_e7: E7 | None = None
    expect: Count | None = None


@dataclass(frozen=True)
class SentOut:
    """The task as it was sent, and why to this terminal: ``asked`` for, by a ``rule`` of routing, or the ``reporter``."""

    task: TaskView
    by: By
    rule: str | None


@dataclass(frozen=True)
class RecallIn:
    """Why nobody need go."""

    reason: Words


@dataclass(frozen=True)
class AcceptIn:
    """Whether an answer that waits counts, and why."""

    accepted: bool
    opinion: Words


def task_routes(node: NodeContext) -> APIRouter:
    """The routes of tasks."""
    router, desk = APIRouter(tags=["tasks"]), CaseDesk(node)
    _looking(router, desk)
    _sending(router, desk)
    return router


def _looking(router: APIRouter, desk: CaseDesk) -> None:
    node = desk.node

    @router.get("/tasks")
    @needs("task.read")
    def tasks(
        state: Literal["", "open", "withdrawn", "judged"] = "",
        kind: Literal["", "verify", "check", "survey"] = "",
        outcome: Outcome | Literal[""] = "",
        terminal: Id = "",
        case: Id = "",
        district: Annotated[str, Query(max_length=10)] = "",
        cursor: Annotated[str, Query(max_length=200)] = "",
        limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    ) -> TaskPage:
        """Tasks, newest first. ``outcome=waits`` is the queue of answers to decide on. Follow ``next`` to the last page."""
        return list_tasks(node, TaskFilter(state, kind, outcome, terminal, case, district), cursor, limit)

    @router.get("/tasks/proposal")
    @needs("task.read")
    def proposal(case: Id) -> Proposal:
        """Whose terminal a task for the case would go to, and why."""
        return propose(node, desk.own(case))

    @router.get("/tasks/{task}")
    @needs("task.read")
    def task(task: Id) -> TaskView:
        """One task: its answer, whether the collector was there and the doubts, what became of it."""
        return find_view(node, task)


def _sending(router: APIRouter, desk: CaseDesk) -> None:
    node = desk.node

    @router.post("/tasks", status_code=201)
    @needs("task.send")
    def send(caller: Reading, ask: TaskIn) -> SentOut:
        """Send a task to a terminal; a case takes its step (``send_verify``, ``send_check``) in the same transaction."""
        task_id, chosen = _survey(desk, caller, ask) if ask.kind == "survey" else _for_case(desk, caller, ask)
        return SentOut(find_view(node, task_id), chosen.by, chosen.rule)

    @router.post("/tasks/{task}/recall")
    @needs("task.send")
    def recall(caller: Reading, task: Id, ask: RecallIn) -> TaskView:
        """Withdraw an open task: the terminal is told. 409 when it was answered or withdrawn before."""
        check_reason(task, ask.reason)
        TaskDesk(node).withdraw(task, ask.reason, caller.actor.id)
        return find_view(node, task)

    @router.post("/tasks/{task}/decision")
    @needs(DECIDE)
    def decide(caller: Reading, task: Id, ask: AcceptIn) -> TaskView:
        """Accept an answer that waits (its step is taken then), or set it aside. 409 when it does not wait."""
        decide_answer(desk, task, ask.accepted, caller.actor, ask.opinion)
        return find_view(node, task)


def _for_case(desk: CaseDesk, caller: Caller, ask: TaskIn) -> tuple[str, Proposal]:
    if ask.kind == "survey" or ask.case is None:
        raise BadInput(f"a {ask.kind} task belongs to a case; name the case, or send a survey")
    return send_for_case(
        desk, CaseTaskAsk(ask.kind, ask.case, ask.terminal, ask.deadline, ask.remark, ask.expect), caller.actor
    )


def _survey(desk: CaseDesk, caller: Caller, ask: TaskIn) -> tuple[str, Proposal]:
    if ask.case is not None:
        raise BadInput("a survey belongs to no case; leave the case out, or send a verify or check task")
    if not ask.category or ask.lon_e7 is None or ask.lat_e7 is None:
        raise BadInput("a survey needs category, lon_e7 and lat_e7 (WGS-84)")
    node = desk.node
    asked = Proposal(ask.terminal, "asked")
    chosen = asked if ask.terminal else propose(node, Facts("event", ask.category, ask.grid or node.code, "collector"))
    deadline = ask.deadline if ask.deadline is not None else node.clock.now() + USUAL
    task = TaskAsk(
        "survey", chosen.terminal, ask.category, ask.lon_e7, ask.lat_e7, deadline, None, ask.grid, ask.remark
    )
    return TaskDesk(node).send(task, caller.actor.id), chosen
