"""What opens a case without a terminal: a report that this node wrote down, a case that the other tier hands on. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from wanmi.cases import FIRST_STAGE, FIRST_STATE
from wanmi.coords import Datum
from wanmi.hookspecs import Located
from wanmi.journal import body_of
from wanmi.kinds import Attachment, ReportRegistered, ThingKind
from wanmi.order_kinds import OrderIssued
from wanmi.registry import Stored

REGISTERED = "report.registered"
ORDERED = "order.issued"
FILED = ("dispatch", "pending_dispatch")
"""Where a case begins that the other tier has filed already."""


@dataclass(frozen=True)
class Registered:
    """A registered report in the words of a terminal's; ``located`` is what the registrar decided, None for a point.

    ``begun`` is the stage and the state that its case begins in; ``actor`` who registered it: they act on its
    supervision axis.
    """

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
    begun: tuple[str, str] = (FIRST_STAGE, FIRST_STATE)
    actor: str | None = None


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
        body.attachments, located, actor=entry.actor,
    )  # fmt: skip


def ordered_by(stored: Stored, node: str) -> Registered | None:
    """The case that an order opens at ``node``: handed down to this district, or taken over by this city; else None."""
    entry = stored.entry
    if entry is None or entry.kind != ORDERED:
        return None
    body = body_of(entry, OrderIssued)
    opens = {"hand_down": body.district, "take_over": entry.origin}.get(body.kind)
    state = body.case_state
    if opens != node or state is None:
        return None
    located = Located(state.grid, state.grid_version or "") if state.grid is not None else None
    source = "city" if body.kind == "hand_down" else "district"
    return Registered(
        body.order_id, state.kind, state.category, state.lon_e7, state.lat_e7, source, state.reported_at,
        state.attachments, located, component=state.component, begun=FILED,
    )  # fmt: skip
