"""What the desk's HTTP routes take and answer. Times µs UTC."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Annotated, Literal

import msgspec
from pydantic import Field

from wanmi.case_kinds import Limit
from wanmi.cases import Case, May, Request
from wanmi.codes import CaseKind
from wanmi.errors import BadInput, WanmiError
from wanmi.kinds import Attachment
from wanmi.web.bounds import Count, Id, Time, Values, Whole, Words
from wanmi.web.problems import status_of
from wanmi_casework.desk import BulkResult, Said
from wanmi_casework.desk_split import MOST as MAX_PARTS

MAX_BULK = 500
"""Cases of one ask for many."""


@dataclass(frozen=True)
class LimitIn:
    """A time limit: so many of a unit (``work_hour``, ``work_day``, ``urgent_hour``, ``natural_day`` …)."""

    value: Whole
    unit: Id

    def limit(self) -> Limit:
        """As the step takes it; BadInput for none or less."""
        if not 0 < self.value < 100_000:
            raise BadInput(f"limit {self.value}: must be 1 to 99999")
        return Limit(self.value, self.unit)


@dataclass(frozen=True)
class PhotoIn:
    """A sealed attachment, as ``POST …/attachments`` answered it; of one that is named only ``blob`` is read."""

    blob: Id
    role: Literal["text", "photo", "sound", "track"] = "photo"
    digest: Id = ""
    size: Count = 0
    media: Id = ""


@dataclass(frozen=True)
class SaidIn:
    """What any ask says; ``expect`` is the version that was looked at, 409 if somebody wrote since."""

    opinion: Words = ""
    expect: Count | None = None
    fields: Values = field(default_factory=dict)
    attachments: Annotated[list[PhotoIn], Field(max_length=100)] = field(default_factory=list)

    def said(self, unit: str | None, key: str) -> Said:
        """As the desk takes it."""
        # asdict, not vars: msgspec leaves what was not sent to the class
        photos = [msgspec.convert(asdict(photo), Attachment) for photo in self.attachments]
        return Said(unit, self.opinion, self.expect, self.fields, photos, key)


@dataclass(frozen=True)
class StepIn(SaidIn):
    """A step; department and limit may be left out at dispatch: then routing's suggestion is taken, or the limit that the
    department had, where its clock goes on.
    """

    step: Id = ""
    department: Id | None = None
    collector: Id | None = None
    limit: LimitIn | None = None
    reason: Words | None = None


@dataclass(frozen=True)
class RequestIn(SaidIn):
    """A request for a side flow: return, extension, suspension, deferral, void, forced_close, reopen …"""

    what: Id = ""
    until: Time | None = None
    id: Id = ""


@dataclass(frozen=True)
class DecisionIn(SaidIn):
    """A reviewer's answer; a refusal needs an opinion."""

    granted: bool = False


@dataclass(frozen=True)
class OtherIn(SaidIn):
    """Another case, to merge into or to link with."""

    other: Id = ""
    kind: Literal["similar", "split"] = "similar"


@dataclass(frozen=True)
class PartIn:
    """A part of a split."""

    kind: CaseKind
    category: Id
    component: Id | None = None


@dataclass(frozen=True)
class SplitIn(SaidIn):
    """What a case is really about."""

    parts: Annotated[list[PartIn], Field(max_length=MAX_PARTS)] = field(default_factory=list)


@dataclass(frozen=True)
class BulkStepIn(StepIn):
    """The same step on many cases."""

    numbers: Annotated[list[Id], Field(max_length=MAX_BULK)] = field(default_factory=list)


@dataclass(frozen=True)
class ReviewOut:
    """One reviewer's answer."""

    actor: str | None
    post: str
    granted: bool
    at: int


@dataclass(frozen=True)
class RequestOut:
    """A request as it stands."""

    id: str
    what: str
    state: str
    actor: str | None
    post: str
    unit: str | None
    made_at: int
    until: int | None
    expires: int
    approvers: list[str]
    reviewers: int
    reviews: list[ReviewOut]
    decided_at: int | None


