"""A district's office: a real node with the desk, people who work cases, a clock that is moved by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import func, select

import wanmi_casework
from core.cases.worked import DOES, LIMIT, START, WAY, opened
from support.pictures import JPEG
from wanmi.cases import Case
from wanmi.clock import ManualClock
from wanmi.codes import Profile
from wanmi.hookspecs import Actor
from wanmi.models import CaseRow, table
from wanmi.node import Node
from wanmi.registry import Draft
from wanmi.testing import small_node
from wanmi_casework.attached import upload
from wanmi_casework.desk import CaseDesk, Said
from wanmi_casework.desk_timer import DeskTimer

NOTHING: Mapping[str, Any] = MappingProxyType({})
HOUR = 3_600_000_000
DAY = 24 * HOUR
OPERATOR, OTHER_OPERATOR = Actor("o-1", "operator"), Actor("o-2", "operator")
LEADER, DISPATCHER = Actor("l-1", "shift_leader"), Actor("c-1", "dispatcher")
WORKER, COLLECTOR = Actor("d-1", "department"), Actor("T210102-0001", "collector")
ASSESSOR, SUPERVISOR = Actor("a-1", "assessor"), Actor("s-1", "supervisor")
DEPARTMENT = "dep-1"


class Office:
    """One node and its desk."""

    def __init__(self, dir: Path, node: Node | None = None) -> None:
        self.clock = ManualClock(START)
        self.node = node or small_node(dir / "node", plugins=[wanmi_casework], clock=self.clock)
        self.desk = CaseDesk(self.node)
        self.timer = DeskTimer(self.desk)

    def open_case(self, **other: Any) -> str:
        """A case as a report opens it."""
        row = table(CaseRow).c
        with self.node.store.reader() as tx:
            last = tx.execute(select(func.max(row.day_seq)).where(row.owner == self.node.code)).scalar_one()
        number = f"{self.node.code}-E0102-20261124-{(last or 0) + 1:04d}"
        body = opened(number, **{"profile": Profile.load().ref, **other})
        self.node.journal.append(Draft("case.opened", f"case:{number}", body, expect=0)).result()
        return number

    def step(self, number: str, step: str, actor: Actor | None = None, **given: Any) -> Case:
        who = actor or Actor(*DOES[step])
        extra = {name: given.pop(name) for name in ("department", "collector", "limit", "reason") if name in given}
        if step in ("dispatch", "redispatch"):
            extra = {"department": DEPARTMENT, "limit": LIMIT, **extra}
        if step == "rework":
            extra = {"limit": LIMIT, **extra}
        given = self.photos(number, step, who, given)
        return self.desk.step(number, step, who, self.said(step, who, **given), **extra)

    def photos(self, number: str, words: str, who: Actor, given: Mapping[str, Any] = NOTHING) -> dict[str, Any]:
        """What is said with a step or request, with the photo that it needs: one that was uploaded for it."""
        if words not in ("answer", "answer_check_passed", "self_handled") or "attachments" in given:
            return dict(given)
        return {"attachments": (upload(self.node, number, who.id, JPEG, "image/jpeg"),), **given}

    def said(self, words: str, who: Actor, **given: Any) -> Said:
        usual: dict[str, Any] = {"opinion": f"{words}, as seen"}
        if who.post == "department":
            usual["unit"] = DEPARTMENT
        if words == "answer_verify":
            usual["fields"] = {"result": "exists"}
        return Said(**{**usual, **given})

    def ask(self, number: str, what: str, who: Actor = WORKER, *, until: int | None = None, **given: Any) -> str:
        """Make a request; its id."""
        given = self.photos(number, what, who, given)
        return self.desk.request(number, what, who, self.said(what, who, **given), until=until).requests[-1].id

    def review(self, number: str, request: str, granted: bool, who: Actor = DISPATCHER, **given: Any) -> Case:
        return self.desk.decide_request(number, request, granted, who, self.said("review", who, **given))

    def to(self, number: str, state: str) -> Case:
        """Walk the usual way as far as ``state``."""
        case = self.desk.case(number)
        for step in WAY:
            if case.state == state:
                return case
            if case.state in self.desk.table(case).step(step).from_:
                case = self.step(number, step)
        assert case.state == state
        return case

    def to_filed(self, number: str) -> Case:
        """Walk to the state in which it waits for dispatch."""
        return self.to(number, "pending_dispatch")

    def rows_that_do_not_fit(self) -> list[str]:
        """Cases whose row says something else than the fold of their entries."""
        with self.node.store.reader() as tx:
            rows = tx.execute(select(table(CaseRow))).all()
        return [row.number for row in rows if _of_row(row) != _of_case(self.desk.case(row.number))]


def _of_row(row: Any) -> tuple[Any, ...]:
    return (
        row.state, row.stage, bool(row.final), row.version, row.changed_at, row.department, row.collector, row.clock,
        row.limit_value, row.limit_unit, row.deadline, row.warn_at, row.until, row.filed_at, row.closed_at,
        row.merged_into, row.overdue, row.requests, json.loads(row.counts),
    )  # fmt: skip


def _of_case(case: Case) -> tuple[Any, ...]:
    limit = (case.limit.value, case.limit.unit) if case.limit else (None, None)
    return (
        case.state, case.stage, case.final, case.version, case.changed_at, case.department, case.collector, case.clock,
        *limit, case.deadline, case.warn, case.until, case.filed_at, case.closed_at, case.merged_into,
        len(case.overdue), len(case.open_requests()), dict(case.counts),
    )  # fmt: skip
