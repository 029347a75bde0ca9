"""The hooks: ``register`` and the questions that plugins answer.

Hooks are synchronous, short, and run outside the writer. Several answers are ordered by the node's setting
``plugins`` (the first that is not None wins, or all are joined where the spec says so). No hook is listed
here without a plugin in the tree that uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pluggy

from wanmi.coords import Datum, Point

if TYPE_CHECKING:
    from starlette.requests import Request

    from wanmi.registry import NodeContext, Registry

PROJECT = "wanmi"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True)
class Actor:
    """Who asks: an opaque person, device or token id and the post held (names live in local tables)."""

    id: str
    post: str
    name: str = ""


@dataclass(frozen=True)
class Located:
    """Where a point lies: the 15-digit unit grid and the data version that said so."""

    grid: str
    version: str


@dataclass(frozen=True)
class ReportFacts:
    """What the duplicate question is asked about; coordinates 1e-7 degree WGS-84, times µs UTC."""

    kind: str
    category: str
    lon_e7: int
    lat_e7: int
    reported_at: int


class Specs:
    """pluggy's view of the hooks."""

    @hookspec
    def register(self, to: Registry) -> None:
        """Fill the registry; called once for each enabled plugin, in the order of the settings."""

    @hookspec(firstresult=True)
    def locate_point(self, node: NodeContext, lon_e7: int, lat_e7: int, datum: Datum) -> Located | None:
        """The unit grid of a point; None when this plugin does not know. First answer wins."""

    @hookspec
    def find_duplicates(self, node: NodeContext, facts: ReportFacts) -> Sequence[str] | None:
        """Case numbers that may be about the same thing; all answers are joined, first ones first."""

    @hookspec(firstresult=True)
    def point_in_area(self, node: NodeContext, code: str) -> Point | None:
        """A WGS-84 point inside a unit grid (15 digits) or community (12); None when this plugin does not know it."""

    @hookspec
    def blobs_of_person(self, node: NodeContext, number: str) -> Sequence[str] | None:
        """The sealed blobs here that are about whoever has this telephone number; all answers are joined."""

    @hookspec(firstresult=True)
    def actor_from_request(self, node: NodeContext, request: Request) -> Actor | None:
        """Who makes an HTTP request; None when this plugin does not know. First answer wins."""


class Hooks(Protocol):
    """The isolated callers: a plugin that raises is fenced for that call and named in the log."""

    def locate_point(self, node: NodeContext, lon_e7: int, lat_e7: int, datum: Datum) -> Located | None:
        """See Specs.locate_point."""
        ...

    def find_duplicates(self, node: NodeContext, facts: ReportFacts) -> list[str]:
        """See Specs.find_duplicates."""
        ...

    def point_in_area(self, node: NodeContext, code: str) -> Point | None:
        """See Specs.point_in_area."""
        ...

    def blobs_of_person(self, node: NodeContext, number: str) -> list[str]:
        """See Specs.blobs_of_person."""
        ...

    def actor_from_request(self, node: NodeContext, request: Request) -> Actor | None:
        """See Specs.actor_from_request."""
        ...
