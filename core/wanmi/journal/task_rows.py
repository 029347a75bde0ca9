"""Projections of tasks, answers and track segments; the core's, since edges and districts read the same entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Index, Integer, String, Text, select, update
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.entries import Entry
from wanmi.errors import BadInput
from wanmi.journal.projecting import body_of
from wanmi.kinds import Attachment
from wanmi.models import AttachmentRow, Row, mark, table
from wanmi.registry import Registry
from wanmi.reports import bodies
from wanmi.store import upsert_rows


class TaskRow(Row):
    """A task as its district's entries add up to it; ``state``: open, withdrawn, judged. ``remark`` names a blob.

    ``outcome`` is what its answer did to the case (``wanmi.reports.bodies.Outcome``), null for a survey or before.
    """

    __tablename__ = "task"
    district: Mapped[str] = mapped_column(String(10), primary_key=True)
    task_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    terminal: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(10))
    case: Mapped[str | None] = mapped_column(String(60))
    category: Mapped[str] = mapped_column(String(8))
    lon_e7: Mapped[int] = mapped_column(BigInteger)
    lat_e7: Mapped[int] = mapped_column(BigInteger)
    grid: Mapped[str | None] = mapped_column(String(20))
    deadline: Mapped[int] = mapped_column(BigInteger)
    remark: Mapped[str | None] = mapped_column(String(64))
    sent_at: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(10))
    result: Mapped[str | None] = mapped_column(String(10))
    presence: Mapped[str | None] = mapped_column(String(10))
    late: Mapped[int] = mapped_column(Integer)
    outcome: Mapped[str | None] = mapped_column(String(10))
    why: Mapped[str | None] = mapped_column(String(12))
    changed_at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark(
        "projection",
        Index("task_terminal", "terminal", "state"),
        Index("task_case", "case"),
        Index("task_sent", "sent_at", "task_id"),
    )


class AnswerRow(Row):
    """An answer in an edge's chain; refusals have the id ``TASK_ID!first 16 digits of the digest``."""

    __tablename__ = "task_answer"
    edge: Mapped[str] = mapped_column(String(10), primary_key=True)
    task_id: Mapped[str] = mapped_column(String(60), primary_key=True)
    terminal: Mapped[str] = mapped_column(String(20), primary_key=True)
    report_id: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    seq: Mapped[int] = mapped_column(BigInteger)
    made_at: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str | None] = mapped_column(Text)
    __table_args__ = mark(
        "projection", Index("task_answer_seq", "edge", "seq"), Index("task_answer_made", "terminal", "made_at")
    )


