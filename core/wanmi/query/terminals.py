"""The terminals that a node knows of, with how each was heard last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from wanmi.errors import NotFound
from wanmi.journal.task_rows import TaskRow
from wanmi.journal.terminal_rows import TerminalHeardRow
from wanmi.models import ReportRow, TerminalRow, table

CONNECTED_US = 15 * 60 * 1_000_000
"""A terminal counts as connected while its last proven way to the district and back is not older."""

Newest = tuple[int, str, int]
"""A terminal's newest report: when it was made, and the edge and seq of its entry."""


@dataclass(frozen=True)
class TerminalView:
    """A terminal; times µs UTC, None: never. ``queue`` reports that it still held, ``refused`` of them refused.

    ``confirmed_at``: when it last verified a countersignature of its district on a status of its own (the heartbeat's
    way there and back, ``round_trip_ms`` long); ``connected``: not longer than a quarter of an hour ago.
    ``position_edge`` and ``position_seq`` name the entry of its newest report, which says where it was at ``position_at``.
    """

    district: str
    terminal: str
    state: str
    holder: str | None
    credentials_since: int
    edge: str | None
    heard_at: int | None
    app: str | None
    battery: int | None
    queue: int | None
    refused: int | None
    confirmed_at: int | None
    round_trip_ms: int | None
    connected: bool
    pending_tasks: int
    position_at: int | None
    position_edge: str | None
    position_seq: int | None


def list_terminals_heard(tx: Connection, now: int) -> Sequence[TerminalView]:
    """Every terminal, revoked ones too, by id; ``now`` µs UTC."""
    row = table(TerminalRow)
    heard, tasks, reports = _heard(tx), _open_tasks(tx), _newest_reports(tx)
    found = tx.execute(select(row).order_by(row.c.terminal, row.c.district))
    return [_view(one, heard.get(one.terminal), tasks, reports, now) for one in found]


def find_terminal(tx: Connection, district: str, terminal: str, now: int) -> TerminalView:
    """What a district says of a terminal, and how it was heard last; NotFound when it never admitted it."""
    for one in list_terminals_heard(tx, now):
        if (one.district, one.terminal) == (district, terminal):
            return one
    raise NotFound(f"terminal {terminal} is not known at {district}; GET /api/v1/terminals lists those that are")


def _view(one: Any, heard: Any, tasks: Mapping[str, int], reports: Mapping[str, Newest], now: int) -> TerminalView:
    """``one`` a row of terminals, ``heard`` of its newest status or None."""
    report = reports.get(one.terminal)
    confirmed: int | None = heard.confirmed_at if heard is not None else None
    return TerminalView(
        district=one.district,
        terminal=one.terminal,
        state=one.state,
        holder=one.holder,
        credentials_since=one.at,
        edge=heard.edge if heard is not None else None,
        heard_at=heard.heard_at if heard is not None else None,
        app=heard.app if heard is not None else None,
        battery=heard.battery if heard is not None else None,
        queue=heard.queue if heard is not None else None,
        refused=heard.refused if heard is not None else None,
        confirmed_at=confirmed,
        round_trip_ms=heard.round_trip_ms if heard is not None else None,
        connected=one.state == "admitted" and confirmed is not None and now - confirmed <= CONNECTED_US,
        pending_tasks=tasks.get(one.terminal, 0),
        position_at=report[0] if report else None,
        position_edge=report[1] if report else None,
        position_seq=report[2] if report else None,
    )


def _heard(tx: Connection) -> dict[str, Any]:
    """The newest status of each terminal, whichever edge heard it."""
    row = table(TerminalHeardRow)
    return {one.terminal: one for one in tx.execute(select(row).order_by(row.c.heard_at))}


def _open_tasks(tx: Connection) -> dict[str, int]:
    row = table(TaskRow).c
    query = select(row.terminal, func.count()).where(row.state == "open").group_by(row.terminal)
    return {one[0]: one[1] for one in tx.execute(query)}


def _newest_reports(tx: Connection) -> dict[str, Newest]:
    """Time and entry of each terminal's newest report that was kept."""
    row, own = table(ReportRow).c, table(TerminalRow).c
    newest = (
        select(func.max(row.made_at))
        .where(row.terminal == own.terminal, row.status == "kept")
        .correlate(table(TerminalRow))
    )
    query = select(row.terminal, row.made_at, row.edge, row.seq).join_from(
        table(TerminalRow), table(ReportRow), (row.terminal == own.terminal) & (row.made_at == newest.scalar_subquery())
    )
    return {terminal: (at, edge, seq) for terminal, at, edge, seq in tx.execute(query)}
