"""What somebody asks of a case, and the answer: the entries to write. Data only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import msgspec

from wanmi.case_kinds import Limit, LinkKind
from wanmi.cases.case import Mark
from wanmi.kinds import Attachment
from wanmi.order_kinds import OrderKind


@dataclass(frozen=True)
class OrderSeen:
    """An order between city and district as the node holds it: what proves a step that names it.

    ``waiting``: nobody has ended it, nor given an answer that settles it; ``answered``: the district has answered.
    """

    id: str
    kind: OrderKind
    district: str
    case: str | None
    district_case: str | None
    waiting: bool
    answered: bool


@dataclass(frozen=True)
class Known:
    """What the node that decides knows beside case and ask; never what whoever asks says.

    ``tier`` is its own. ``order`` is the order that the ask names, where it holds one. ``also`` are other ids of the
    actor's: the terminal that they carry, or the holder of the terminal. ``usual`` is the limit that routing gives.
    """

    tier: Literal["city", "district"] | None = None
    order: OrderSeen | None = None
    also: tuple[str, ...] = ()
    usual: Limit | None = None


@dataclass(frozen=True)
class Asked:
    """Who asks, under which post and for which unit (a department's code); ``expect`` is the version they looked at."""

    actor: str
    post: str
    unit: str | None = None
    opinion: str = ""
    expect: int | None = None
    fields: Mapping[str, str | int] = field(default_factory=dict)
    attachments: Sequence[Attachment] = ()
    known: Known = Known()

    @property
    def human(self) -> frozenset[str]:
        """Every id under which the actor is known to act."""
        return frozenset((self.actor, *self.known.also))


@dataclass(frozen=True)
class Ask(Asked):
    """A step to take; ``confirmed_by`` decided that the actor's answer counts."""

    step: str = ""
    department: str | None = None
    collector: str | None = None
    limit: Limit | None = None
    reason: str | None = None
    confirmed_by: str | None = None


@dataclass(frozen=True)
class RequestAsk(Asked):
    """A request to make; ``id`` is client-made or the desk's, ``until`` µs UTC."""

    id: str = ""
    what: str = ""
    until: int | None = None


@dataclass(frozen=True)
class ReviewAsk(Asked):
    """A request to decide on."""

    id: str = ""
    granted: bool = False


@dataclass(frozen=True)
class LinkAsk(Asked):
    """Another case to link with, merge into, or part from."""

    other: str = ""
    kind: LinkKind = "similar"


@dataclass(frozen=True)
class Due:
    """When a clock runs out, and when its light turns yellow (µs UTC)."""

    deadline: int
    warn: int


class Timing(Protocol):
    """The clocks: when the running clock with these marks (its last start first) and this limit runs out."""

    def __call__(self, marks: Sequence[Mark], limit: Limit) -> Due | None:
        """None while it is paused or stopped, or when the unit is not known."""
        ...


@dataclass(frozen=True)
class Decision:
    """An entry to write on ``case:<number>``, which must be at version ``expect`` then."""

    number: str
    kind: str
    body: msgspec.Struct
    expect: int
