"""The queue of 提请市级: what districts asked of the city, with the city's case that came of each ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, or_, select

from wanmi.errors import BadInput
from wanmi.journal.order_rows import OrderAskRow
from wanmi.models import CaseRow, table
from wanmi.query.filters import read_cursor, write_cursor
from wanmi.registry import NodeContext
from wanmi_supervision.queues import MOST

State = Literal["waiting", "open", "done"]


@dataclass(frozen=True)
class Escalation:
    """An ask: ``waiting`` while the city has no case of it here, ``open`` while that case is worked, then ``done``."""

    ask: str
    district: str
    state: State
    case: str
    case_state: str | None
    demand: str
    asked_at: int
    asked_by: str | None
    city_case: str | None
    city_state: str | None


@dataclass(frozen=True)
class EscalationPage:
    """A page of asks, newest first; ``next`` is the cursor of the following page, null on the last one."""

    escalations: list[Escalation]
    next: str | None


def list_escalations(
    node: NodeContext, *, state: State | None = None, district: str = "", cursor: str = "", limit: int = 50
) -> EscalationPage:
    """Asks that fit: at a city those of its districts, at a district its own."""
    if not 1 <= limit <= MOST:
        raise BadInput(f"limit {limit}: must be 1 to {MOST}")
    ask, below, above = table(OrderAskRow), table(CaseRow).alias("below"), table(CaseRow).alias("above")
    named = above.c.report_id == ask.c.district + "-" + ask.c.ask_id
    opened = above.c.terminal.is_(None) & named & (above.c.source == "district")
    states: dict[State, ColumnElement[bool]] = {
        "waiting": above.c.number.is_(None),
        "open": above.c.final == 0,
        "done": above.c.final == 1,
    }
    fits = [ask.c.district == district] if district else []
    fits += [states[state]] if state is not None else []
    if cursor:
        at, ask_id = read_cursor(cursor)
        fits.append(or_(ask.c.at < at, and_(ask.c.at == at, ask.c.ask_id < ask_id)))
    query = (
        select(ask, below.c.state.label("case_state"), above.c.number, above.c.state, above.c.final)
        .outerjoin_from(ask, below, below.c.number == ask.c.case)
        .outerjoin(above, opened)
        .where(*fits)
        .order_by(ask.c.at.desc(), ask.c.ask_id.desc())
        .limit(limit + 1)
    )
    with node.store.reader() as tx:
        rows = tx.execute(query).all()
    found = [_escalation(row) for row in rows[:limit]]
    more = len(rows) > limit
    return EscalationPage(found, write_cursor(found[-1].asked_at, found[-1].ask) if more else None)


def _escalation(row: Any) -> Escalation:
    state: State = "waiting" if row.number is None else "done" if row.final else "open"
    return Escalation(
        row.ask_id, row.district, state, row.case, row.case_state, row.demand, row.at, row.actor, row.number, row.state
    )
