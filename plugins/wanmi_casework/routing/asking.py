"""Questions from people and programs: a category, a place, a time as text, and the data that shall answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from wanmi.codes import CASE_KINDS, CITY_ZONE
from wanmi.errors import BadInput
from wanmi.profiles import ProfileStore
from wanmi.registry import AdminResult, NodeContext, Progress
from wanmi_casework.routing.answer import Route
from wanmi_casework.routing.conditions import PLACE_RANKS, Facts
from wanmi_casework.routing.kept import book_of_version, current_book
from wanmi_casework.routing.matching import route
from wanmi_casework.routing.showing import route_out

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def explain(node: NodeContext, category: str, grid: str, at: str, source: str, version: str) -> Route:
    """The route of ``event:0102`` at a place; ``at`` and ``version`` empty: now, by the data as they are now.

    BadInput names what cannot be asked so.
    """
    kind, _, code = category.partition(":")
    profile = ProfileStore(node).active()
    found = [known for known in CASE_KINDS if known == kind]
    if not found:
        raise BadInput(f"category {category!r}: say the kind too, like event:0102 or component:0101")
    profile.category(found[0], code)
    if not grid.isascii() or not grid.isdigit() or len(grid) not in PLACE_RANKS:
        raise BadInput(f"grid {grid!r}: a unit grid (15 digits), or a community (12), street (9) or district (6)")
    book = book_of_version(node, version) if version else current_book(node)
    return route(Facts(kind, code, grid, source), book, time_of(at) if at else node.clock.now())


def time_of(text: str) -> int:
    """``2026-11-24T17:30`` (local unless it says its zone) or µs UTC as a number; BadInput for anything else."""
    if text.isascii() and text.isdigit() and len(text) > 8:
        return int(text)
    try:
        said = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"at {text!r}: a time like 2026-11-24T17:30, or microseconds since 1970 UTC") from error
    local = said if said.tzinfo is not None else said.replace(tzinfo=ZoneInfo(CITY_ZONE))
    try:
        return (local - _EPOCH) // timedelta(microseconds=1)
    except OverflowError as error:
        raise BadInput(f"at {text!r}: outside the years 1 to 9999") from error


def run_explain(node: NodeContext, arguments: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    """The admin action ``route.explain``: {category, grid, at?, source?, version?}; answers the route with its reasons."""
    said = {name: str(arguments.get(name) or "") for name in ("category", "grid", "at", "source", "version")}
    yield asdict(route_out(explain(node, **said)))
