"""HTTP: where terminals were, /api/v1/tracks and /api/v1/attendance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from wanmi.coords import Point
from wanmi.registry import NodeContext
from wanmi.web.bounds import E7, Id, Time
from wanmi.web.callers import Reading, needs
from wanmi_casework.tracks import Attended, Segment, list_segments, presence_at

RIGHT = "track.read"


@dataclass(frozen=True)
class SegmentsOut:
    """Segments in order of time."""

    segments: list[Segment]


def track_routes(node: NodeContext) -> APIRouter:
    """The routes of tracks."""
    router = APIRouter(tags=["tasks"])

    @router.get("/tracks")
    @needs(RIGHT)
    def tracks(terminal: Id, since: Time, until: Time) -> SegmentsOut:
        """A terminal's sealed segments in a period of at most 24 hours: when, how far; their positions stay sealed."""
        return SegmentsOut(list_segments(node, terminal, since, until))

    @router.get("/attendance")
    @needs(RIGHT)
    def attended(
        caller: Reading,
        terminal: Id,
        lon_e7: E7,
        lat_e7: Annotated[int, Query(ge=-900_000_000, le=900_000_000)],
        since: Time,
        until: Time,
        metres: Annotated[int, Query(ge=1, le=10_000)] = 100,
    ) -> Attended:
        """How long a terminal was near a place (WGS-84) in at most 24 hours. Opens its positions: a view is journaled."""
        return presence_at(node, caller.actor, terminal, Point(lon_e7, lat_e7), metres, since, until)

    return router
