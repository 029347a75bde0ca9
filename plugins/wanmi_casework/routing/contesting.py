"""The reactor `casework.contest`: a case that comes to be dispatched and is claimed by several goes into the queue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from wanmi.case_kinds import CaseStepped
from wanmi.entries import Entry
from wanmi.journal import body_of
from wanmi.models import CaseRow, table
from wanmi.registry import Draft, NodeContext, Stored
from wanmi_casework.routing.arbitration import contest_draft
from wanmi_casework.routing.suggesting import suggest
from wanmi_casework.routing.tables import DISPATCH_STAGE


def contest_steps(node: NodeContext, batch: Sequence[Stored]) -> Iterator[tuple[Stored, Draft]]:
    """A draft of `route.contested` for each case of this node that came to be dispatched and is contested."""
    arrived = {
        stored.entry.subject.partition(":")[2]: (stored, stored.entry)
        for stored in batch
        if stored.origin == node.code and stored.entry is not None and _to_dispatch(stored.entry)
    }
    cases = _cases(node, list(arrived)) if arrived else {}
    for number, (stored, entry) in arrived.items():
        if number in cases:
            draft = contest_draft(node, number, suggest(node, cases[number], entry.at))
            if draft is not None:
                yield stored, draft


def _to_dispatch(entry: Entry) -> bool:
    body = body_of(entry, CaseStepped)
    return body.stage == DISPATCH_STAGE and not body.final


def _cases(node: NodeContext, numbers: Sequence[str]) -> Mapping[str, Any]:
    """The rows of those cases, as far as they are still to be dispatched."""
    case = table(CaseRow).c
    query = select(case.number, case.kind, case.category, case.district, case.grid, case.source)
    with node.store.reader() as connection:
        rows = connection.execute(query.where(case.number.in_(numbers), case.stage == DISPATCH_STAGE)).all()
    return {row.number: row for row in rows}
