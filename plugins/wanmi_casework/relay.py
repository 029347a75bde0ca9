"""The reactors `casework.relay_report` and `casework.relay_answer` at the city: what a guest says goes home to its district."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wanmi.journal import body_of
from wanmi.kinds import ReportReceived, ReportRelayed, home_district
from wanmi.registry import Draft, NodeContext, Stored
from wanmi.reports.bodies import AnswerRelayed, TaskAnswered
from wanmi_casework.registered import ORDERED, REGISTERED

NAME = "casework.relay_report"
ANSWERS = "casework.relay_answer"


def relay(node: NodeContext, batch: Sequence[Stored]) -> Iterable[tuple[Stored, Draft]]:
    """A draft of `report.relayed` for each report that an edge of another district took in."""
    if node.role != "city":
        return
    for stored in batch:
        if stored.entry is None:
            continue
        report = body_of(stored.entry, ReportReceived)
        home = home_district(report.terminal)
        if stored.origin.startswith(home):
            continue
        body = ReportRelayed(stored.origin, stored.seq, stored.entry.at, report)
        subject = f"relay:{stored.origin}:{report.report_id}:{report.terminal}"
        yield stored, Draft("report.relayed", subject, body, audience=(home,), actor=report.terminal)


def relay_answers(node: NodeContext, batch: Sequence[Stored]) -> Iterable[tuple[Stored, Draft]]:
    """A draft of `answer.relayed` for each answer that an edge of another district took in."""
    if node.role != "city":
        return
    for stored in batch:
        if stored.entry is None:
            continue
        answer = body_of(stored.entry, TaskAnswered)
        home = home_district(answer.terminal)
        if stored.origin.startswith(home):
            continue
        body = AnswerRelayed(stored.origin, stored.seq, stored.entry.at, answer)
        subject = f"relay:{stored.origin}:{answer.task_id}:{answer.terminal}"
        yield stored, Draft("answer.relayed", subject, body, audience=(home,), actor=answer.terminal)


def answer_of(stored: Stored) -> tuple[TaskAnswered, str, int] | None:
    """The answer in an entry that brought it, directly or by the city, the edge's entry (``EDGE:SEQ``) and its time; else None."""
    if stored.entry is None:
        return None
    if stored.entry.kind == "answer.relayed":
        body = body_of(stored.entry, AnswerRelayed)
        return body.answer, f"{body.edge}:{body.seq}", body.at
    return body_of(stored.entry, TaskAnswered), f"{stored.origin}:{stored.seq}", stored.entry.at


def report_of(stored: Stored) -> tuple[ReportReceived, int] | None:
    """The report in an entry that brought it, directly or by the city, and when its edge took it (µs UTC)."""
    if stored.entry is None:
        return None
    if stored.entry.kind in (REGISTERED, ORDERED):
        return None
    if stored.entry.kind == "report.relayed":
        body = body_of(stored.entry, ReportRelayed)
        return body.report, body.at
    return body_of(stored.entry, ReportReceived), stored.entry.at
