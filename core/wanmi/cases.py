"""A case (案卷): the fold of its entries, and the seven stages. Pure.

Stages after 沈政办发[2009]73号: 信息收集, 案卷建立, 任务派遣, 任务处理, 处理反馈, 核实结案, 综合评价.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from wanmi.entries import Entry
from wanmi.errors import BadEntry
from wanmi.kinds import CaseOpened


@dataclass(frozen=True)
class Stage:
    """One of the seven stages of a case."""

    id: str
    zh: str
    en: str


STAGES: tuple[Stage, ...] = (
    Stage("collect", "信息收集", "Collection"),
    Stage("file", "案卷建立", "Filing"),
    Stage("dispatch", "任务派遣", "Dispatch"),
    Stage("handle", "任务处理", "Handling"),
    Stage("feedback", "处理反馈", "Feedback"),
    Stage("close", "核实结案", "Check and close"),
    Stage("evaluate", "综合评价", "Evaluation"),
)
FIRST_STAGE = STAGES[0].id
FIRST_STATE = "reported"


@dataclass(frozen=True)
class Case:
    """A case as its entries add up to it; times µs UTC, coordinates 1e-7 degree WGS-84."""

    number: str
    owner: str
    opened: CaseOpened
    opened_at: int
    stage: str
    state: str
    version: int
    changed_at: int


def fold(case: Case | None, entry: Entry) -> Case:
    """The case after ``entry``; BadEntry if the entry does not fit the case as it stands."""
    if entry.kind != "case.opened":
        raise BadEntry(f"{entry.subject}: {entry.kind} is not a step of a case here")
    body = _opened(entry)
    if case is not None:
        raise BadEntry(f"{entry.subject}: it was opened before; a case is opened once")
    if entry.subject != f"case:{body.number}":
        raise BadEntry(f"{entry.subject}: the body is about case {body.number}")
    if not body.number.startswith(f"{entry.origin}-"):
        raise BadEntry(f"case {body.number}: its owner is not {entry.origin}; a node opens only its own cases")
    return Case(body.number, entry.origin, body, entry.at, body.stage, body.state, entry.version, entry.at)


def fold_all(entries: Iterable[Entry]) -> Case | None:
    """The case of all its entries in order, None if there are none."""
    case: Case | None = None
    for entry in entries:
        case = fold(case, entry)
    return case


def _opened(entry: Entry) -> CaseOpened:
    try:
        return msgspec.convert(entry.body, CaseOpened, strict=True)
    except msgspec.ValidationError as error:
        raise BadEntry(f"{entry.subject}: {error}") from error
