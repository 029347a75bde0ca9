"""The fold: a case after one more of its owner's entries. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

import msgspec

from wanmi import case_kinds as kinds
from wanmi.case_kinds import Axis, ClockEffect, Limit
from wanmi.cases.case import Case, Done, Late, Link, Mark, Request, Review
from wanmi.cases.stages import OPENING_CLOCK
from wanmi.entries import Entry
from wanmi.errors import BadEntry
from wanmi.kinds import CaseOpened

B = TypeVar("B", bound=msgspec.Struct)


class Outcome(Protocol):
    """The fields that steps and effects share: how the case stands afterwards."""

    @property
    def from_state(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def stage(self) -> str: ...
    @property
    def final(self) -> bool: ...
    @property
    def department(self) -> str | None: ...
    @property
    def collector(self) -> str | None: ...
    @property
    def clock(self) -> str | None: ...
    @property
    def limit(self) -> Limit | None: ...
    @property
    def deadline(self) -> int | None: ...
    @property
    def warn(self) -> int | None: ...
    @property
    def until(self) -> int | None: ...
    @property
    def clocks(self) -> list[ClockEffect]: ...
    @property
    def counts(self) -> list[str]: ...


def fold(case: Case | None, entry: Entry) -> Case:
    """The case after ``entry``; BadEntry if the entry does not fit the case as it stands."""
    if entry.kind == "case.opened":
        return _opened(case, entry)
    if entry.kind not in _FOLDS:
        raise BadEntry(f"{entry.subject}: {entry.kind} is not a step of a case here")
    if case is None:
        raise BadEntry(f"{entry.subject}: {entry.kind} before the case was opened")
    if entry.origin != case.owner or entry.subject != f"case:{case.number}":
        raise BadEntry(
            f"{entry.subject}: {entry.origin} wrote on case {case.number} of {case.owner}; only its owner does"
        )
    if entry.version <= case.version:
        raise BadEntry(f"{entry.subject}: version {entry.version} after {case.version}")
    body_type, take = _FOLDS[entry.kind]
    body = _body(entry, body_type)
    taken: Case = take(case, entry, body)
    what = str(getattr(body, "step", entry.kind))
    done = Done(entry.version, entry.at, what, entry.actor, getattr(body, "post", None))
    return replace(taken, version=entry.version, changed_at=entry.at, history=(*case.history, done))


def fold_all(entries: Iterable[Entry]) -> Case | None:
    """The case of all its entries in order, None if there are none."""
    case: Case | None = None
    for entry in entries:
        case = fold(case, entry)
    return case


def _body(entry: Entry, body: type[B]) -> B:
    try:
        return msgspec.convert(entry.body, body, strict=True)
    except msgspec.ValidationError as error:
        raise BadEntry(f"{entry.subject}: {error}") from error


def _opened(case: Case | None, entry: Entry) -> Case:
    body = _body(entry, CaseOpened)
    if case is not None:
        raise BadEntry(f"{entry.subject}: it was opened before; a case is opened once")
    if entry.subject != f"case:{body.number}":
        raise BadEntry(f"{entry.subject}: the body is about case {body.number}")
    if not body.number.startswith(f"{entry.origin}-"):
        raise BadEntry(f"case {body.number}: its owner is not {entry.origin}; a node opens only its own cases")
    clock = OPENING_CLOCK.get(body.stage)
    return Case(
        body.number, entry.origin, body, entry.at, body.stage, body.state, entry.version, entry.at,
        clock=clock,
        filed_at=entry.at if body.stage not in ("collect", "file") else None,
        actors=opening_actors(entry, body),
        marks=(Mark(clock, "start", entry.at, entry.kind),) if clock else (),
        history=(Done(entry.version, entry.at, entry.kind, entry.actor, None),),
    )  # fmt: skip


def opening_actors(entry: Entry, body: CaseOpened) -> tuple[tuple[str, Axis], ...]:
    """Who acted when a case was opened: who reported or registered it, and who had a hand in the case that it is of."""
    if body.actors:
        return tuple((one.actor, one.axis) for one in body.actors)
    return tuple((who, "supervision") for who in dict.fromkeys((body.terminal, entry.actor)) if who)


def _after(case: Case, outcome: Outcome, at: int, source: str) -> Case:
    """The case as the body says it stands; ``at`` is when it took effect."""
    marks = tuple(
        Mark(effect.clock, effect.what, effect.at, source, outcome.department, outcome.limit)
        for effect in outcome.clocks
    )
    dispatched = outcome.department is not None and outcome.department not in case.departments
    return replace(
        case,
        state=outcome.state,
        stage=outcome.stage,
        final=outcome.final,
        department=outcome.department,
        departments=(*case.departments, outcome.department) if dispatched and outcome.department else case.departments,
        last_department=outcome.department or case.last_department,
        collector=outcome.collector,
        clock=outcome.clock,
        limit=outcome.limit,
        deadline=outcome.deadline,
        warn=outcome.warn,
        limits=_limited(case, outcome),
        until=outcome.until,
        filed_at=at if case.filed_at is None and outcome.stage == "dispatch" else case.filed_at,
        closed_at=(case.closed_at if case.closed_at is not None else at) if outcome.final else None,
        counts=_counted(case.counts, outcome.counts),
        marks=(*case.marks, *marks),
        late=_late(case, outcome.clocks),
    )


def _late(case: Case, effects: Iterable[ClockEffect]) -> tuple[Late, ...]:
    """With the clock that ended past its deadline, whether or not the timer had told it."""
    if case.clock is None or case.deadline is None:
        return case.late
    deadline = case.deadline
    ended = any(one.clock == case.clock and one.what in ("stop", "start") and one.at > deadline for one in effects)
    return _with_late(case, case.clock, deadline) if ended else case.late


def _with_late(case: Case, clock: str, deadline: int) -> tuple[Late, ...]:
    late = Late(clock, deadline, case.department)
    return case.late if late in case.late else (*case.late, late)


def _limited(case: Case, outcome: Outcome) -> MappingProxyType[str, Limit]:
    if outcome.clock is None or outcome.limit is None:
        return case.limits
    return MappingProxyType({**case.limits, outcome.clock: outcome.limit})


def _counted(counts: Mapping[str, int], names: Iterable[str]) -> MappingProxyType[str, int]:
    more = dict(counts)
    for name in names:
        more[name] = more.get(name, 0) + 1
    return MappingProxyType(more)


def _acted(case: Case, actor: str | None, axis: Axis | None) -> Case:
    if actor is None or axis is None or (actor, axis) in case.actors:
        return case
    return replace(case, actors=(*case.actors, (actor, axis)))


def _stepped(case: Case, entry: Entry, body: kinds.CaseStepped) -> Case:
    if body.from_state != case.state:
        raise BadEntry(f"{entry.subject}: a step from {body.from_state}, but it is {case.state}")
    said = {f"{body.step}.{name}": value for name, value in body.fields.items()}
    after = replace(_after(case, body, entry.at, body.step), fields=MappingProxyType({**case.fields, **said}))
    return _acted(_acted(after, entry.actor, body.axis), body.confirmed_by, body.axis)


def _request_made(case: Case, entry: Entry, body: kinds.CaseRequestMade) -> Case:
    made = Request(
        body.request, body.what, "open", entry.actor, body.post, body.unit, entry.at, body.until, body.expires,
        tuple(body.approvers), body.reviewers,
    )  # fmt: skip
    return _acted(replace(case, requests=(*case.requests, made)), entry.actor, body.axis)


def _request_decided(case: Case, entry: Entry, body: kinds.CaseRequestDecided) -> Case:
    request = _open_request(case, entry, body.request)
    reviews = (*request.reviews, Review(entry.actor, body.post, body.granted, entry.at))
    over = not body.granted or len(reviews) >= request.reviewers
    decided = replace(request, reviews=reviews)
    if over:
        decided = replace(decided, state="granted" if body.granted else "refused", decided_at=entry.at)
    case = _acted(_with_request(case, decided), entry.actor, body.axis)
    if body.effect is None:
        return case
    after = _after(case, body.effect, entry.at, body.what)
    return replace(after, held=case.state) if body.effect.until is not None and case.until is None else after


def _request_expired(case: Case, entry: Entry, body: kinds.CaseRequestExpired) -> Case:
    request = _open_request(case, entry, body.request)
    return _with_request(case, replace(request, state="expired", decided_at=entry.at))


def _open_request(case: Case, entry: Entry, id: str) -> Request:
    request = case.request(id)
    if request is None or request.state != "open":
        raise BadEntry(f"{entry.subject}: request {id} is not open")
    return request


def _with_request(case: Case, changed: Request) -> Case:
    return replace(case, requests=tuple(changed if one.id == changed.id else one for one in case.requests))


def _resumed(case: Case, entry: Entry, body: kinds.CaseResumed) -> Case:
    after = _after(case, body.effect, body.effective, entry.kind)
    return _acted(replace(after, held=None), entry.actor, body.axis)


def _became_overdue(case: Case, _entry: Entry, body: kinds.CaseBecameOverdue) -> Case:
    told = (*case.overdue, (body.clock, body.deadline))
    return replace(case, overdue=told, late=_with_late(case, body.clock, body.deadline))


def _linked(case: Case, entry: Entry, body: kinds.CaseLinked) -> Case:
    kept = tuple(link for link in case.links if (link.other, link.kind) != (body.other, body.kind))
    return _acted(replace(case, links=(*kept, Link(body.other, body.kind, entry.at))), entry.actor, body.axis)


def _unlinked(case: Case, entry: Entry, body: kinds.CaseUnlinked) -> Case:
    links = tuple(
        replace(link, live=False) if (link.other, link.kind) == (body.other, body.kind) else link for link in case.links
    )
    return _acted(replace(case, links=links), entry.actor, body.axis)


def _merged(case: Case, entry: Entry, body: kinds.CaseMerged) -> Case:
    after = _after(case, body.effect, entry.at, entry.kind)
    return _acted(replace(after, merged_into=body.into, held=case.state), entry.actor, body.axis)


def _unmerged(case: Case, entry: Entry, body: kinds.CaseUnmerged) -> Case:
    after = _after(case, body.effect, entry.at, entry.kind)
    return _acted(replace(after, merged_into=None, held=None), entry.actor, body.axis)


_FOLDS: Mapping[str, tuple[type[msgspec.Struct], Callable[[Case, Entry, Any], Case]]] = MappingProxyType(
    {
        "case.stepped": (kinds.CaseStepped, _stepped),
        "case.request_made": (kinds.CaseRequestMade, _request_made),
        "case.request_decided": (kinds.CaseRequestDecided, _request_decided),
        "case.request_expired": (kinds.CaseRequestExpired, _request_expired),
        "case.resumed": (kinds.CaseResumed, _resumed),
        "case.became_overdue": (kinds.CaseBecameOverdue, _became_overdue),
        "case.linked": (kinds.CaseLinked, _linked),
        "case.unlinked": (kinds.CaseUnlinked, _unlinked),
        "case.merged": (kinds.CaseMerged, _merged),
        "case.unmerged": (kinds.CaseUnmerged, _unmerged),
    }
)
CASE_ENTRIES = ("case.opened", *_FOLDS)
"""The kinds of entries that a case is the fold of."""
