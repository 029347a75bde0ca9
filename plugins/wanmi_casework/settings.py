"""``[casework]`` of node.toml: when two reports may be about the same thing."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from wanmi.order_kinds import Level, PressKind
from wanmi.settings import Section


class EdgeEventRule(Section):
    """``[[casework.edge_events]]``: what of this district's work edges are told, for scenes that wait for it; an empty list is any."""

    on: Literal["press", "overdue"]
    """A press by the city (event `case.pressed`), or a deadline that passed (event `case.overdue`)."""
    press: tuple[PressKind, ...] = ()
    """Of a press: why it was pressed."""
    levels: tuple[Level, ...] = ()
    """Of a press: how urgent it is."""
    clocks: tuple[str, ...] = ()
    """Of a deadline: of which clock (`handle`, `file` …)."""
    categories: tuple[str, ...] = ()
    """Of cases of these categories, with their letter, or of those that begin so (`E01`)."""
    edges: tuple[str, ...] = ()
    """Told to these edges only."""


class CaseworkSettings(Section):
    """Reports of one category within ``near_m`` metres and ``near_hours`` hours are similar; ``similar`` at most are named."""

    near_m: int = Field(default=50, ge=1, le=50)
    near_hours: int = Field(default=24, ge=1, le=24 * 30)
    similar: int = Field(default=10, ge=0, le=100)
    edge_events: tuple[EdgeEventRule, ...] = (EdgeEventRule(on="press"),)
    """What edges are told; the first rule that fits an entry says to whom."""
