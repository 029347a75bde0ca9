"""Bodies of the two tiers' entries: what a city orders of a district, and what a district answers or asks. Data only.

The core registers them, so that every node shows them. Subjects: ``order:<city>:<order id>`` for what is ordered and
answered (each node writes its own entries under it), ``ask:<district>:<ask id>`` for what a district asks.
Times µs UTC. A case is handed on by value: nobody needs the other node to know what it is about.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from wanmi.case_kinds import Opinion
from wanmi.kinds import Attachment, ThingKind

OrderKind = Literal["hand_down", "press", "check", "take_over"]
PressKind = Literal["overdue", "leader", "important"]
"""Why a case is pressed (督办): it is overdue, a leader asked about it, it matters to many."""
Level = Literal["normal", "urgent", "critical"]
Answer = Literal["accepted", "done", "returned", "answered", "given_up", "kept"]
Closing = Literal["done", "taken_back", "withdrawn"]
OrderState = Literal["open", "late", "answered", "closed"]


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class OrderedCase(_Body, frozen=True):
    """A case as it stood when it was handed on: what it is about, where, since when, with what attached."""

    kind: ThingKind
    category: str
    component: str | None
    grid: str | None
    grid_version: str | None
    lon_e7: int
    lat_e7: int
    source: str
    reported_at: int
    stage: str
    state: str
    department: str | None
    attachments: list[Attachment]


class OrderIssued(_Body, frozen=True):
    """``order.issued``: the city hands a case down, presses one, has one checked, or takes one over.

    ``case`` is the city's case, ``district_case`` the district's. The district must answer before ``reply_by``; what is
    handed down must be done by then. ``by_place`` (the grid) and ``by_matter`` (the rule) say why this district.
    """

    order_id: str
    kind: OrderKind
    district: str
    case: str | None
    district_case: str | None
    press: PressKind | None
    level: Level
    demand: Opinion
    reply_by: int
    by_place: str | None
    by_matter: str | None
    case_state: OrderedCase | None


class OrderAnswered(_Body, frozen=True):
    """``order.answered``: the district answers; ``case`` is its case. ``accepted`` is no answer yet: it is at work."""

    order_id: str
    answer: Answer
    case: str | None
    opinion: Opinion


class OrderClosed(_Body, frozen=True):
    """``order.closed``: the city has what it wanted, took the case back, or no longer wants it."""

    order_id: str
    district: str
    result: Closing
    opinion: Opinion


class OrderAsked(_Body, frozen=True):
    """``order.asked``: a district asks the city for help with its case (提请市级), which is its own to work meanwhile."""

    ask_id: str
    case: str
    demand: Opinion
    case_state: OrderedCase


def order_subject(city: str, order_id: str) -> str:
    """The subject of an order and of its answers."""
    return f"order:{city}:{order_id}"


def ask_subject(district: str, ask_id: str) -> str:
    """The subject of what a district asks."""
    return f"ask:{district}:{ask_id}"


def order_state(reply_by: int, answered_at: int | None, closed_at: int | None, now: int) -> OrderState:
    """How an order stands at ``now``: late while nobody has answered in time, answered whenever somebody has."""
    if closed_at is not None:
        return "closed"
    if answered_at is not None:
        return "answered"
    return "late" if now > reply_by else "open"


def is_late(reply_by: int, answered_at: int | None, closed_at: int | None, now: int) -> bool:
    """Whether the answer came after ``reply_by``, or has not come by then; closing without one ends the waiting."""
    first = [at for at in (answered_at, closed_at) if at is not None]
    return min(first, default=now) > reply_by
