"""Where a terminal was: its sealed segments as lists, and how long it was near a place, worked out from them.

A segment's entry tells when and how far; its positions are sealed. Whoever has them opened leaves a view in the journal,
and only what the terminal's own key signed counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from wanmi.clock import SECOND
from wanmi.coords import Point
from wanmi.errors import BadInput, NotAllowed, NotFound
from wanmi.hookspecs import Actor
from wanmi.identity.views import note_view
from wanmi.journal.task_rows import TrackRow
from wanmi.models import table
from wanmi.registry import NodeContext
from wanmi.reports import Refused, TrackFix, attendance
from wanmi.reports.tracks import segment_fixes
from wanmi_casework.tasks import terminal_keys

LONGEST = 24 * 3600 * SECOND
"""µs that are looked at at once: a shift."""
MOST = 400
"""Segments that are looked at at once: an honest terminal has 96 of a quarter of an hour in a day."""


@dataclass(frozen=True)
class Segment:
    """A sealed part of a terminal's way: times µs UTC, how many positions, metres from one to the next."""

    edge: str
    terminal: str
    start: int
    end: int
    fixes: int
    distance_m: int
    blob: str


@dataclass(frozen=True)
class Attended:
    """How long a terminal was near a place: ``first`` and ``last`` µs UTC there, None: never.

    ``segments`` were looked at, of which ``unread`` are not here or erased, ``unproven`` not signed by the terminal's key:
    neither counts.
    """

    terminal: str
    seconds: int
    first: int | None
    last: int | None
    segments: int
    unread: int
    unproven: int


def list_segments(node: NodeContext, terminal: str, since: int, until: int) -> list[Segment]:
    """A terminal's segments that touch the period (µs UTC, ``until`` left out), in order; BadInput for a period too long."""
    if not 0 < until - since <= LONGEST:
        raise BadInput(f"tracks of {terminal}: `since` to `until` must be a period of at most 24 hours")
    row = table(TrackRow).c
    query = (
        select(row.edge, row.terminal, row.start, row.end, row.fixes, row.distance_m, row.blob)
        .where(row.terminal == terminal, row.start < until, row.start > since - LONGEST, row.end >= since)
        .order_by(row.start, row.edge, row.seq)
        .limit(MOST + 1)
    )
    with node.store.reader() as tx:
        found = [Segment(*one) for one in tx.execute(query)]
    if len(found) > MOST:
        raise BadInput(f"tracks of {terminal}: more than {MOST} segments; ask for a shorter period")
    return found


def presence_at(
    node: NodeContext, actor: Actor, terminal: str, place: Point, metres: int, since: int, until: int
) -> Attended:
    """How long one of this district's terminals was within ``metres`` of ``place`` (WGS-84); the view is journaled first.

    NotFound for a terminal that this district never admitted, BadInput for a period too long.
    """
    known = terminal_keys(node, terminal)
    keys = () if known is None else (known.public_key, *(past.public_key for past in known.past))
    if not keys:
        raise NotFound(f"terminal {terminal}: not admitted by {node.code}")
    segments = list_segments(node, terminal, since, until)
    if segments:
        blobs = [one.blob for one in segments]
        note_view(node, actor, blobs=blobs, subject=f"track:{terminal}", why=f"attendance {since}-{until}")
    opened = list(_opened(node, segments))
    proven = [fixes for fixes in (_proven(content, keys) for content in opened) if fixes is not None]
    found = attendance((fix for fixes in proven for fix in fixes), place, metres, since, until)
    return Attended(
        terminal, found.seconds, found.first, found.last, len(segments),
        unread=len(segments) - len(opened), unproven=len(opened) - len(proven),
    )  # fmt: skip


def _opened(node: NodeContext, segments: list[Segment]) -> Iterator[bytes]:
    for one in segments:
        try:
            yield node.blobs.open(one.blob)
        except (NotFound, NotAllowed):
            continue


def _proven(content: bytes, keys: Sequence[bytes]) -> tuple[TrackFix, ...] | None:
    try:
        return segment_fixes(content, *keys)
    except Refused:
        return None
