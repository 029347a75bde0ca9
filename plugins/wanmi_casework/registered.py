"""Reports that came by no terminal (hotline, leaders, media, web): this node wrote them down and opens their cases. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from wanmi.coords import Datum
from wanmi.hookspecs import Located
from wanmi.journal import body_of
from wanmi.kinds import Attachment, ReportRegistered, ThingKind
from wanmi.registry import Stored

REGISTERED = "report.registered"


@dataclass(frozen=True)
class Registered:
    """A registered report in the words of a terminal's; ``located`` is what the registrar decided, None for a point."""

    report_id: str
    kind: ThingKind
    category: str
    lon_e7: int
    lat_e7: int
    source: str
    made_at: int
    attachments: list[Attachment]
    located: Located | None
    datum: Datum = "WGS84"
    component: str | None = None
    terminal: str | None = None


def registered_by(stored: Stored, node: str) -> Registered | None:
    """The report in an entry of ``node`` itself; None for other kinds and other nodes' reports."""
    entry = stored.entry
    if entry is None or entry.kind != REGISTERED or stored.origin != node:
        return None
    body = body_of(entry, ReportRegistered)
    place = body.place
    located = None
    if place.grid is not None:
        located = Located(place.grid, place.grid_version or "")
    return Registered(
        body.report_id, body.kind, body.category, place.lon_e7, place.lat_e7, body.source, body.made_at,
        body.attachments, located,
    )  # fmt: skip
