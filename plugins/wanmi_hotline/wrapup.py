"""Wrap-up: what a call was, in one step; of a report the case comes by itself. And what the caller says afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta
from sqlalchemy import Connection, select

from wanmi.codes import Profile
from wanmi.coords import Datum, Point, to_wgs84
from wanmi.errors import BadInput, Conflict, NotAllowed, NotFound
from wanmi.hookspecs import Actor
from wanmi.kinds import Attachment, Place, ReportRegistered, ThingKind
from wanmi.models import CaseRow, table
from wanmi.profiles import ProfileStore
from wanmi.registry import Draft, NodeContext
from wanmi_hotline import kinds
from wanmi_hotline.callers import (
    Caller,
    SealedText,
    caller_blob,
    number_digest,
    open_caller,
    own_audience,
    remember_number,
    seal_caller,
    seal_text,
)
from wanmi_hotline.numbers import normalise
from wanmi_hotline.projecting import Call, load
from wanmi_hotline.rows import CallSealedRow
from wanmi_hotline.settings import HotlineSettings

T = TypeVar("T")
SOURCE = "hotline"
LEADER = "shift_leader"


class Where(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A point in 1e-7 degree."""

    lon_e7: Annotated[int, Meta(ge=-1_800_000_000, le=1_800_000_000)]
    lat_e7: Annotated[int, Meta(ge=-900_000_000, le=900_000_000)]
    datum: Datum = "WGS84"


class WrapUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the operator writes down. Outcome ``report`` needs kind, category, text, and point or area."""

    outcome: kinds.Outcome
    kind: ThingKind = "event"
    category: Annotated[str, Meta(max_length=8)] = ""
    point: Where | None = None
    area: Annotated[str, Meta(max_length=15, description="A unit grid (15 digits) or community (12).")] = ""
    address: Annotated[str, Meta(max_length=200, description="Of the matter, not of the caller; in clear.")] = ""
    text: Annotated[str, Meta(max_length=4000, description="What the caller said; sealed.")] = ""
    name: Annotated[str, Meta(max_length=60, description="Of the caller; sealed.")] = ""
    notes: Annotated[str, Meta(max_length=1000, description="About the caller; sealed.")] = ""
    number: Annotated[
        str, Meta(max_length=60, description="Where to reach the caller, if not by the number called from; sealed.")
    ] = ""
    about: Annotated[str, Meta(max_length=60, description="The case that was asked after.")] = ""
    call_back: bool = False


class CallBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a call back brought; a rating goes with ``reached`` only."""

    result: kinds.CallBackResult
    rating: kinds.Rating | None = None
    note: Annotated[str, Meta(max_length=2000, description="What the caller said; sealed.")] = ""


@dataclass(frozen=True)
class Wrapped:
    """What a wrap-up made: the call as it is now, and the report's subject where there is one."""

    call: Call
    report: str | None


AlsoCall = Callable[[Connection, Call], None]
"""Local writes with what was written down, given the call as it stands then."""


def nothing_more(_tx: Connection, _call: Call) -> None:
    """No more writes."""


def call_of(node: NodeContext, call: str) -> Call:
    """A call of this node by its id; NotFound otherwise."""
    with node.store.reader() as tx:
        found = load(tx, f"call:{node.code}:{call}")
    if found is None:
        raise NotFound(f"call {call}: no such call here")
    return found


def wrap_up(node: NodeContext, actor: Actor, call_id: str, given: WrapUp, more: AlsoCall = nothing_more) -> Wrapped:
    """Write down what the call was, once; a report goes into the journal with it, and the writes of ``more``, in one
    transaction.

    Raises Conflict (wrapped up before), NotAllowed (another's call), BadInput (what is missing or does not fit).
    """
    call = call_of(node, call_id)
    _check_mine(call, actor)
    if call.state == "wrapped":
        raise Conflict(f"call {call_id}: it was wrapped up before, by {call.operator}")
    _check(given, node)
    caller, digest = _caller(node, call, given)
    text = seal_text(node, given.text) if given.text else None
    report = _report(node, actor, call, given, caller, text) if given.outcome == "report" else None
    subject = report.subject if report is not None else None
    body = kinds.CallWrapped(
        given.outcome, subject, given.about or None, caller.part if caller else None, text.part if text else None,
        _recordings(node, call), given.call_back,
    )  # fmt: skip
    wrapped = Draft("call.wrapped", call.subject, body, own_audience(node), actor=actor.id, expect=call.version)

    def also(tx: Connection, _: object) -> None:
        for one in (caller, text):
            if one is not None:
                node.blobs.add(tx, one.blob)
        if digest is not None:
            remember_number(tx, call.subject, digest, node.clock.now())
        more(tx, load(tx, call.subject) or call)

    node.journal.append(*([report] if report is not None else []), wrapped, also=also).result()
    return Wrapped(call_of(node, call_id), subject)


