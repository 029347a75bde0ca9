"""What a caller sees of cases and sealed data: a department and a collector their own cases only; every opened blob leaves a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, or_, select

from wanmi.errors import NotAllowed, NotFound
from wanmi.identity.views import note_view
from wanmi.journal.case_rows import CaseActorRow
from wanmi.journal.task_rows import TaskRow
from wanmi.models import CALLER, CaseRow, TerminalRow, table
from wanmi.query import Evidence, evidence_by_blob
from wanmi.registry import NodeContext
from wanmi.store import vouchers_of

if TYPE_CHECKING:
    from wanmi.web.callers import Caller


def seen_by(caller: Caller | None) -> ColumnElement[bool] | None:
    """What to add to every query over cases for this caller; None when they see all."""
    return None if caller is None else caller.cases_seen(table(CaseRow).c)


def of_collector(columns: Any, person: str) -> ColumnElement[bool]:
    """The cases of a collector (columns of a query over cases): reported from a terminal that they hold, given to them
    to verify or check, asked about in a task to their terminal, or worked on by them.

    The standards give the device a search of one's own history, and no more (CJ/T 293).
    """
    terminal, task, acted = table(TerminalRow).c, table(TaskRow).c, table(CaseActorRow).c
    theirs = select(terminal.terminal).where(terminal.holder == person)
    asked = select(task.case).where(task.case.is_not(None), task.terminal.in_(theirs))
    worked = select(acted.number).where(acted.actor == person)
    return or_(
        columns.collector == person, columns.terminal.in_(theirs), columns.number.in_(asked), columns.number.in_(worked)
    )


def need_case(tx: Connection, caller: Caller, number: str) -> None:
    """NotFound, as for a case that there is not, unless the caller sees the case."""
    if not _sees(tx, caller, table(CaseRow).c.number == number):
        raise NotFound(f"case {number}: not known at this node")


def open_evidence(node: NodeContext, caller: Caller, blob: str) -> tuple[Evidence, bytes]:
    """The content of a sealed attachment, its view journaled before it is given out; call it in a thread.

    NotFound while it is not here or not the caller's to see, NotAllowed once erased or for a post that opens nothing.
    """
    if not caller.opens_sealed:
        raise NotAllowed(f"post {caller.actor.post} may not open sealed evidence; an operator may")
    with node.store.reader() as tx:
        evidence = _evidence_seen(tx, caller, evidence_by_blob(tx, blob, vouchers_of(node.code, node.parent)))
    content = node.blobs.open(blob)
    note_view(node, caller.actor, blobs=[blob], subject=evidence.subject)
    return evidence, content


def without_caller(body: dict[str, Any]) -> dict[str, Any]:
    """An entry's body without the sealed part that tells who called: at a case nobody needs it, and the hotline shows it."""
    return body | {CALLER: None} if body.get(CALLER) else body


def _evidence_seen(tx: Connection, caller: Caller, found: list[Evidence]) -> Evidence:
    """The first naming whose subject (``case:…``, ``report:…``) belongs to a case that the caller sees, else NotFound."""
    c = table(CaseRow).c
    for one in found:
        if _sees(tx, caller, (c.report_subject == one.subject) | (c.number == one.subject.removeprefix("case:"))):
            return one
    raise NotFound(f"blob {found[0].blob[:12]}: no entry at this node names it")


def _sees(tx: Connection, caller: Caller, which: ColumnElement[bool]) -> bool:
    seen = seen_by(caller)
    if seen is None:
        return True
    return tx.execute(select(table(CaseRow).c.number).where(which, seen).limit(1)).first() is not None
