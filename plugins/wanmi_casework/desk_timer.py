"""The timer task `casework.timer`: ends suspensions, lets requests expire, tells what became overdue.

It asks the tables what is due, never what time has passed since it last ran: after a week of downtime the same entries
come, each once, and a resumption carries the time at which it took effect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import structlog
from sqlalchemy import ColumnElement, Connection, or_, select

from wanmi.calendar import limit_seconds
from wanmi.cases import Case, Decision, decide_due_resume, decide_expiry, decide_overdue
from wanmi.cases.stages import OPENING_CLOCK
from wanmi.clock import SECOND
from wanmi.errors import Conflict, WanmiError
from wanmi.journal.case_rows import CaseRequestRow
from wanmi.models import CaseRow, table
from wanmi.registry import NodeContext
from wanmi_casework.desk import CaseDesk

NAME = "casework.timer"
EVERY = 5.0
"""Seconds between looks."""
BATCH = 500


class DeskTimer:
    """What time does to this node's cases."""

    def __init__(self, desk: CaseDesk) -> None:
        self._desk = desk
        self._node = desk.node
        self._log = structlog.get_logger("wanmi.casework.timer")

    def tick(self) -> int:
        """Write everything that is due now; how many entries came of it."""
        total = 0
        for look, decide in (
            (self._overdue, self._tell_overdue),
            (self._suspended, self._resume),
            (self._expired, self._expire),
            (self._overdue, self._tell_overdue),
            (self._overdue_since_opening, self._tell_overdue),
        ):
            total += self._work(look, decide)
        return total

    def _work(self, look: Callable[[Connection], list[str]], decide: Callable[[Case], Decision | None]) -> int:
        """Batch after batch until nothing is due, or nothing more can be done about it."""
        total = 0
        while True:
            with self._node.store.reader() as connection:
                numbers = look(connection)
            done = self._write(numbers, decide)
            total += done
            if not done or len(numbers) < BATCH:
                return total

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

    def _overdue(self, tx: Connection) -> list[str]:
        c = table(CaseRow).c
        untold = or_(c.overdue_told.is_(None), c.overdue_told != c.deadline)
        return self._numbers(tx, c.deadline < self._node.clock.now(), untold, c.merged_into.is_(None))

    def _suspended(self, tx: Connection) -> list[str]:
        return self._numbers(tx, table(CaseRow).c.until <= self._node.clock.now())

    def _overdue_since_opening(self, tx: Connection) -> list[str]:
        """Cases whose first clock still runs since they were opened: no entry names its limit or deadline."""
        c, now = table(CaseRow).c, self._node.clock.now()
        shortest = limit_seconds("15", "natural_minute") * SECOND
        never = (c.limit_value.is_(None), c.overdue_told.is_(None), c.merged_into.is_(None))
        due = (c.owner == self._node.code, c.clock.in_(set(OPENING_CLOCK.values())), c.opened_at < now - shortest)
        query = select(c.number).where(*due, *never).order_by(c.opened_at, c.number).limit(BATCH)
        return list(tx.execute(query).scalars())

    def _expired(self, tx: Connection) -> list[str]:
        c = table(CaseRequestRow).c
        late = (c.owner == self._node.code, c.state == "open", c.expires < self._node.clock.now())
        return list(tx.execute(select(c.number).where(*late).distinct().order_by(c.number).limit(BATCH)).scalars())

    def _numbers(self, tx: Connection, *due: ColumnElement[bool]) -> list[str]:
        c = table(CaseRow).c
        query = select(c.number).where(c.owner == self._node.code, *due).order_by(c.number).limit(BATCH)
        return list(tx.execute(query).scalars())


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
