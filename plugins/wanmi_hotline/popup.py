"""The pop-up: what an operator sees of a call that rings at their seat, until it is wrapped up."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from wanmi.clock import SECOND
from wanmi.hookspecs import Actor
from wanmi.identity.views import note_view
from wanmi.models import CaseRow, table
from wanmi.registry import NodeContext
from wanmi_hotline.callers import Caller, caller_blob, calls_of_number, digest_of_call, open_caller
from wanmi_hotline.projecting import Call
from wanmi_hotline.rows import CallRow
from wanmi_hotline.settings import HotlineSettings

RINGS = 600 * SECOND
"""How long (µs) a call can ring at most: then its end was not told."""
OPEN = 12 * 3600 * SECOND
"""How long (µs) a call that was taken waits for its wrap-up on the screen."""


@dataclass(frozen=True)
class Earlier:
    """An earlier call of the same number; times µs UTC."""

    call: str
    begun_at: int
    outcome: str | None
    case: str | None
    category: str | None
    stage: str | None
    state: str | None
    rating: str | None
    missed: bool
    name: str


@dataclass(frozen=True)
class Popup:
    """A call on the screen. ``number`` is empty when it is hidden, None when it was erased."""

    call: str
    state: str
    direction: str
    called: str
    seat: str
    begun_at: int
    answered_at: int | None
    ended_at: int | None
    number: str | None
    name: str
    notes: str
    history: list[Earlier]


def popups_of(node: NodeContext, actor: Actor) -> list[Popup]:
    """The calls that are on this operator's screen, newest first; that sealed data is shown on it is journaled."""
    with node.store.reader() as tx:
        calls = _mine(tx, node, actor.id)
    return [_popup(node, actor, call) for call in calls]


def _popup(node: NodeContext, actor: Actor, call: Call) -> Popup:
    limit = node.settings.section("hotline", HotlineSettings).history
    with node.store.reader() as tx:
        blob = caller_blob(tx, call.subject)
        digest = digest_of_call(tx, call.subject)
        before = calls_of_number(tx, digest, but=call.subject, limit=limit) if digest is not None else []
        blobs = [caller_blob(tx, one.subject) for one in before]
        history = [_earlier(tx, one) for one in before]
    shown = [one for one in (blob, *blobs) if one is not None]
    if shown:
        note_view(node, actor, blobs=shown, subject=call.subject, why="popup")
    known = [open_caller(node, one) if one is not None else None for one in blobs]
    named = [_named(line, who) for line, who in zip(history, known, strict=True)]
    return _screen(call, blob, open_caller(node, blob) if blob is not None else None, named)


def case_of_report(tx: Connection, report: str | None) -> str | None:
    """The number of the case that a report led to; None as long as there is none."""
    if report is None:
        return None
    row = table(CaseRow).c
    return tx.execute(select(row.number).where(row.report_subject == report)).scalars().first()


def _mine(tx: Connection, node: NodeContext, person: str) -> list[Call]:
    """Calls that ring at the person's seat, and those that they took and did not wrap up."""
    row, now = table(CallRow), node.clock.now()
    rings = (row.c.state == "ringing") & (row.c.at > now - RINGS)
    taken = (row.c.operator == person) & row.c.state.in_(("talking", "held", "ended")) & (row.c.at > now - OPEN)
    query = select(row).where(row.c.origin == node.code, or_(rings, taken)).order_by(row.c.begun_at.desc())
    calls = [Call(**one._mapping) for one in tx.execute(query)]
    return [call for call in calls if call.operator == person or person in call.rang_at]


def _earlier(tx: Connection, call: Call) -> Earlier:
    row = table(CaseRow).c
    query = select(row.number, row.category, row.stage, row.state)
    found = None
    if call.report is not None:
        found = tx.execute(query.where(row.report_subject == call.report)).first()
    elif call.about is not None:
        found = tx.execute(query.where(row.number == call.about)).first()
    number, category, stage, state = found or (None, None, None, None)
    return Earlier(
        call.id, call.begun_at, call.outcome, number, category, stage, state, call.rating, bool(call.missed), ""
    )  # fmt: skip


def _named(line: Earlier, who: Caller | None) -> Earlier:
    return Earlier(**{**line.__dict__, "name": who.name if who is not None else ""})


def _screen(call: Call, blob: str | None, who: Caller | None, history: list[Earlier]) -> Popup:
    number = who.number if who is not None else ("" if blob is None else None)
    name = (who.name if who else "") or next((one.name for one in history if one.name), "")
    return Popup(
        call.id, call.state, call.direction, call.called, call.seat, call.begun_at, call.answered_at, call.ended_at,
        number, name, who.notes if who else "", history,
    )  # fmt: skip
