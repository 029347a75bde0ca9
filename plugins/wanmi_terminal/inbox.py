"""The terminal's inbox: tasks on disk before the edge is told that they are here. Positions wait here as well.

    open       to be done
    withdrawn  nobody need go
    answered   its answer lies among the reports, until it is safe like one

A task's remark is wiped when the task is answered or withdrawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from wanmi.errors import Conflict, NotFound
from wanmi.reports import Seen, Task, TaskRef, decode_task, encode_task
from wanmi.reports.tasks import MAX_SEEN
from wanmi_terminal.spool import Spool

InboxState = Literal["open", "withdrawn", "answered"]
KEEP_US = 30 * 86_400 * 1_000_000
"""µs after its deadline for which a task that is done is remembered: longer than an edge sends it."""
MAX_TRACK = 5000
"""Batches of positions that wait at most; the oldest go first."""


@dataclass(frozen=True)
class Held:
    """A task in the inbox; ``report_id`` is its answer's."""

    task: Task
    state: InboxState
    report_id: str | None


class Inbox:
    """Tasks and positions in the spool's file."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def take(self, tasks: Sequence[Task], now: int) -> list[Task]:
        """Keep tasks; those that are new here, or newly withdrawn, on disk when this returns."""
        with self._spool.changing() as db:
            fresh = [task for task in tasks if self._take_one(db, task)]
            db.execute("DELETE FROM task WHERE state != 'open' AND deadline < ?", (now - KEEP_US,))
        return fresh

    def held(self, *states: InboxState) -> list[Held]:
        """Tasks in these states (all if none), the earliest deadline first."""
        rows = self._spool.rows("SELECT payload, state, report_id FROM task ORDER BY deadline, task_id")
        found = [Held(decode_task(bytes(payload)), state, report_id) for payload, state, report_id in rows]
        return [one for one in found if not states or one.state in states]

    def find(self, task_id: str) -> Held:
        """A task; NotFound if it is not here."""
        for one in self.held():
            if one.task.task_id == task_id:
                return one
        raise NotFound(f"task {task_id}: not in this terminal's inbox; `wanmi terminal tasks` lists it")

    def open_task(self, task_id: str) -> Task:
        """A task that can be answered; Conflict when it was answered or withdrawn."""
        held = self.find(task_id)
        if held.state != "open":
            raise Conflict(f"task {task_id} is {held.state}: it is not to be answered any more")
        return held.task

    def answered(self, db: Any, task: Task, report_id: str) -> None:
        """Within the transaction that keeps the answer: the task is done, its remark wiped."""
        bare = encode_task(msgspec.structs.replace(task, remark=None))
        changed = db.execute(
            "UPDATE task SET state = 'answered', report_id = ?, payload = ? WHERE task_id = ? AND state = 'open'",
            (report_id, bare, task.task_id),
        )
        if changed.rowcount != 1:
            raise Conflict(f"task {task.task_id} was answered or withdrawn meanwhile")

    def seen(self, terminal: str, tasks: Sequence[Task] | None = None) -> Seen:
        """What the edge is told: that these are held, or (None) all that is held, the newest MAX_SEEN of them."""
        if tasks is not None:
            refs = [TaskRef(task.task_id, task.status) for task in tasks]
            return Seen(1, terminal, tuple(refs[:MAX_SEEN]))
        rows = self._spool.rows("SELECT task_id, state FROM task ORDER BY n DESC LIMIT ?", (MAX_SEEN,))
        held = [TaskRef(task_id, "withdrawn" if state == "withdrawn" else "open") for task_id, state in rows]
        return Seen(1, terminal, tuple(held), all=True)

    def add_track(self, payload: bytes) -> None:
        """Keep a signed batch of positions until a broker has it."""
        with self._spool.changing() as db:
            db.execute("INSERT INTO track (payload) VALUES (?)", (payload,))
            db.execute("DELETE FROM track WHERE n <= (SELECT max(n) FROM track) - ?", (MAX_TRACK,))

    def tracks(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Number and message of batches that wait, in order."""
        rows = self._spool.rows("SELECT n, payload FROM track WHERE n > ? ORDER BY n LIMIT ?", (after, limit))
        return [(n, bytes(payload)) for n, payload in rows]

    def track_sent(self, n: int) -> None:
        """A broker has the batch."""
        with self._spool.changing() as db:
            db.execute("DELETE FROM track WHERE n = ?", (n,))

    def _take_one(self, db: Any, task: Task) -> bool:
        row = db.execute("SELECT state FROM task WHERE task_id = ?", (task.task_id,)).fetchone()
        if row is None:
            (n,) = db.execute("SELECT coalesce(max(n), 0) + 1 FROM task").fetchone()
            values = (task.task_id, n, task.status, task.deadline, encode_task(task))
            db.execute("INSERT INTO task (task_id, n, state, deadline, payload) VALUES (?, ?, ?, ?, ?)", values)
            return True
        if row[0] != "open" or task.status != "withdrawn":
            return False
        db.execute(
            "UPDATE task SET state = 'withdrawn', payload = ? WHERE task_id = ?", (encode_task(task), task.task_id)
        )
        return True
