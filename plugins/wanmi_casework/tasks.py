"""Tasks of a district for its terminals: sending, withdrawing, and taking an answer with its presence judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import Connection, select

from wanmi.coords import Point
from wanmi.entries import EVERYONE
from wanmi.errors import BadInput, Conflict, NotAllowed, NotFound
from wanmi.ids import ulid
from wanmi.journal.task_rows import AnswerRow, TaskRow
from wanmi.journal.terminal_keys import known_terminals
from wanmi.kinds import Attachment, home_district
from wanmi.models import EntryRow, ReportRow, table
from wanmi.registry import Draft, NodeContext, Stored
from wanmi.reports import Answer, Fix, Known, Report, digest_of, fix_of, judge_presence, text_part, verify_answer
from wanmi.reports.answers import decode_answer_envelope
from wanmi.reports.bodies import (
    PresenceJudged,
    TaskAnswered,
    TaskJudged,
    TaskSent,
    TaskWithdrawn,
    task_subject,
)
from wanmi.reports.envelope import SALT, decode_envelope, from_b64
from wanmi.reports.tasks import TaskKind
from wanmi.store import Sealed
from wanmi_casework.evidence import check_key
from wanmi_casework.relay import answer_of

NAME = "casework.judge_answer"
MAX_REMARK = 2000
"""Characters of a task's remark."""
AROUND = 2 * 3_600_000_000
"""µs before and after an answer within which another fix of the terminal is compared with it."""


@dataclass(frozen=True)
class TaskAsk:
    """What a terminal is to look at: WGS-84 in 1e-7 degree, deadline µs UTC; ``case`` null for a survey (专项普查)."""

    kind: TaskKind
    terminal: str
    category: str
    lon_e7: int
    lat_e7: int
    deadline: int
    case: str | None = None
    grid: str | None = None
    remark: str = ""


@dataclass(frozen=True)
class ReadyTask:
    """A task that was checked and not written yet: its draft, and the sealed remark that goes into the same transaction."""

    task_id: str
    draft: Draft
    remark: Sealed | None

    def write(self, node: NodeContext, tx: Connection) -> None:
        """Store the remark: for ``also`` of the append that writes the draft."""
        if self.remark is not None:
            node.blobs.add(tx, self.remark)


@dataclass(frozen=True)
class Compared:
    """Another fix of the terminal, and the entry that says it (``ORIGIN:SEQ``)."""

    entry: str
    fix: Fix


class TaskDesk:
    """Sends and withdraws the tasks of one district."""

    def __init__(self, node: NodeContext) -> None:
        self._node = node

    def prepare(self, ask: TaskAsk, actor: str | None = None, cause: str | None = None) -> ReadyTask:
        """A task ready to be appended, alone or together with a case's step.

        BadInput for a deadline that is over or a remark that is too long; NotFound for a terminal that is not admitted.
        """
        self._check(ask)
        now = self._node.clock.now()
        task_id = ulid(now, self._node.ids)
        content = text_part(ask.remark, self._node.ids.token(SALT)) if ask.remark else None
        sealed = self._node.blobs.seal(content) if content is not None else None
        remark = None
        if content is not None and sealed is not None:
            remark = Attachment("text", digest_of(content), len(content), "text/plain", sealed.blob)
        body = TaskSent(
            task_id,
            ask.kind,
            ask.case,
            ask.terminal,
            ask.category,
            ask.lon_e7,
            ask.lat_e7,
            ask.grid,
            ask.deadline,
            remark,
        )
        subject = task_subject(self._node.code, task_id)
        draft = Draft("task.sent", subject, body, EVERYONE, actor, cause, _by(self._node), expect=0)
        return ReadyTask(task_id, draft, sealed)

    def send(self, ask: TaskAsk, actor: str | None = None, cause: str | None = None) -> str:
        """Send a task; its id. It reaches the terminal by any edge of this district, now or when it is back."""
        ready = self.prepare(ask, actor, cause)
        self._node.journal.append(ready.draft, also=lambda tx, _: ready.write(self._node, tx)).result()
        return ready.task_id

    def withdraw(self, task_id: str, reason: str, actor: str | None = None) -> None:
        """Nobody need go. NotFound for an unknown task, Conflict for one that is not open any more."""
        row = find_task(self._node, task_id)
        if row.state != "open":
            raise Conflict(f"task {task_id} is {row.state}; only an open task can be withdrawn")
        self._node.journal.append(withdraw_draft(self._node, task_id, reason, actor)).result()

    def _check(self, ask: TaskAsk) -> None:
        if self._node.role != "district":
            raise NotAllowed(f"node {self._node.code} is no district: a district sends tasks to its own terminals")
        if ask.deadline <= self._node.clock.now():
            raise BadInput(f"task for {ask.terminal}: its deadline is over; give one that lies ahead")
        if len(ask.remark) > MAX_REMARK:
            raise BadInput(f"task for {ask.terminal}: a remark of {len(ask.remark)} characters, at most {MAX_REMARK}")
        if ask.kind != "survey" and ask.case is None:
            raise BadInput(f"task for {ask.terminal}: a {ask.kind} task belongs to a case; only a survey has none")
        known = terminal_keys(self._node, ask.terminal)
        if known is None or known.revoked:
            raise NotFound(f"terminal {ask.terminal} is not admitted by {self._node.code}; admit it, or choose another")


