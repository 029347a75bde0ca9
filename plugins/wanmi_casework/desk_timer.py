"""The timer task `casework.timer`: ends suspensions, lets requests expire, tells what became overdue.

It asks the tables what is due, never what time has passed since it last ran: after a week of downtime the same entries
come, each once, and a resumption carries the time at which it took effect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Select, or_, select, tuple_

from wanmi.cases import Case, Decision, Mark, decide_due_resume, decide_expiry, decide_overdue
from wanmi.cases.stages import OPENING_CLOCK
from wanmi.errors import Conflict, WanmiError
from wanmi.journal.case_rows import CaseRequestRow
from wanmi.models import CaseRow, table
from wanmi.profiles import ProfileStore
from wanmi.registry import NodeContext
from wanmi_casework.desk import CaseDesk

NAME = "casework.timer"
EVERY = 5.0
"""Seconds between looks."""
BATCH = 500
NEVER = 2**63 - 1
Batches = Iterator[list[str]]
"""Numbers of cases, at most ``BATCH`` at a time."""


class DeskTimer:
    """What time does to this node's cases."""

    def __init__(self, desk: CaseDesk) -> None:
        self._desk = desk
        self._node = desk.node
        self._profiles = ProfileStore(desk.node)
        self._log = structlog.get_logger("wanmi.casework.timer")

    def tick(self) -> int:
        """Write everything that is due now; how many entries came of it."""
        return (
            self._work(self._overdue(), self._tell_overdue)
            + self._work(self._suspended(), self._resume)
            + self._work(self._expired(), self._expire)
            + self._work(self._overdue(), self._tell_overdue)
            + self._work(self._overdue_since_opening(), self._tell_overdue)
        )

    def _work(self, batches: Iterable[list[str]], decide: Callable[[Case], Decision | None]) -> int:
        """Batch after batch; one in which nothing can be done keeps none of those behind it waiting."""
        return sum(self._write(numbers, decide) for numbers in batches)

    def _write(self, numbers: Iterable[str], decide: Callable[[Case], Decision | None]) -> int:
        """Append for each case on its own: somebody may be working it just now, then the next look finds it again."""
        pending = []
        for number in numbers:
            decision = self._decided(number, decide)
            if decision is not None:
                pending.append(self._node.journal.append(self._desk.draft(decision, None)))
        done = 0
        for future in pending:
            try:
                future.result()
                done += 1
            except Conflict:
                continue
        return done

    def _decided(self, number: str, decide: Callable[[Case], Decision | None]) -> Decision | None:
        """What is due for a case; one that cannot be decided on stops no other."""
        try:
            return decide(self._desk.case(number))
        except WanmiError as error:
            self._log.error("case_not_timed", case=number, error=str(error))
            return None

    def _tell_overdue(self, case: Case) -> Decision | None:
        opening = None
        if case.deadline is None and case.clock is not None and case.limit is None:
            step_table = self._desk.table(case)
            limit = step_table.clocks[case.clock].limit
            due = self._desk.timing(step_table)(case.running_marks(case.clock), limit) if limit else None
            opening = due.deadline if due else None
        return decide_overdue(case, self._node.clock.now(), opening)

    def _resume(self, case: Case) -> Decision | None:
        if case.until is None or case.until > self._node.clock.now():
            return None
        step_table = self._desk.table(case)
        return decide_due_resume(step_table, case, self._desk.timing(step_table))

    def _expire(self, case: Case) -> Decision | None:
        now = self._node.clock.now()
        late = next((request for request in case.open_requests() if request.expires < now), None)
        return None if late is None else decide_expiry(case, late)

    def _overdue(self) -> Batches:
        c = table(CaseRow).c
        untold = or_(c.overdue_told.is_(None), c.overdue_told != c.deadline)
        return self._cases(c.deadline < self._node.clock.now(), untold, c.merged_into.is_(None))

    def _suspended(self) -> Batches:
        return self._cases(table(CaseRow).c.until <= self._node.clock.now())

    def _expired(self) -> Batches:
        c = table(CaseRequestRow).c
        late = (c.owner == self._node.code, c.state == "open", c.expires < self._node.clock.now())
        return self._by_number(select(c.number).where(*late).distinct(), c.number)

    def _cases(self, *due: ColumnElement[bool]) -> Batches:
        c = table(CaseRow).c
        return self._by_number(select(c.number).where(c.owner == self._node.code, *due), c.number)

    def _by_number(self, query: Select[Any], number: ColumnElement[str]) -> Batches:
        """What a query finds, in order, each number once."""
        after = ""
        while True:
            with self._node.store.reader() as tx:
                found = list(tx.execute(query.where(number > after).order_by(number).limit(BATCH)).scalars())
            yield found
            if len(found) < BATCH:
                return
            after = found[-1]

    def _overdue_since_opening(self) -> Batches:
        """Cases whose first clock still runs since they were opened: no entry names its limit or deadline.

        Each profile that they were opened under has limits of its own.
        """
        c = table(CaseRow).c
        query = select(c.profile, c.clock).where(*self._since_opening()).distinct().order_by(c.profile, c.clock)
        with self._node.store.reader() as tx:
            groups = tx.execute(query).all()
        for profile, clock in groups:
            yield from self._opened_under(profile, clock)

    def _since_opening(self) -> tuple[ColumnElement[bool], ...]:
        c = table(CaseRow).c
        opening = (c.owner == self._node.code, c.clock.in_(set(OPENING_CLOCK.values())), c.limit_value.is_(None))
        return (*opening, c.overdue_told.is_(None), c.merged_into.is_(None))

    def _opened_under(self, profile: str, clock: str) -> Batches:
        """The oldest first, up to the first that is not due yet: those after it are not due either."""
        due = self._due_under(profile, clock)
        if due is None:
            return
        c, now, after = table(CaseRow).c, self._node.clock.now(), (0, "")
        group = (*self._since_opening(), c.profile == profile, c.clock == clock)
        while True:
            query = select(c.number, c.opened_at).where(*group, tuple_(c.opened_at, c.number) > tuple_(*after))
            with self._node.store.reader() as tx:
                rows = tx.execute(query.order_by(c.opened_at, c.number).limit(BATCH)).all()
            found = [row.number for row in takewhile(lambda row: due(row.opened_at) < now, rows)]
            yield found
            if len(found) < BATCH:
                return
            after = (rows[-1].opened_at, rows[-1].number)

    def _due_under(self, profile: str, clock: str) -> Callable[[int], int] | None:
        """When a clock of a profile that was started with the case runs out; None if that cannot be told."""
        try:
            steps = self._profiles.steps(self._profiles.of(profile))
            rule = steps.clocks.get(clock)
            limit = None if rule is None else rule.limit
            timing = self._desk.timing(steps)
        except WanmiError as error:
            self._log.error("profile_not_timed", profile=profile, clock=clock, error=str(error))
            return None
        if limit is None:
            return None

        def due(opened_at: int) -> int:
            found = timing((Mark(clock, "start", opened_at, ""),), limit)
            return NEVER if found is None else found.deadline

        return due


async def run_timer(node: NodeContext) -> None:
    """The supervised task: look every few seconds."""
    if node.role == "edge":
        return
    timer, log = DeskTimer(CaseDesk(node)), structlog.get_logger("wanmi.casework.timer")
    while True:
        made = await asyncio.to_thread(timer.tick)
        if made:
            log.info("due", entries=made)
        await asyncio.sleep(EVERY)
