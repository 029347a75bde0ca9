"""The reactors `casework.relay_report` and `casework.relay_answer` at the city: what a guest says goes home to its district."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from wanmi.entries import Entry
from wanmi.journal import body_of
from wanmi.kinds import ReportReceived, ReportRelayed, home_district
from wanmi.registry import Draft, NodeContext, Stored
from wanmi.reports.bodies import AnswerRelayed, TaskAnswered
from wanmi_casework.registered import ORDERED, REGISTERED

NAME = "casework.relay_report"
ANSWERS = "casework.relay_answer"
Relayed = ReportRelayed | AnswerRelayed
Said = TypeVar("Said", ReportReceived, TaskAnswered)


def relay(node: NodeContext, batch: Sequence[Stored]) -> Iterable[tuple[Stored, Draft]]:
    """A draft of `report.relayed` for each report that an edge of another district took in."""
    for stored, entry, report in _of_guests(node, batch, ReportReceived):
        body = ReportRelayed(stored.origin, stored.seq, entry.at, report)
        yield stored, _homewards("report.relayed", body, stored, report.report_id, report.terminal)


def relay_answers(node: NodeContext, batch: Sequence[Stored]) -> Iterable[tuple[Stored, Draft]]:
    """A draft of `answer.relayed` for each answer that an edge of another district took in."""
    for stored, entry, answer in _of_guests(node, batch, TaskAnswered):
        body = AnswerRelayed(stored.origin, stored.seq, entry.at, answer)
        yield stored, _homewards("answer.relayed", body, stored, answer.task_id, answer.terminal)


def _of_guests(node: NodeContext, batch: Sequence[Stored], said: type[Said]) -> Iterator[tuple[Stored, Entry, Said]]:
    """What terminals said at edges of districts that are not theirs, as the city holds it."""
    if node.role != "city":
        return
    for stored in batch:
        if stored.entry is None:
            continue
        body = body_of(stored.entry, said)
        if not stored.origin.startswith(home_district(body.terminal)):
            yield stored, stored.entry, body


def _homewards(kind: str, body: Relayed, stored: Stored, about: str, terminal: str) -> Draft:
    subject = f"relay:{stored.origin}:{about}:{terminal}"
    return Draft(kind, subject, body, audience=(home_district(terminal),), actor=terminal)


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