class TrackRow(Row):
    """A sealed segment of a terminal's track."""

    __tablename__ = "track"
    edge: Mapped[str] = mapped_column(String(10), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    terminal: Mapped[str] = mapped_column(String(20))
    start: Mapped[int] = mapped_column(BigInteger)
    end: Mapped[int] = mapped_column(BigInteger)
    fixes: Mapped[int] = mapped_column(Integer)
    distance_m: Mapped[int] = mapped_column(BigInteger)
    blob: Mapped[str] = mapped_column(String(64))
    __table_args__ = mark("projection", Index("track_terminal", "terminal", "start"))


TASKS = ("task.sent", "task.withdrawn", "task.judged", "task.weighed")


def register_tasks(to: Registry) -> None:
    """Kinds and projections of tasks and tracks."""
    to.entry_kind("task.sent", bodies.TaskSent, zh="任务下发", en="Task sent")
    to.entry_kind("task.withdrawn", bodies.TaskWithdrawn, zh="任务撤回", en="Task withdrawn")
    to.entry_kind("task.answered", bodies.TaskAnswered, zh="任务回复", en="Task answered")
    to.entry_kind("task.refused", bodies.TaskRefused, zh="任务回复拒收", en="Task answer refused")
    to.entry_kind("task.judged", bodies.TaskJudged, zh="任务认定", en="Task judged")
    to.entry_kind("task.weighed", bodies.TaskWeighed, zh="任务回复处理", en="Task answer weighed")
    to.entry_kind("answer.relayed", bodies.AnswerRelayed, zh="任务回复转交", en="Task answer relayed")
    to.entry_kind("track.sealed", bodies.TrackSealed, zh="轨迹封存", en="Track sealed")
    to.projection("tasks", kinds=TASKS, rows=(TaskRow,), apply=project_tasks)
    to.projection("answers", kinds=("task.answered", "task.refused"), rows=(AnswerRow,), apply=project_answers)
    to.projection("tracks", kinds=("track.sealed",), rows=(TrackRow,), apply=project_tracks)
    to.projection(
        "task_attachments",
        kinds=("task.sent", "task.answered", "answer.relayed", "track.sealed"),
        rows=(AttachmentRow,),
        apply=project_task_attachments,
    )


def project_tasks(tx: Connection, entries: Sequence[Entry]) -> None:
    """Tasks by (district, task id): sent once, then withdrawn or judged."""
    for entry in entries:
        if entry.kind == "task.sent":
            _send(tx, entry)
        elif entry.kind == "task.withdrawn":
            _close(tx, entry, body_of(entry, bodies.TaskWithdrawn).task_id, "open", {"state": "withdrawn"})
        elif entry.kind == "task.weighed":
            _weigh(tx, entry)
        else:
            body = body_of(entry, bodies.TaskJudged)
            values = {"state": "judged", "result": body.result, "presence": body.presence.grade, "late": int(body.late)}
            _close(tx, entry, body.task_id, None, values)


def _send(tx: Connection, entry: Entry) -> None:
    body = body_of(entry, bodies.TaskSent)
    if entry.version != 1 or entry.subject != bodies.task_subject(entry.origin, body.task_id):
        raise BadInput(f"{entry.subject}: task {body.task_id} of {entry.origin} is sent once, under its own subject")
    row = (
        entry.origin, body.task_id, body.terminal, body.kind, body.case, body.category, body.lon_e7, body.lat_e7, body.grid,
        body.deadline, body.remark.blob if body.remark else None, entry.at, "open", None, None, 0, None, None,
        entry.at,
    )  # fmt: skip
    upsert_rows(tx, TaskRow, [row])


def _close(tx: Connection, entry: Entry, task_id: str, only_from: str | None, values: dict[str, Any]) -> None:
    row = table(TaskRow)
    which = (row.c.district == entry.origin) & (row.c.task_id == task_id)
    state = tx.execute(select(row.c.state).where(which)).scalar()
    if state is None or state == "judged" or (only_from is not None and state != only_from):
        raise BadInput(f"task {task_id} of {entry.origin} is {state or 'not known'}: {entry.kind} cannot follow")
    tx.execute(update(row).where(which).values(changed_at=entry.at, **values))


def _weigh(tx: Connection, entry: Entry) -> None:
    body, row = body_of(entry, bodies.TaskWeighed), table(TaskRow)
    which = (row.c.district == entry.origin) & (row.c.task_id == body.task_id) & (row.c.state == "judged")
    values = {"outcome": body.outcome, "why": body.why, "changed_at": entry.at}
    if not tx.execute(update(row).where(which).values(**values)).rowcount:
        raise BadInput(f"task {body.task_id} of {entry.origin} was not answered: nothing can be weighed")


def project_answers(tx: Connection, entries: Sequence[Entry]) -> None:
    """Answers by (edge, task id, terminal), and refusals beside them."""
    rows: list[tuple[Any, ...]] = []
    for entry in entries:
        if entry.kind == "task.answered":
            body = body_of(entry, bodies.TaskAnswered)
            reason = "too_late" if body.late else None
            rows.append(
                (entry.origin, body.task_id, body.terminal, body.report_id, body.digest, entry.seq, body.made_at, "kept",
                 reason)
            )  # fmt: skip
        else:
            no = body_of(entry, bodies.TaskRefused)
            rows.append(
                (entry.origin, f"{no.task_id}!{no.digest[:16]}", no.terminal, no.report_id, no.digest, entry.seq, entry.at,
                 "refused", no.reason)
            )  # fmt: skip
    upsert_rows(tx, AnswerRow, rows)


def project_tracks(tx: Connection, entries: Sequence[Entry]) -> None:
    """Sealed segments by the entry that seals them."""
    rows = []
    for entry in entries:
        body = body_of(entry, bodies.TrackSealed)
        rows.append(
            (entry.origin, entry.seq, body.terminal, body.start, body.end, body.fixes, body.distance_m, body.way.blob)
        )
    upsert_rows(tx, TrackRow, rows)


def project_task_attachments(tx: Connection, entries: Sequence[Entry]) -> None:
    """Which sealed blobs these entries name: remarks, photos of answers, tracks."""
    rows: list[tuple[Any, ...]] = []
    for entry in entries:
        for n, item in enumerate(_attachments(entry)):
            rows.append(
                (entry.origin, entry.seq, n, entry.subject, item.role, item.media, item.size, item.digest, item.blob)
            )
    upsert_rows(tx, AttachmentRow, rows)


def _attachments(entry: Entry) -> list[Attachment]:
    if entry.kind == "task.answered":
        return body_of(entry, bodies.TaskAnswered).attachments
    if entry.kind == "answer.relayed":
        return body_of(entry, bodies.AnswerRelayed).answer.attachments
    if entry.kind == "track.sealed":
        return [body_of(entry, bodies.TrackSealed).way]
    remark = body_of(entry, bodies.TaskSent).remark
    return [remark] if remark else []