def check_reason(task_id: str, reason: str) -> None:
    """BadInput unless a withdrawal says why, in not too many words."""
    if not 0 < len(reason.strip()) <= MAX_REMARK:
        raise BadInput(f"task {task_id[:60]}: say why it is withdrawn, in at most {MAX_REMARK} characters")


def withdraw_draft(node: NodeContext, task_id: str, reason: str, actor: str | None) -> Draft:
    """The entry that ends a task which nobody has answered; Conflict at its append when somebody has, meanwhile."""
    subject = task_subject(node.code, task_id)
    return Draft("task.withdrawn", subject, TaskWithdrawn(task_id, reason), EVERYONE, actor, by=_by(node), expect=1)


def judge_answers(node: NodeContext, batch: Sequence[Stored]) -> Iterable[tuple[Stored, Draft]]:
    """The reactor: a draft of `task.judged` for each answer that a terminal of ours signed; the first answer counts."""
    if node.role != "district":
        return
    judged: set[str] = set()
    for stored in batch:
        brought = answer_of(stored)
        if brought is None or home_district(brought[0].terminal) != node.code:
            continue  # a guest's answer goes on to the city, which knows its home
        body, said_by, at = brought
        try:
            draft = _judge(node, said_by, body, at) if body.task_id not in judged else None
        except (BadInput, NotFound) as error:
            structlog.get_logger("wanmi.casework").error(
                "answer_not_judged", origin=stored.origin, seq=stored.seq, error=str(error)
            )
            continue
        if draft is not None:
            judged.add(body.task_id)
            yield stored, draft


def _judge(node: NodeContext, said_by: str, body: TaskAnswered, at: int) -> Draft | None:
    task = find_task(node, body.task_id)
    if task.state == "judged":
        return None
    if task.terminal != body.terminal:
        raise BadInput(f"task {body.task_id} was sent to {task.terminal}, not to {body.terminal}")
    answer = signed_answer(body, terminal_keys(node, body.terminal), at)
    compared = list(fixes_around(node, body.terminal, answer.made_at, said_by))
    place = Point(task.lon_e7, task.lat_e7)
    found = judge_presence(fix_of(answer), place, tuple(one.fix for one in compared))
    presence = PresenceJudged(
        found.grade, found.distance_m, found.speed_mps, list(found.reasons), [one.entry for one in compared]
    )
    said = TaskJudged(
        body.task_id, task.kind, task.case, body.terminal, said_by, answer.result, answer.made_at,
        answer.made_at > task.deadline, task.state == "withdrawn", presence, body.attachments,
    )  # fmt: skip
    return Draft("task.judged", task_subject(node.code, body.task_id), said, EVERYONE, body.terminal, by=_by(node))


