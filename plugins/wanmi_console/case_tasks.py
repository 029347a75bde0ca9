"""The tasks of a case for its page: to whose terminal, what came back, and whether the collector was there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, select

from wanmi.journal import body_of
from wanmi.journal.task_rows import TaskRow
from wanmi.models import TerminalRow, table
from wanmi.registry import NodeContext
from wanmi.reports.bodies import TaskJudged, task_subject
from wanmi_console.words import n_

MOST = 50
"""Tasks of one case that are shown; the newest."""
KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {"verify": n_("Verify task"), "check": n_("Check task"), "survey": n_("Survey")}
)
STATES: Final[Mapping[str, str]] = MappingProxyType(
    {"open": n_("no answer yet"), "withdrawn": n_("withdrawn"), "judged": n_("answered")}
)
RESULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "verify/yes": n_("it exists"),
        "verify/no": n_("it does not exist"),
        "check/yes": n_("the work is done"),
        "check/no": n_("the work is not done"),
        "unclear": n_("cannot tell"),
    }
)
GRADES: Final[Mapping[str, str]] = MappingProxyType(
    {"fine": n_("was there"), "doubtful": n_("presence in doubt"), "absent": n_("was not there")}
)
GRADE_MARKS: Final[Mapping[str, str]] = MappingProxyType({"fine": "fine", "doubtful": "warn", "absent": "bad"})
"""The page's colours of presence."""
DOUBTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "too_far": n_("too far from the place"),
        "not_near": n_("not near the place"),
        "not_gnss": n_("no satellite fix"),
        "poor_accuracy": n_("poor accuracy"),
        "few_satellites": n_("few satellites"),
        "old_fix": n_("the fix is old"),
        "fix_after": n_("the fix is later than the answer"),
        "fast": n_("moved fast between two fixes"),
        "impossible_speed": n_("moved impossibly fast between two fixes"),
    }
)
OUTCOMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "moved": n_("moved the case"),
        "waits": n_("waits for a decision"),
        "late": n_("came after the case had moved on"),
        "accepted": n_("accepted by a person"),
        "set_aside": n_("set aside by a person"),
    }
)


@dataclass(frozen=True)
class CaseTask:
    """A task as its row tells it; times µs UTC. ``doubts`` and ``distance_m`` need the entry, which not every node holds."""

    district: str
    task_id: str
    kind: str
    terminal: str
    holder: str | None
    state: str
    sent_at: int
    deadline: int
    result: str | None
    presence: str | None
    late: bool
    outcome: str | None
    doubts: tuple[str, ...] = ()
    distance_m: int | None = None
    answered_at: int | None = None

    @property
    def said(self) -> str:
        """The answer, as ``RESULTS`` names it; empty before."""
        return "" if self.result is None else "unclear" if self.result == "unclear" else f"{self.kind}/{self.result}"

    def overdue(self, now: int) -> bool:
        """Whether its answer is missing although its time is over."""
        return self.state == "open" and self.deadline < now


def tasks_of(node: NodeContext, tx: Connection, number: str) -> list[CaseTask]:
    """The newest tasks about a case; ask only for a case that the caller sees."""
    task, terminal = table(TaskRow), table(TerminalRow)
    same = (terminal.c.district == task.c.district) & (terminal.c.terminal == task.c.terminal)
    query = select(task, terminal.c.holder).outerjoin_from(task, terminal, same).where(task.c.case == number)
    newest = query.order_by(task.c.sent_at.desc(), task.c.task_id.desc()).limit(MOST)
    return [_task(node, row) for row in tx.execute(newest)]


def _task(node: NodeContext, row: Any) -> CaseTask:
    judged = _judged(node, row.district, row.task_id) if row.state == "judged" else None
    seen = None if judged is None else judged.presence
    return CaseTask(
        row.district, row.task_id, row.kind, row.terminal, row.holder, row.state, row.sent_at, row.deadline, row.result,
        row.presence, bool(row.late), row.outcome,
        () if seen is None else tuple(seen.reasons),
        None if seen is None else seen.distance_m,
        None if judged is None else judged.made_at,
    )  # fmt: skip


def _judged(node: NodeContext, district: str, task_id: str) -> TaskJudged | None:
    """How its district judged the answer; None where the entry is not held in full."""
    for one in node.journal.subject(task_subject(district, task_id)):
        if one.entry is not None and one.entry.kind == "task.judged" and one.entry.origin == district:
            return body_of(one.entry, TaskJudged)
    return None
