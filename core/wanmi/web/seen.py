"""What a caller sees of cases and sealed data: a department its own cases only; every opened blob leaves a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, select

from wanmi.errors import NotAllowed, NotFound
from wanmi.identity.views import note_view
from wanmi.models import CaseRow, table
from wanmi.query import Evidence, evidence_by_blob
from wanmi.registry import NodeContext

if TYPE_CHECKING:
    from wanmi.web.callers import Caller


def seen_by(caller: Caller | None) -> ColumnElement[bool] | None:
    """What to add to every query over cases for this caller; None when they see all."""
    return None if caller is None else caller.cases_seen(table(CaseRow).c)


def need_case(tx: Connection, caller: Caller, number: str) -> None:
    """NotFound, as for a case that there is not, unless the caller sees the case."""
    if not _sees(tx, caller, table(CaseRow).c.number == number):
        raise NotFound(f"case {number}: not known at this node")


def need_subject(tx: Connection, caller: Caller, subject: str) -> None:
    """NotFound unless the caller sees a case that the subject (``case:…``, ``report:…``) belongs to."""
    c = table(CaseRow).c
    if not _sees(tx, caller, (c.report_subject == subject) | (c.number == subject.removeprefix("case:"))):
        raise NotFound(f"{subject}: not known at this node")


def open_evidence(node: NodeContext, caller: Caller, blob: str) -> tuple[Evidence, bytes]:
    """The content of a sealed attachment, its view journaled before it is given out; call it in a thread.

    NotFound while it is not here or not the caller's to see, NotAllowed once erased or for a post that opens nothing.
    """
    if not caller.opens_sealed:
        raise NotAllowed(f"post {caller.actor.post} may not open sealed evidence; an operator may")
    with node.store.reader() as tx:
        evidence = evidence_by_blob(tx, blob)
        need_subject(tx, caller, evidence.subject)
    content = node.blobs.open(blob)
    note_view(node, caller.actor, blobs=[blob], subject=evidence.subject)
    return evidence, content


def _sees(tx: Connection, caller: Caller, which: ColumnElement[bool]) -> bool:
    seen = seen_by(caller)
    if seen is None:
        return True
    return tx.execute(select(table(CaseRow).c.number).where(which, seen).limit(1)).first() is not None
