"""What the day's staff read: their district's rows, while the node runs. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from sqlalchemy import Row, select

from wanmi.journal.task_rows import TaskRow
from wanmi.models import CaseRow, table
from wanmi.store import Store
from wanmi_demo.city import DISTRICTS, DemoCity
from wanmi_demo.day_plan import Seen, SeenTask


class DayRows:
    """The queues of both districts."""

    def __init__(self, city: DemoCity) -> None:
        self._stores = {
            code: Store.open_to_read(f"sqlite:///{city.dir(code).absolute()}/journal.db") for code in DISTRICTS
        }

    def waiting(self, district: str, known: Collection[str], limit: int) -> list[str]:
        """Numbers of reported cases that nobody works yet, in order."""
        c = table(CaseRow).c
        query = select(c.number).where(c.owner == district, c.state == "reported").order_by(c.opened_at, c.number)
        with self._stores[district].reader() as tx:
            return [number for number in tx.execute(query).scalars() if number not in known][:limit]

    def cases(self, district: str, numbers: Collection[str]) -> list[Seen]:
        """These cases as they stand, each with its newest task."""
        c = table(CaseRow).c
        with self._stores[district].reader() as tx:
            rows = tx.execute(select(table(CaseRow)).where(c.number.in_(numbers)).order_by(c.number)).all()
        tasks = self._tasks(district, numbers)
        return [_seen(row, tasks.get(row.number)) for row in rows]

    def close(self) -> None:
        """Close the databases."""
        for store in self._stores.values():
            store.close()

    def _tasks(self, district: str, numbers: Collection[str]) -> Mapping[str, SeenTask]:
        c = table(TaskRow).c
        query = (
            select(c.case, c.task_id, c.kind, c.state, c.result, c.outcome)
            .where(c.case.in_(numbers))
            .order_by(c.sent_at)
        )
        with self._stores[district].reader() as tx:
            return {
                row.case: SeenTask(row.task_id, row.kind, row.state, row.result, row.outcome)
                for row in tx.execute(query)
            }


def _seen(row: Row[Any], task: SeenTask | None) -> Seen:
    overdue = row.clock == "department" and row.deadline is not None and row.overdue_told == row.deadline
    return Seen(
        row.number, row.owner, row.state, row.kind, row.category, row.grid, row.lon_e7, row.lat_e7, row.terminal,
        row.department, row.collector, overdue, row.requests, msgspec.json.decode(row.counts or "{}"), task,
    )  # fmt: skip
