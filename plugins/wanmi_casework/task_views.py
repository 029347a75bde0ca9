"""Tasks as lists and pages show them: by district, newest first; one with its answer, how it was judged, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from wanmi.errors import BadInput, NotFound
from wanmi.journal import body_of
from wanmi.journal.task_rows import TaskRow
from wanmi.models import TerminalRow, table
from wanmi.query.filters import read_cursor, write_cursor
from wanmi.registry import NodeContext
from wanmi.reports.bodies import TaskJudged, TaskWeighed, TaskWithdrawn, task_subject

MOST = 500
"""Tasks on one page."""


@dataclass(frozen=True)
class TaskLine:
    """A task in a list; times µs UTC. ``outcome`` is what its answer did to the case, null for a survey or before."""

    task_id: str
    district: str
    kind: str
    state: str
    case: str | None
    terminal: str
    holder: str | None
    category: str
    grid: str | None
    lon_e7: int
    lat_e7: int
    sent_at: int
    deadline: int
    overdue: bool
    result: str | None
    presence: str | None
    late: bool
    outcome: str | None
    why: str | None


@dataclass(frozen=True)
class TaskPage:
    """A page of tasks, newest first; ``next`` is the cursor of the following page, null on the last one."""

    tasks: list[TaskLine]
    next: str | None


@dataclass(frozen=True)
class PhotoLine:
    """A sealed part of an answer: ``GET /blobs/{blob}`` opens it."""

    role: str
    media: str
    size: int
    blob: str


@dataclass(frozen=True)
class AnswerView:
    """An answer as the district took it. ``entry`` is ``EDGE:SEQ`` of the terminal's signed bytes.

    ``presence`` is the grade with its ``doubts``; ``distance_m`` from the place, ``speed_mps`` between two fixes, which
    the entries ``compared`` hold.
    """

    entry: str
    result: str
    made_at: int
    judged_at: int
    late: bool
    withdrawn: bool
    presence: str
    distance_m: int
    speed_mps: int | None
    doubts: list[str]
    compared: list[str]
    attachments: list[PhotoLine]


@dataclass(frozen=True)
class WeighedView:
    """What an answer did to its case, and who said so (null: the node by the step table)."""

    at: int
    outcome: str
    why: str
    told: str
    step: str | None
    actor: str | None
    post: str | None
    opinion: str


@dataclass(frozen=True)
class TaskView(TaskLine):
    """A task with all that is known of it; ``remark`` is the sealed blob of what the collector was told."""

    sent_by: str | None
    remark: str | None
    withdrawn_why: str | None
    answer: AnswerView | None
    weighed: list[WeighedView]


@dataclass(frozen=True)
class TaskFilter:
    """Which tasks; an empty field asks for all."""

    state: str = ""
    kind: str = ""
    outcome: str = ""
    terminal: str = ""
    case: str = ""
    district: str = ""


def list_tasks(node: NodeContext, wanted: TaskFilter, cursor: str = "", limit: int = 50) -> TaskPage:
    """A page of the tasks that fit."""
    if not 1 <= limit <= MOST:
        raise BadInput(f"limit {limit}: must be 1 to {MOST}")
    row = table(TaskRow).c
    fits = [getattr(row, name) == value for name, value in vars(wanted).items() if value]
    if cursor:
        fits.append(_after(cursor))
    query = _lines().where(*fits).order_by(row.sent_at.desc(), row.task_id.desc()).limit(limit + 1)
    with node.store.reader() as tx:
        rows = tx.execute(query).all()
    lines = [TaskLine(**_values(one, node.clock.now())) for one in rows[:limit]]
    return TaskPage(lines, write_cursor(lines[-1].sent_at, lines[-1].task_id) if len(rows) > limit else None)


def find_view(node: NodeContext, task_id: str) -> TaskView:
    """A task with its answer; NotFound."""
    row = table(TaskRow).c
    with node.store.reader() as tx:
        found = tx.execute(_lines(row.remark).where(row.task_id == task_id).order_by(row.sent_at)).first()
    if found is None:
        raise NotFound(f"task {task_id[:60]}: not known at this node")
    entries = [
        one.entry for one in node.journal.subject(task_subject(found.district, task_id)) if one.entry is not None
    ]
    own = [one for one in entries if one.origin == found.district]
    withdrawn = [body_of(one, TaskWithdrawn).reason for one in own if one.kind == "task.withdrawn"]
    judged = next((one for one in own if one.kind == "task.judged"), None)
    return TaskView(
        **_values(found, node.clock.now()),
        sent_by=next((one.actor for one in own if one.kind == "task.sent"), None),
        remark=found.remark,
        withdrawn_why=withdrawn[0] if withdrawn else None,
        answer=None if judged is None else _answer(body_of(judged, TaskJudged), judged.at),
        weighed=[_weighed(one.at, one.actor, body_of(one, TaskWeighed)) for one in own if one.kind == "task.weighed"],
    )


def _lines(*more: Any) -> Any:
    task, terminal = table(TaskRow).c, table(TerminalRow).c
    same = (terminal.district == task.district) & (terminal.terminal == task.terminal)
    named = [task[name] for name in _FIELDS]
    return select(*named, terminal.holder, *more).outerjoin_from(table(TaskRow), table(TerminalRow), same)


_FIELDS = (
    "task_id", "district", "kind", "state", "case", "terminal", "category", "grid", "lon_e7", "lat_e7", "sent_at", "deadline",
    "result", "presence", "late", "outcome", "why",
)  # fmt: skip


def _values(row: Any, now: int) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in _FIELDS}
    overdue = row.state == "open" and row.deadline < now
    return {**values, "late": bool(row.late), "why": row.why or None, "holder": row.holder, "overdue": overdue}


def _answer(body: TaskJudged, at: int) -> AnswerView:
    seen = body.presence
    parts = [PhotoLine(one.role, one.media, one.size, one.blob) for one in body.attachments]
    return AnswerView(
        body.answer, body.result, body.made_at, at, body.late, body.withdrawn, seen.grade, seen.distance_m, seen.speed_mps,
        list(seen.reasons), list(seen.compared), parts,
    )  # fmt: skip


def _weighed(at: int, actor: str | None, body: TaskWeighed) -> WeighedView:
    return WeighedView(at, body.outcome, body.why, body.told, body.step, actor, body.post, body.opinion)


def _after(cursor: str) -> ColumnElement[bool]:
    at, task_id = read_cursor(cursor)
    row = table(TaskRow).c
    return or_(row.sent_at < at, and_(row.sent_at == at, row.task_id < task_id))
