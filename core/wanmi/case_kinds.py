"""Bodies of a case's entries after it was opened. Data only; subject ``case:<number>``, written by its owner.

Every decision is in the body: state, stage, department, limit and deadline stand there as they are *after* the entry.
Times µs UTC. ``counts`` names what the entry adds to the case's counters (``rework``, ``groundless_return`` …).
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from wanmi.kinds import Attachment

Axis = Literal["supervision", "command"]
Opinion = Annotated[str, msgspec.Meta(max_length=2000)]
"""What a member of staff says, in plain words."""
ClockAct = Literal["start", "stop", "pause", "resume", "extend"]
LinkKind = Literal["similar", "split", "handed_down", "taken_over", "escalated", "merged"]
RequestKind = Literal[
    "return", "extension", "suspension", "deferral", "void", "forced_close", "reopen", "overdue_appeal", "self_handled"
]


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Limit(_Body, frozen=True):
    """A time limit: so many of a unit (``work_hour``, ``natural_day`` …) of the profile."""

    value: int
    unit: str


class ClockEffect(_Body, frozen=True):
    """What an entry does to one of the case's clocks, at the instant of its decision: deadlines are worked out from it.

    A ``start`` counts from nothing. A ``resume`` after a ``stop`` goes on with the time since the last ``start`` under the
    department that has the case then; what other departments used meanwhile does not count.
    """

    clock: str
    what: ClockAct
    at: int


class Effect(_Body, frozen=True):
    """How a case stands after an entry that is not a step. ``until``: end of a suspension.

    ``clock`` is the clock that runs now with its ``limit``; ``warn`` is when its light turns yellow (``yellow_after`` of the clock).
    """

    from_state: str
    state: str
    stage: str
    final: bool
    department: str | None
    collector: str | None
    clock: str | None
    limit: Limit | None
    deadline: int | None
    warn: int | None
    until: int | None
    clocks: list[ClockEffect]
    counts: list[str]


class CaseStepped(_Body, frozen=True, omit_defaults=True):
    """``case.stepped``: somebody took a step of the step table; the fields of Effect stand in it by value.

    ``confirmed_by`` is who decided that a terminal's answer counts, where it did not take the step by itself; it is
    left out otherwise. They have acted on the step's axis too.
    """

    step: str
    from_state: str
    state: str
    stage: str
    final: bool
    axis: Axis | None
    post: str
    unit: str | None
    opinion: Opinion
    department: str | None
    collector: str | None
    clock: str | None
    limit: Limit | None
    deadline: int | None
    warn: int | None
    clocks: list[ClockEffect]
    counts: list[str]
    fields: dict[str, str | int]
    attachments: list[Attachment]
    reason: str | None
    confirmed_by: str | None = None

    @property
    def until(self) -> int | None:
        """No step suspends; requests do."""
        return None


class CaseRequestMade(_Body, frozen=True):
    """``case.request_made``: somebody asks for a side flow. The approver rule stands here as data:
    ``reviewers`` different people of the posts ``approvers`` must grant it before ``expires``.
    """

    request: str
    what: RequestKind
    post: str
    axis: Axis | None
    unit: str | None
    until: int | None
    opinion: Opinion
    expires: int
    approvers: list[str]
    reviewers: int
    fields: dict[str, str | int]
    attachments: list[Attachment]


class CaseRequestDecided(_Body, frozen=True):
    """``case.request_decided``: reviewer number ``reviewer`` grants or refuses. ``effect`` is null until the last
    reviewer granted, or one refused (a refusal may only count something).
    """

    request: str
    what: RequestKind
    granted: bool
    reviewer: int
    post: str
    axis: Axis | None
    unit: str | None
    opinion: Opinion
    effect: Effect | None


class CaseRequestExpired(_Body, frozen=True):
    """``case.request_expired``: nobody decided in time; written by the timer."""

    request: str


class CaseResumed(_Body, frozen=True):
    """``case.resumed``: a suspension ended, at ``effective``, however late the entry was written.

    ``cause`` is ``due`` (its end date came; by the timer) or ``asked`` (somebody ended it early).
    """

    effective: int
    cause: Literal["due", "asked"]
    post: str | None
    axis: Axis | None
    unit: str | None
    opinion: Opinion
    effect: Effect


class CaseBecameOverdue(_Body, frozen=True):
    """``case.became_overdue``: the deadline of a clock passed; once per (case, deadline), by the timer."""

    clock: str
    deadline: int


class CaseLinked(_Body, frozen=True):
    """``case.linked``: this case belongs with another one (which may be another node's)."""

    other: str
    kind: LinkKind
    post: str | None = None
    axis: Axis | None = None
    opinion: Opinion = ""


class CaseUnlinked(_Body, frozen=True):
    """``case.unlinked``: a link no longer holds; the record of it stays."""

    other: str
    kind: LinkKind
    post: str | None = None
    axis: Axis | None = None
    opinion: Opinion = ""


class CaseMerged(_Body, frozen=True):
    """``case.merged``: this case goes on as part of ``into``; its clocks stop meanwhile."""

    into: str
    post: str
    axis: Axis | None
    opinion: Opinion
    effect: Effect


class CaseUnmerged(_Body, frozen=True):
    """``case.unmerged``: the merge into ``from`` was undone; the case stands where it stood."""

    from_: str = msgspec.field(name="from")
    post: str
    axis: Axis | None
    opinion: Opinion
    effect: Effect