@dataclass(frozen=True)
class RequestLine:
    """A request in a queue; ``reviewed`` of its ``reviewers`` have granted it so far."""

    number: str
    request: str
    what: str
    state: str
    actor: str | None
    unit: str | None
    opinion: str
    made_at: int
    until: int | None
    expires: int
    approvers: list[str]
    reviewers: int
    reviewed: int


@dataclass(frozen=True)
class LinkOut:
    """A case that belongs with this one."""

    other: str
    kind: str
    at: int
    live: bool


@dataclass(frozen=True)
class DoneOut:
    """Who did what when."""

    version: int
    at: int
    what: str
    actor: str | None
    post: str | None


@dataclass(frozen=True)
class WorkOut:
    """A case as a desk sees it. ``clock`` runs with its limit to ``deadline``; its light turns yellow at ``warn``."""

    number: str
    owner: str
    version: int
    stage: str
    state: str
    final: bool
    department: str | None
    collector: str | None
    clock: str | None
    limit: LimitIn | None
    deadline: int | None
    warn: int | None
    until: int | None
    merged_into: str | None
    counts: dict[str, int]
    requests: list[RequestOut]
    links: list[LinkOut]
    history: list[DoneOut]


@dataclass(frozen=True)
class MayOut:
    """A step or request that leads out of the state: whether the caller may, why not, what must be filled."""

    what: str
    kind: str
    zh: str
    en: str
    allowed: bool
    why: str
    to: str | None
    needs: list[str]


@dataclass(frozen=True)
class CanOut:
    """What may be done with a case now."""

    number: str
    version: int
    state: str
    can: list[MayOut]


@dataclass(frozen=True)
class ClockOut:
    """A clock with its explanation, line by line."""

    clock: str
    zh: str
    en: str
    phase: str
    deadline: int | None
    light: str
    late: bool
    elapsed_s: int
    limit_s: int | None
    lines_zh: list[str]
    lines_en: list[str]


@dataclass(frozen=True)
class BulkOut:
    """What became of one case; ``error`` says why not, with the status that it would have had by itself."""

    number: str
    status: int
    case: WorkOut | None
    error: str | None


def work_out(case: Case) -> WorkOut:
    """A case for the desk."""
    limit = None if case.limit is None else LimitIn(case.limit.value, case.limit.unit)
    return WorkOut(
        number=case.number,
        owner=case.owner,
        version=case.version,
        stage=case.stage,
        state=case.state,
        final=case.final,
        department=case.department,
        collector=case.collector,
        clock=case.clock,
        limit=limit,
        deadline=case.deadline,
        warn=case.warn,
        until=case.until,
        merged_into=case.merged_into,
        counts=dict(case.counts),
        requests=[request_out(request) for request in case.requests],
        links=[LinkOut(link.other, link.kind, link.at, link.live) for link in case.links],
        history=[DoneOut(one.version, one.at, one.what, one.actor, one.post) for one in case.history],
    )


def request_out(request: Request) -> RequestOut:
    """A request for the desk."""
    reviews = [ReviewOut(one.actor, one.post, one.granted, one.at) for one in request.reviews]
    return RequestOut(
        request.id, request.what, request.state, request.actor, request.post, request.unit, request.made_at,
        request.until, request.expires, list(request.approvers), request.reviewers, reviews, request.decided_at,
    )  # fmt: skip


def may_out(may: May) -> MayOut:
    """What may be done, for the desk."""
    return MayOut(may.what, may.kind, may.zh, may.en, may.allowed, may.why, may.to, list(may.needs))


def bulk_out(result: BulkResult) -> BulkOut:
    """One case's result."""
    if result.case is not None:
        return BulkOut(result.number, 200, work_out(result.case), None)
    error = result.error or WanmiError("nothing came of it")
    return BulkOut(result.number, status_of(error), None, str(error))