def signed_answer(body: TaskAnswered, terminal: Known | None, at: int) -> Answer:
    """The answer that the terminal signed, and an edge journaled at ``at``: the district believes the signature, not the edge.

    BadInput when the signature fits no key that counted then, or when the entry says something else than the terminal did.
    """
    raw = from_b64(body.envelope)
    answer = decode_answer_envelope(raw)
    what = f"answer of {body.terminal} to task {body.task_id}"
    if terminal is None:
        raise BadInput(f"{what}: the terminal was never admitted here")
    check_key(what, terminal, partial(verify_answer, raw, from_b64(body.sig)), at)
    said = (answer.terminal, answer.task_id, answer.report_id, answer.result, answer.made_at, digest_of(raw))
    if said != (body.terminal, body.task_id, body.report_id, body.result, body.made_at, body.digest):
        raise BadInput(f"{what}: the entry says something else than the terminal")
    if [(one.role, one.digest) for one in answer.attachments] != [(one.role, one.digest) for one in body.attachments]:
        raise BadInput(f"{what}: the entry names other attachments")
    return answer


def fixes_around(node: NodeContext, terminal: str, at: int, own: str) -> Iterator[Compared]:
    """The terminal's last fix before ``at`` and the first one after it, from reports and answers that are here."""
    found = [one for row in (ReportRow, AnswerRow) for one in _near_in_time(node, row, terminal, at)]
    others = [one for one in found if one.entry != own]
    before = [one for one in others if one.fix.made_at <= at]
    after = [one for one in others if one.fix.made_at > at]
    if before:
        yield max(before, key=lambda one: one.fix.made_at)
    if after:
        yield min(after, key=lambda one: one.fix.made_at)


def _near_in_time(node: NodeContext, row: type[ReportRow | AnswerRow], terminal: str, at: int) -> Iterator[Compared]:
    said, entry = table(row).c, table(EntryRow).c
    query = (
        select(entry.origin, entry.seq)
        .join_from(table(row), table(EntryRow), (entry.origin == said.edge) & (entry.seq == said.seq))
        .where(said.terminal == terminal, said.status == "kept")
    )
    earlier = query.where(said.made_at <= at, said.made_at > at - AROUND).order_by(said.made_at.desc()).limit(2)
    later = query.where(said.made_at > at, said.made_at < at + AROUND).order_by(said.made_at).limit(2)
    with node.store.reader() as connection:
        keys = [(origin, seq) for one in (earlier, later) for origin, seq in connection.execute(one)]
    for origin, seq in keys:
        stored = node.journal.entry(origin, seq)
        if stored is not None and stored.entry is not None:
            yield Compared(f"{origin}:{seq}", fix_of(_said(stored.entry.kind, stored.entry.body["envelope"])))


def _said(kind: str, envelope: str) -> Answer | Report:
    raw = from_b64(envelope)
    return decode_answer_envelope(raw) if kind == "task.answered" else decode_envelope(raw)


@dataclass(frozen=True)
class KnownTask:
    """A task as judging needs it."""

    terminal: str
    kind: TaskKind
    case: str | None
    lon_e7: int
    lat_e7: int
    deadline: int
    state: str


def find_task(node: NodeContext, task_id: str) -> KnownTask:
    """A task of this district; NotFound."""
    row = table(TaskRow)
    with node.store.reader() as connection:
        found = connection.execute(
            select(row).where(row.c.district == node.code, row.c.task_id == task_id)
        ).one_or_none()
    if found is None:
        raise NotFound(f"task {task_id}: {node.code} sent no such task")
    return KnownTask(found.terminal, found.kind, found.case, found.lon_e7, found.lat_e7, found.deadline, found.state)


def terminal_keys(node: NodeContext, terminal: str) -> Known | None:
    """The keys of a terminal that this district admitted; None if it did not."""
    with node.store.reader() as connection:
        return known_terminals(connection, [(node.code, terminal)]).get((node.code, terminal))


def _by(node: NodeContext) -> str:
    return f"casework@{node.registry.plugins.get('casework', '0')}"
