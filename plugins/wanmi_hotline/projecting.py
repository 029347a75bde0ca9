"""Calls from their entries: each entry changes its own call's row, and nothing else is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import msgspec
import orjson
from sqlalchemy import Connection, select

from wanmi.entries import Entry
from wanmi.errors import BadInput
from wanmi.journal import body_of
from wanmi.kinds import Sealed
from wanmi.models import table
from wanmi.registry import Registry
from wanmi.store import upsert_rows
from wanmi_hotline import kinds
from wanmi_hotline.rows import LOCAL, PROJECTED, CallEventRow, CallRow, CallSealedRow

KINDS: dict[str, tuple[type[msgspec.Struct], str, str]] = {
    "call.begun": (kinds.CallBegun, "来电", "Call begun"),
    "call.rang": (kinds.CallRang, "振铃", "Call rang at one more seat"),
    "call.answered": (kinds.CallAnswered, "接听", "Call answered"),
    "call.held": (kinds.CallHeld, "通话保持", "Call held or resumed"),
    "call.ended": (kinds.CallEnded, "通话结束", "Call ended"),
    "call.recorded": (kinds.CallRecorded, "通话录音", "Call recorded"),
    "call.wrapped": (kinds.CallWrapped, "通话登记", "Call wrapped up"),
    "call.called_back": (kinds.CallCalledBack, "回访", "Caller called back"),
    "call.rated": (kinds.CallRated, "满意度", "Satisfaction"),
}
_SEALED = ("caller", "text", "recording", "note")


def register_calls(to: Registry) -> None:
    """The hotline's kinds, tables and projection."""
    for name, (body, zh, en) in KINDS.items():
        to.entry_kind(name, body, zh=zh, en=en, told="hotline.read")
    to.tables(*LOCAL)
    to.projection("hotline_calls", kinds=tuple(KINDS), rows=PROJECTED, apply=project_calls)


@dataclass(frozen=True)
class Call:
    """A row of calls, field by field in the order of its columns (see rows.CallRow)."""

    subject: str
    origin: str
    system: str
    direction: str
    called: str
    state: str
    missed: int
    rang: str
    seat: str
    operator: str | None
    begun_at: int
    answered_at: int | None
    held_at: int | None
    held_us: int
    ended_at: int | None
    reason: str
    outcome: str | None
    report: str | None
    about: str | None
    call_back: int
    called_back: str | None
    rating: str | None
    version: int
    at: int

    @property
    def id(self) -> str:
        """The call's id in addresses."""
        return self.subject.rpartition(":")[2]

    @property
    def rang_at(self) -> list[str]:
        """The people at whose seats it rang."""
        return list(orjson.loads(self.rang))

    def tuple(self) -> tuple[Any, ...]:
        """The row."""
        return tuple(getattr(self, name) for name in COLUMNS)


COLUMNS = tuple(field.name for field in fields(Call))


def project_calls(tx: Connection, entries: Sequence[Entry]) -> None:
    """Apply entries of calls in order."""
    calls: dict[str, Call | None] = {}
    for entry in entries:
        if not entry.subject.startswith(f"call:{entry.origin}:"):
            raise BadInput(f"{entry.subject}: node {entry.origin} writes of its own calls only")
        if entry.subject not in calls:
            calls[entry.subject] = load(tx, entry.subject)
        call = step(calls[entry.subject], entry)
        calls[entry.subject] = call
        upsert_rows(tx, CallRow, [call.tuple()])
        _note_event(tx, entry)
        _note_sealed(tx, entry)


def load(tx: Connection, subject: str) -> Call | None:
    """A call as it stands."""
    row = tx.execute(select(table(CallRow)).where(table(CallRow).c.subject == subject)).one_or_none()
    return None if row is None else Call(**row._mapping)


def step(call: Call | None, entry: Entry) -> Call:
    """The call after an entry. Telephone systems tell things late and out of order: nothing of that is refused."""
    body = body_of(entry, KINDS[entry.kind][0])
    if isinstance(body, kinds.CallBegun):
        if call is not None:
            raise BadInput(f"{entry.subject}: it was begun before")
        return _begin(entry, body)
    if call is None:
        raise BadInput(f"{entry.subject}: {entry.kind}, but it was never begun")
    return replace(_after(call, body, entry), version=entry.version, at=entry.at)


def _begin(entry: Entry, body: kinds.CallBegun) -> Call:
    rang = [body.operator] if body.operator is not None else []
    return Call(
        entry.subject, entry.origin, body.system, body.direction, body.called, "ringing", 0, _list(rang), body.seat,
        None, body.at, None, None, 0, None, "", None, None, None, 0, None, None, entry.version, entry.at,
    )  # fmt: skip


def _after(call: Call, body: msgspec.Struct, entry: Entry) -> Call:
    match body:
        case kinds.CallRang():
            who = [body.operator] if body.operator is not None and body.operator not in call.rang_at else []
            return replace(call, rang=_list([*call.rang_at, *who]), seat=call.seat or body.seat)
        case kinds.CallAnswered():
            state = "talking" if call.state == "ringing" else call.state
            return replace(
                call, state=state, seat=body.seat or call.seat, operator=body.operator or call.operator,
                answered_at=call.answered_at or body.at, missed=0,
            )  # fmt: skip
        case kinds.CallHeld():
            return _held(call, body)
        case kinds.CallEnded():
            return _ended(call, body)
        case kinds.CallWrapped():
            return replace(
                call, state="wrapped", outcome=body.outcome, report=body.report, about=body.about,
                call_back=int(body.call_back), operator=call.operator or entry.actor,
            )  # fmt: skip
        case kinds.CallCalledBack():
            return replace(call, called_back=body.result)
        case kinds.CallRated():
            return replace(call, rating=body.rating)
    return call


def _held(call: Call, body: kinds.CallHeld) -> Call:
    if body.on:
        state = "held" if call.state == "talking" else call.state
        return replace(call, state=state, held_at=call.held_at or body.at)
    waited = max(0, body.at - call.held_at) if call.held_at is not None else 0
    state = "talking" if call.state == "held" else call.state
    return replace(call, state=state, held_at=None, held_us=call.held_us + waited)


def _ended(call: Call, body: kinds.CallEnded) -> Call:
    over = _held(call, kinds.CallHeld(body.event, body.at, on=False)) if call.held_at is not None else call
    state = over.state if over.state == "wrapped" else "ended"
    missed = int(over.answered_at is None and over.direction == "in")
    return replace(over, state=state, ended_at=over.ended_at or body.at, reason=body.reason, missed=missed)


def _note_event(tx: Connection, entry: Entry) -> None:
    event = entry.body.get("event")
    if event is not None:
        upsert_rows(tx, CallEventRow, [(entry.origin, event, entry.subject, entry.seq)])


def _note_sealed(tx: Connection, entry: Entry) -> None:
    body = body_of(entry, KINDS[entry.kind][0])
    parts = [(role, part) for role in _SEALED if isinstance(part := getattr(body, role, None), Sealed)]
    upsert_rows(
        tx,
        CallSealedRow,
        [(entry.subject, entry.seq, role, one.blob, one.digest, one.size, one.media) for role, one in parts],
    )


def _list(values: Sequence[str]) -> str:
    return orjson.dumps(list(values)).decode()
