"""/api/v1/reports: what leaders, media, patrols or other systems tell; this node opens the case. Terminals sign theirs."""

from __future__ import annotations

import asyncio
import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from wanmi.clock import SECOND
from wanmi.coords import Datum, Point, to_wgs84
from wanmi.errors import BadInput, Conflict, NotFound
from wanmi.kinds import Attachment, Place, ReportRegistered
from wanmi.models import CaseRow, EntryRow, table
from wanmi.profiles import ProfileStore
from wanmi.registry import Draft, NodeContext
from wanmi.reports import digest_of, text_part
from wanmi.reports.envelope import SALT
from wanmi.store import Sealed
from wanmi.web.bounds import Id
from wanmi.web.callers import Caller, Reading, needs
from wanmi.web.seen import seen_by

KIND = "report.registered"
MAX_WAIT = 10
_AHEAD = 300 * SECOND
_SOURCE = r"^[a-z][a-z0-9_]{1,19}$"
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=100)]


class PointIn(BaseModel):
    """A point in 1e-7 degree."""

    model_config = ConfigDict(extra="forbid")

    lon_e7: int = Field(ge=-1_800_000_000, le=1_800_000_000)
    lat_e7: int = Field(ge=-900_000_000, le=900_000_000)
    datum: Datum = "WGS84"


class ReportIn(BaseModel):
    """A report: a point or an area (unit grid of 15 digits, community of 12); the text is sealed, the address is not."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(pattern=_SOURCE, description="leader, media, patrol, portal, web …; not collector, not hotline")
    kind: Literal["component", "event"]
    category: str = Field(pattern=r"^[0-9]{1,8}$")
    text: str = Field(min_length=1, max_length=4000)
    point: PointIn | None = None
    area: str = Field(default="", pattern=r"^([0-9]{12}|[0-9]{15})?$")
    address: str = Field(default="", max_length=200)
    made_at: int | None = Field(default=None, ge=0, le=2**53 - 1, description="µs UTC; now when left out")


@dataclass(frozen=True)
class ReportedOut:
    """A registered report; ``case`` once this node opened it (at once, as a rule)."""

    id: str
    report: str
    case: str | None


def report_routes(node: NodeContext) -> APIRouter:
    """Routes under /api/v1/reports."""
    router = APIRouter(tags=["reports"])

    @router.post("/reports", status_code=201)
    @needs("report.register")
    def register(caller: Reading, given: ReportIn, key: Key = "") -> ReportedOut:
        """Register a report. With a key it is registered once, however often it is sent."""
        report_id, subject = register_report(node, caller, given, key)
        return _find(node, caller, report_id) or ReportedOut(report_id, subject, None)

    @router.get("/reports/{report_id}")
    @needs("case.read")
    async def report(
        caller: Reading,
        report_id: Id,
        wait: Annotated[int, Query(ge=0, le=MAX_WAIT, description="seconds to wait for the case")] = 0,
    ) -> ReportedOut:
        """Which case came of a report."""
        loop = asyncio.get_running_loop()
        end = loop.time() + wait
        while (found := await run_in_threadpool(_find, node, caller, report_id)) is None:
            if loop.time() >= end:
                raise NotFound(f"report {report_id[:40]}: no case of it is here (yet)")
            await asyncio.sleep(0.05)
        return found

    return router


def register_report(node: NodeContext, caller: Caller, given: ReportIn, key: str = "") -> tuple[str, str]:
    """Write the report down; its id and subject. BadInput when the key was another report's."""
    _check(node, given)
    report_id, salt = _made_of(node, caller, key)
    content = text_part(given.text, salt)
    sealed = node.blobs.seal(content)
    body = _body(node, caller, given, report_id, content, sealed)
    subject = f"report:{node.code}:{report_id}:{given.source}"
    if key and _known(node, report_id, body):
        return report_id, subject
    audience = (node.code if node.parent is None else node.parent,)
    draft = Draft(KIND, subject, body, audience, actor=caller.actor.id, expect=0)
    try:
        node.journal.append(draft, also=lambda tx, _: node.blobs.add(tx, sealed)).result()
    except Conflict:
        if not (key and _known(node, report_id, body)):
            raise
    return report_id, subject


