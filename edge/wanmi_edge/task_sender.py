"""Tasks to terminals: sent again, with growing pauses, until the terminal says that it holds them.

What is to be sent comes from the projection of the district's tasks and from what terminals have seen: nothing is lost by a
kill. A copy lives at the broker no longer than until the next one, so that a terminal that was away finds one, not hundreds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, or_, select

from wanmi.errors import BadInput, NotAllowed, NotFound
from wanmi.journal.task_rows import TaskRow
from wanmi.models import TerminalRow, table
from wanmi.mqtt import MqttClient
from wanmi.registry import NodeContext, Stored
from wanmi.reports import Seen, Task, encode_task, read_text, task_topic
from wanmi.reports.tasks import TaskStatus
from wanmi_edge.ledger import Key
from wanmi_edge.rows import SeenRow

FIRST, LONGEST = 10.0, 600.0
"""Seconds between two sendings of a task that was not seen: doubled each time."""
REMARK_AGAIN = 1.0
"""Seconds between looks for a remark whose blob has not come yet."""
LIFE = 7 * 86_400 * 1_000_000
"""µs after its deadline for which a task is still sent."""
TICK = 0.25


@dataclass(frozen=True)
class Due:
    """A task that waits for its terminal; ``at`` in seconds of the monotonic clock."""

    task: Task
    remark: str | None
    at: float
    tries: int = 0


class TaskSender:
    """Sends the district's tasks to terminals; ``heard`` is called by the intake's thread."""

    def __init__(self, node: NodeContext, client: Callable[[], MqttClient | None]) -> None:
        self._node = node
        self._client = client
        self._lock = threading.Lock()
        self._stale = threading.Event()
        self._stale.set()
        self._due: dict[Key, Due] = {}
        self.sent = 0
        node.journal.listen(self._told)

    @property
    def waiting(self) -> int:
        """Tasks that no terminal has said to hold."""
        return len(self._due)

    def heard(self, said: Sequence[Seen]) -> None:
        """Terminals said (durably) what they hold; one that named all gets the others at once."""
        if not said:
            return
        for seen in said:
            if seen.all:
                self._forget_others(seen)
        self._stale.set()
        now = self._node.clock.monotonic()
        whole = {seen.terminal for seen in said if seen.all}
        with self._lock:
            for key, due in self._due.items():
                if key[0] in whole:
                    self._due[key] = replace(due, at=now, tries=0)

    def step(self) -> None:
        """Take up what changed, send what is due."""
        if self._stale.is_set():
            self._stale.clear()
            self._refresh()
        client, now = self._client(), self._node.clock.monotonic()
        if client is None or not client.connected:
            return
        with self._lock:
            ready = [(key, due) for key, due in self._due.items() if due.at <= now]
        for key, due in ready:
            after = self._send(client, due, now)
            with self._lock:
                if self._due.get(key) is due:
                    self._due[key] = after

    def _send(self, client: MqttClient, due: Due, now: float) -> Due:
        try:
            remark = self._open(due.remark)
        except NotFound:
            return replace(due, at=now + REMARK_AGAIN)
        pause = min(FIRST * 2 ** min(due.tries, 16), LONGEST)
        task = replace_task(due.task, remark, self._node.clock.now())
        if not client.publish(
            task_topic(task.terminal), encode_task(task), content_type="application/json", expiry=round(pause) + 1
        ):
            return replace(due, at=now + TICK)
        self.sent += 1
        return replace(due, at=now + pause, tries=due.tries + 1)

    def _open(self, blob: str | None) -> str | None:
        """The remark's text; None when there is none or it was erased; NotFound while it has not come."""
        if blob is None:
            return None
        try:
            return read_text(self._node.blobs.open(blob))
        except (NotAllowed, BadInput):
            return None

    def _told(self, stored: list[Stored]) -> None:
        if any(item.entry is not None and item.entry.kind.startswith(("task.", "terminal.")) for item in stored):
            self._stale.set()

    def _refresh(self) -> None:
        """Read what terminals must still be told: open tasks not seen, withdrawn ones not seen as such."""
        fresh: dict[Key, Due] = {}
        now = self._node.clock.monotonic()
        with self._node.store.reader() as connection:
            for row in connection.execute(_unseen(self._node.parent, self._node.clock.now() - LIFE)):
                status: TaskStatus = "open" if row.state == "open" else "withdrawn"
                task = Task(
                    1, row.terminal, row.task_id, status, row.kind, row.category, row.lon_e7, row.lat_e7, row.grid,
                    row.deadline, row.sent_at, None, self._node.code, 0,
                )  # fmt: skip
                fresh[row.terminal, row.task_id] = Due(task, row.remark if status == "open" else None, now)
        with self._lock:
            for key, due in fresh.items():
                before = self._due.get(key)
                if before is not None and before.task == due.task:
                    fresh[key] = before
            self._due = fresh

    def _forget_others(self, seen: Seen) -> None:
        """A terminal that was set up anew holds less than it once said."""
        held = [ref.task_id for ref in seen.tasks]
        row = table(SeenRow)

        def forget(tx: Connection) -> None:
            tx.execute(delete(row).where(row.c.terminal == seen.terminal, row.c.task_id.not_in(held)))

        self._node.store.write(forget).result()


def replace_task(task: Task, remark: str | None, at: int) -> Task:
    """The task with its remark, as it goes out at ``at``."""
    return Task(
        task.v, task.terminal, task.task_id, task.status, task.kind, task.category, task.lon_e7, task.lat_e7, task.grid,
        task.deadline, task.sent_at, remark, task.edge, at,
    )  # fmt: skip


def _unseen(district: str | None, since: int) -> Select[Any]:
    task, seen, terminal = table(TaskRow), table(SeenRow), table(TerminalRow)
    not_seen: ColumnElement[bool] = or_(
        and_(task.c.state == "open", seen.c.status.is_(None)),
        and_(task.c.state == "withdrawn", or_(seen.c.status.is_(None), seen.c.status != "withdrawn")),
    )
    same = (seen.c.terminal == task.c.terminal) & (seen.c.task_id == task.c.task_id)
    admitted = (terminal.c.district == task.c.district) & (terminal.c.terminal == task.c.terminal)
    return (
        select(task)
        .join(terminal, admitted)
        .outerjoin(seen, same)
        .where(task.c.district == district, task.c.deadline > since, terminal.c.state == "admitted", not_seen)
        .order_by(task.c.sent_at)
    )
