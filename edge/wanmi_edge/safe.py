"""`safe` receipts: told when the parent's countersignature covers a report's entry, from where the last run stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from wanmi.entries import Cosign
from wanmi.journal.task_rows import AnswerRow
from wanmi.journal.terminal_rows import TerminalHeardRow
from wanmi.models import EntryRow, ReportRow, table
from wanmi.mqtt import MqttClient
from wanmi.registry import NodeContext
from wanmi.store import Store, upsert_rows
from wanmi_edge import answers
from wanmi_edge.ledger import Taken
from wanmi_edge.rows import SafeRow

AT_ONCE = 500
IDLE = 0.5
"""Seconds between looks without being told: at what is in memory, so it costs nothing."""


@dataclass(frozen=True)
class Covered:
    """A report or an answer whose entry the parent holds."""

    terminal: str
    report_id: str
    taken: Taken


class SafeTeller:
    """Tells terminals that the district has countersigned; repeats after a crash rather than forgets."""

    def __init__(self, node: NodeContext, client: Callable[[], MqttClient | None]) -> None:
        self._node = node
        self._client = client
        self._wake = threading.Event()
        self._newest: Cosign | None = None
        self.told = told_until(node.store, node.code)

    def heard_cosign(self, cosign: Cosign) -> None:
        """The parent countersigned; called in the writer's thread."""
        if cosign.origin == self._node.code and cosign.by == self._node.parent:
            self._newest = cosign
            self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Tell what is covered until ``stop``."""
        if self._node.parent is not None:
            self._newest = self._node.journal.best_cosign(self._node.code, by=self._node.parent)
        while not stop.is_set():
            self._wake.clear()
            while not stop.is_set() and self.step():
                pass
            self._wake.wait(IDLE)

    def step(self) -> bool:
        """Tell up to AT_ONCE reports and answers; whether there may be more to tell at once."""
        cosign, client = self._newest, self._client()
        if cosign is None or client is None or cosign.seq <= self.told:
            return False
        covered = covered_by(self._node.store, self._node.code, self.told, cosign.seq, AT_ONCE)
        at = self._node.clock.now()
        for one in covered:
            receipt = answers.kept(self._node.code, one.terminal, one.report_id, one.taken, at, cosign)
            if not answers.send(client, receipt):
                return False
            self.told = one.taken.seq
        if len(covered) < AT_ONCE:
            self.told = cosign.seq
        upto = self.told
        self._node.store.write(lambda tx: _record(tx, self._node.code, upto))
        return len(covered) == AT_ONCE


def told_until(store: Store, edge: str) -> int:
    """Up to which entry terminals were told, 0 at first."""
    row = table(SafeRow).c
    with store.reader() as connection:
        return connection.execute(select(row.seq).where(row.origin == edge)).scalar() or 0


def covered_by(store: Store, edge: str, after: int, upto: int, limit: int) -> Sequence[Covered]:
    """Kept reports, answers and statuses of this edge with entries in (after, upto], in order."""
    found = [one for row in (ReportRow, AnswerRow) for one in _covered(store, row, edge, after, upto, limit)]
    found += _heard(store, edge, after, upto)
    return sorted(found, key=lambda one: one.taken.seq)[:limit]


def _covered(
    store: Store, row: type[ReportRow | AnswerRow], edge: str, after: int, upto: int, limit: int
) -> list[Covered]:
    said, entry = table(row).c, table(EntryRow).c
    query = (
        select(said.terminal, said.report_id, said.digest, said.seq, entry.hash, said.reason)
        .join_from(table(row), table(EntryRow), (entry.origin == said.edge) & (entry.seq == said.seq))
        .where(said.edge == edge, said.status == "kept", said.seq > after, said.seq <= upto)
        .order_by(said.seq)
        .limit(limit)
    )
    with store.reader() as connection:
        return [
            Covered(terminal, report_id, Taken(digest, seq, bytes(hash_).hex(), "kept", reason))
            for terminal, report_id, digest, seq, hash_, reason in connection.execute(query)
        ]


def _heard(store: Store, edge: str, after: int, upto: int) -> list[Covered]:
    """The newest statuses whose entry is in (after, upto]; one that a limit cuts off is said again by its terminal."""
    said, entry = table(TerminalHeardRow).c, table(EntryRow).c
    query = (
        select(said.terminal, said.status_id, said.seq, entry.hash)
        .join_from(table(TerminalHeardRow), table(EntryRow), (entry.origin == said.edge) & (entry.seq == said.seq))
        .where(said.edge == edge, said.seq > after, said.seq <= upto)
    )
    with store.reader() as connection:
        return [
            Covered(terminal, status_id, Taken("", seq, bytes(hash_).hex(), "kept"))
            for terminal, status_id, seq, hash_ in connection.execute(query)
        ]


def _record(tx: Connection, edge: str, seq: int) -> None:
    upsert_rows(tx, SafeRow, [(edge, seq)])