def _check(node: NodeContext, given: ReportIn) -> None:
    if not any(KIND in one.kinds for one in node.registry.reactors.values()):
        raise Conflict("this node opens no cases; enable the plugin casework")
    if given.source in ("collector", "hotline"):
        raise BadInput(f"source {given.source}: terminals sign their reports, calls are wrapped up at the hotline")
    if (given.point is None) == (not given.area):
        raise BadInput("place: give a point, or an area (a unit grid or a community), one of them")
    if given.made_at is not None and given.made_at > node.clock.now() + _AHEAD:
        raise BadInput("made_at: lies in the future")
    ProfileStore(node).active().category(given.kind, given.category)


def _made_of(node: NodeContext, caller: Caller, key: str) -> tuple[str, bytes]:
    """The report's id and its text's salt: of a key always the same ones, which only this node can tell."""
    if not key:
        return node.ids.token(13).hex(), node.ids.token(SALT)
    made = hmac.new(node.keys.local, f"wanmi/report/1\n{caller.actor.id}\n{key}".encode(), sha256).digest()
    return made[:13].hex(), made[16:]


def _body(
    node: NodeContext, caller: Caller, given: ReportIn, report_id: str, content: bytes, sealed: Sealed
) -> ReportRegistered:
    return ReportRegistered(
        report_id=report_id,
        source=given.source,
        kind=given.kind,
        category=given.category,
        place=_place(node, given),
        address=given.address,
        made_at=node.clock.now() if given.made_at is None else given.made_at,
        attachments=[Attachment("text", digest_of(content), len(content), "text/plain", sealed.blob)],
        caller=None,
        registered_by=caller.actor.id,
    )


def _place(node: NodeContext, given: ReportIn) -> Place:
    if given.point is not None:
        point = to_wgs84(Point(given.point.lon_e7, given.point.lat_e7), given.point.datum)
        return Place(point.lon_e7, point.lat_e7, "point", None, None)
    found = node.hooks.point_in_area(node, given.area)
    if found is None:
        raise BadInput(f"area {given.area}: its grids are not known here; import them, or give a point")
    located = node.hooks.locate_point(node, found.lon_e7, found.lat_e7, "WGS84")
    if len(given.area) == 15:
        version = located.version if located is not None and located.grid == given.area else None
        return Place(found.lon_e7, found.lat_e7, "grid", given.area, version)
    grid, version = (located.grid, located.version) if located is not None else (None, None)
    return Place(found.lon_e7, found.lat_e7, "community", grid, version)


def _known(node: NodeContext, report_id: str, body: ReportRegistered) -> bool:
    """Whether this very report was registered before; BadInput when another one was under the same key."""
    earlier = _earlier(node, f"report:{node.code}:{report_id}:")
    if earlier is None:
        return False
    now: dict[str, Any] = msgspec.to_builtins(body)
    same = all(earlier[name] == now[name] for name in ("source", "kind", "category", "place", "address"))
    if not same or earlier["attachments"][0]["digest"] != now["attachments"][0]["digest"]:
        raise BadInput("this idempotency key was used for another report; take a new key")
    return True


def _earlier(node: NodeContext, begin: str) -> dict[str, Any] | None:
    """The body of the report whose subject begins so; what follows is its source."""
    row = table(EntryRow).c
    found = select(row.subject).where(row.subject >= begin, row.subject < begin + "~", row.kind == KIND).limit(1)
    with node.store.reader() as tx:
        subject = tx.execute(found).scalar_one_or_none()
    entries = node.journal.subject(subject) if subject is not None else []
    return next((one.entry.body for one in entries if one.entry is not None and one.entry.kind == KIND), None)


def _find(node: NodeContext, caller: Caller, report_id: str) -> ReportedOut | None:
    row = table(CaseRow).c
    query = select(row.number, row.report_subject).where(row.terminal.is_(None), row.report_id == report_id)
    seen = seen_by(caller)
    with node.store.reader() as tx:
        found = tx.execute(query if seen is None else query.where(seen)).first()
    return None if found is None else ReportedOut(report_id, found.report_subject, found.number)