def call_back(node: NodeContext, actor: Actor, call_id: str, given: CallBack, more: AlsoCall = nothing_more) -> Call:
    """Write down a call back, and how satisfied the caller is; with the writes of ``more``."""
    call = call_of(node, call_id)
    if call.state != "wrapped":
        raise Conflict(f"call {call_id}: it is wrapped up first, then called back")
    if given.rating is not None and given.result != "reached":
        raise BadInput(f"rating {given.rating}: nobody was reached who could say so")
    note = seal_text(node, given.note) if given.note else None
    body = kinds.CallCalledBack(given.result, note.part if note else None)
    drafts = [Draft("call.called_back", call.subject, body, own_audience(node), actor=actor.id, expect=call.version)]
    if given.rating is not None:
        rated = kinds.CallRated(given.rating, call.report, call.about)
        drafts.append(Draft("call.rated", call.subject, rated, own_audience(node), actor=actor.id))

    def also(tx: Connection, _: object) -> None:
        if note is not None:
            node.blobs.add(tx, note.blob)
        more(tx, load(tx, call.subject) or call)

    node.journal.append(*drafts, also=also).result()
    return call_of(node, call_id)


def decode_wrap_up(raw: bytes) -> WrapUp:
    """A wrap-up in JSON; BadInput that says what is wrong."""
    return _decode(raw, WrapUp)


def decode_call_back(raw: bytes) -> CallBack:
    """A call back in JSON; BadInput that says what is wrong."""
    return _decode(raw, CallBack)


def _decode(raw: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=kind, strict=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(str(error)) from error


def _check_mine(call: Call, actor: Actor) -> None:
    if call.operator not in (None, actor.id) and actor.post != LEADER:
        raise NotAllowed("another operator took this call; they or the shift leader write it down")


def _check(given: WrapUp, node: NodeContext) -> None:
    if given.outcome == "about_case" and not given.about:
        raise BadInput("about: say which case was asked after")
    if given.about:
        row = table(CaseRow).c
        with node.store.reader() as tx:
            if tx.execute(select(row.number).where(row.number == given.about)).first() is None:
                raise BadInput(f"about: no case {given.about} here")
    if given.outcome != "report":
        return
    if not given.text.strip():
        raise BadInput("text: a report says what is the matter")
    if (given.point is None) == (not given.area):
        raise BadInput("place: give a point, or an area (a unit grid or a community), one of them")
    running_profile(node).category(given.kind, given.category)


def running_profile(node: NodeContext) -> Profile:
    """The profile whose categories are in force here."""
    return ProfileStore(node).active()


def _caller(node: NodeContext, call: Call, given: WrapUp) -> tuple[SealedText | None, str | None]:
    """Who called as it is known now, sealed anew with what was written down; and the number's keyed hash if it is new."""
    with node.store.reader() as tx:
        blob = caller_blob(tx, call.subject)
    known = open_caller(node, blob) if blob is not None else None
    area = node.settings.section("hotline", HotlineSettings).area
    number = normalise(given.number, area) if given.number else None
    caller = Caller(
        str(number) if number is not None else (known.number if known else ""),
        given.name or (known.name if known else ""),
        given.notes,
    )
    digest = number_digest(node, number) if number is not None else None
    if caller == Caller(""):
        return None, None
    return seal_caller(node, caller), digest


def _report(
    node: NodeContext, actor: Actor, call: Call, given: WrapUp, caller: SealedText | None, text: SealedText | None
) -> Draft:
    assert text is not None  # noqa: S101 - a report has a text, see _check
    part = text.part
    report_id = node.ids.token(13).hex()
    body = ReportRegistered(
        report_id=report_id,
        source=SOURCE,
        kind=given.kind,
        category=given.category,
        place=_place(node, given),
        address=given.address,
        made_at=call.begun_at,
        attachments=[Attachment("text", part.digest, part.size, part.media, part.blob)],
        caller=caller.part if caller else None,
        registered_by=actor.id,
    )
    subject = f"report:{node.code}:{report_id}:{SOURCE}"
    return Draft("report.registered", subject, body, own_audience(node), actor=actor.id, expect=0)


def _place(node: NodeContext, given: WrapUp) -> Place:
    if given.point is not None:
        point = to_wgs84(Point(given.point.lon_e7, given.point.lat_e7), given.point.datum)
        return Place(point.lon_e7, point.lat_e7, "point", None, None)
    if len(given.area) not in (12, 15) or not given.area.isascii() or not given.area.isdigit():
        raise BadInput(f"area {given.area!r}: a unit grid has 15 digits, a community 12")
    found = node.hooks.point_in_area(node, given.area)
    if found is None:
        raise BadInput(f"area {given.area}: its grids are not known here; import them, or give a point")
    located = node.hooks.locate_point(node, found.lon_e7, found.lat_e7, "WGS84")
    if len(given.area) == 15:
        version = located.version if located is not None and located.grid == given.area else None
        return Place(found.lon_e7, found.lat_e7, "grid", given.area, version)
    grid, version = (located.grid, located.version) if located is not None else (None, None)
    return Place(found.lon_e7, found.lat_e7, "community", grid, version)


def _recordings(node: NodeContext, call: Call) -> list[str]:
    row = table(CallSealedRow).c
    query = select(row.digest).where(row.subject == call.subject, row.role == "recording").order_by(row.seq)
    with node.store.reader() as tx:
        return list(tx.execute(query).scalars())
