"""Side flows: making a request, deciding on it, its expiry, the end of a suspension. Pure."""

from __future__ import annotations

import re

from wanmi.case_kinds import (
    CaseBecameOverdue,
    CaseRequestDecided,
    CaseRequestExpired,
    CaseRequestMade,
    CaseResumed,
    Effect,
)
from wanmi.cases.asking import Asked, Decision, RequestAsk, ReviewAsk, Timing
from wanmi.cases.case import Case, Request
from wanmi.cases.deciding import Change, effect_of, instant
from wanmi.cases.refusing import (
    refuse_guards,
    refuse_missing,
    refuse_old_version,
    refuse_post,
    tell_done,
    what_now,
)
from wanmi.cases.table import RequestRule, StepTable
from wanmi.errors import BadInput, Conflict, NotAllowed, NotFound

_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
HOUR = 3_600_000_000
DAY = 24 * HOUR
"""Microseconds."""


def decide_request(table: StepTable, case: Case, ask: RequestAsk, now: int) -> Decision:
    """The entry that makes a request; raises Conflict, NotAllowed or BadInput, each explains itself."""
    rule = table.request(ask.what)
    refuse_old_version(table, case, ask)
    if case.state not in rule.from_:
        raise NotAllowed(
            f"case {case.number}: {ask.what} cannot be asked for while it is {case.state}; {what_now(table, case)}"
        )
    refuse_post(table, case, rule.posts, ask, ask.what)
    refuse_guards(table, case, rule, ask, now, f"ask for {ask.what}")
    refuse_missing(case, rule, ask, ask.what)
    _refuse_more(case, rule, ask)
    _refuse_until(case, rule, ask, now)
    body = CaseRequestMade(
        request=ask.id,
        what=next(kind for kind in table.requests if kind == ask.what),
        post=ask.post,
        axis=table.axis(ask.post),
        unit=ask.unit,
        until=ask.until,
        opinion=ask.opinion,
        expires=now + rule.expires_hours * HOUR,
        approvers=list(rule.approvers),
        reviewers=rule.reviewers,
        fields=dict(ask.fields),
        attachments=list(ask.attachments),
    )
    return Decision(case.number, "case.request_made", body, case.version)


def _refuse_more(case: Case, rule: RequestRule, ask: RequestAsk) -> None:
    waiting = next((one for one in case.open_requests() if one.what == ask.what), None)
    if waiting is not None:
        raise Conflict(
            f"case {case.number}: {ask.what} was asked for already (request {waiting.id} of {waiting.actor}); "
            f"{' or '.join(waiting.approvers)} decides on it"
        )
    if case.request(ask.id) is not None or not _ID.fullmatch(ask.id):
        raise BadInput(f"case {case.number}: request id {ask.id[:60]!r} is used, or not 1 to 40 of A-Z a-z 0-9 _ -")
    if rule.max_granted and case.granted(ask.what) >= rule.max_granted:
        raise NotAllowed(
            f"case {case.number}: {ask.what} was granted {case.granted(ask.what)} times, at most {rule.max_granted} "
            f"are; finish the work, or ask for something else"
        )
    if rule.max_made and case.made(ask.what) >= rule.max_made:
        raise NotAllowed(f"case {case.number}: {ask.what} can be asked for {rule.max_made} time(s) a case, and it was")


def _refuse_until(case: Case, rule: RequestRule, ask: RequestAsk, now: int) -> None:
    if ask.until is None:
        return
    if "until" not in rule.requires:
        raise BadInput(f"case {case.number}: {ask.what} has no end date")
    if not now < ask.until <= now + rule.max_days * DAY:
        raise BadInput(f"case {case.number}: the end of a {ask.what} lies ahead, at most {rule.max_days} days")


def decide_review(table: StepTable, case: Case, ask: ReviewAsk, now: int, timing: Timing | None = None) -> Decision:
    """The entry in which a reviewer grants or refuses; its effect comes with the last grant or the first refusal."""
    request = case.request(ask.id)
    if request is None:
        there = ", ".join(f"{one.id} ({one.what})" for one in case.open_requests()) or "none"
        raise NotFound(f"case {case.number}: no request {ask.id}; open requests: {there}")
    rule = table.request(request.what)
    _refuse_review(table, case, request, rule, ask, now)
    last = len(request.reviews) + 1 >= request.reviewers
    effect = _granted(table, case, request, rule, now, timing) if ask.granted else _refused(table, case, rule)
    body = CaseRequestDecided(
        request=request.id,
        what=request.what,
        granted=ask.granted,
        reviewer=len(request.reviews) + 1,
        post=ask.post,
        axis=table.axis(ask.post),
        unit=ask.unit,
        opinion=ask.opinion,
        effect=effect if last or not ask.granted else None,
    )
    return Decision(case.number, "case.request_decided", body, case.version)


def _refuse_review(table: StepTable, case: Case, request: Request, rule: RequestRule, ask: ReviewAsk, now: int) -> None:
    if request.state != "open":
        done = next((one for one in reversed(case.history) if one.at == request.decided_at), None)
        told = f": {tell_done(table, done)}" if done is not None else ""
        raise Conflict(f"case {case.number}: request {request.id} ({request.what}) is {request.state} already{told}")
    refuse_old_version(table, case, ask)
    what = f"decide on {request.what}"
    refuse_post(table, case, list(request.approvers), ask, what)
    if request.actor in ask.human:
        raise NotAllowed(f"case {case.number}: {ask.actor} made request {request.id}; somebody else decides on it")
    if any(review.actor in ask.human for review in request.reviews):
        raise NotAllowed(
            f"case {case.number}: {ask.actor} reviewed request {request.id} already; the next reviewer is another person"
        )
    if now > request.expires:
        raise NotAllowed(f"case {case.number}: request {request.id} has expired; it can be made again")
    if not ask.granted and not ask.opinion.strip():
        raise BadInput(f"case {case.number}: a refusal needs an opinion")
    if ask.granted and case.state not in rule.from_:
        raise NotAllowed(
            f"case {case.number}: {request.what} cannot be granted while it is {case.state}; {what_now(table, case)}"
        )
    if ask.granted and request.until is not None and request.until <= now:
        raise NotAllowed(f"case {case.number}: the end date asked for has passed; refuse it, it can be made again")


def _granted(
    table: StepTable, case: Case, request: Request, rule: RequestRule, now: int, timing: Timing | None
) -> Effect:
    change = Change(rule.to, rule.effects(instant(case, now)), rule.counts, rule.clears, request.until)
    return effect_of(table, case, change, timing)


def _refused(table: StepTable, case: Case, rule: RequestRule) -> Effect | None:
    """A refusal changes nothing but may count: a groundless return is buck-passing (推诿)."""
    if not rule.refused_counts:
        return None
    return effect_of(table, case, Change(None, counts=rule.refused_counts, until=case.until), None)


def decide_expiry(case: Case, request: Request) -> Decision:
    """The timer's entry for a request that nobody decided on in time."""
    return Decision(case.number, "case.request_expired", CaseRequestExpired(request.id), case.version)


def decide_due_resume(table: StepTable, case: Case, timing: Timing | None = None) -> Decision:
    """The timer's entry for a suspension whose end date came: effective then, however late it is written."""
    if case.until is None or case.held is None:
        raise NotAllowed(f"case {case.number}: it is not suspended")
    return _resume(table, case, None, case.until, timing)


def decide_resume(table: StepTable, case: Case, ask: Asked, now: int, timing: Timing | None = None) -> Decision:
    """The entry that ends a suspension early; NotAllowed unless it is suspended."""
    act = table.act("resume")
    refuse_old_version(table, case, ask)
    if case.until is None or case.held is None:
        raise NotAllowed(f"case {case.number}: it is not suspended; {what_now(table, case)}")
    refuse_post(table, case, act.posts, ask, "resume")
    refuse_missing(case, act, ask, "resume")
    return _resume(table, case, ask, min(instant(case, now), case.until), timing)


def _resume(table: StepTable, case: Case, ask: Asked | None, at: int, timing: Timing | None) -> Decision:
    change = Change(case.held, table.act("resume").effects(at))
    effect = effect_of(table, case, change, timing)
    body = CaseResumed(
        effective=at,
        cause="asked" if ask else "due",
        post=ask.post if ask else None,
        axis=table.axis(ask.post) if ask else None,
        unit=ask.unit if ask else None,
        opinion=ask.opinion if ask else "",
        effect=effect,
    )
    return Decision(case.number, "case.resumed", body, case.version)


def decide_overdue(case: Case, now: int, deadline: int | None = None) -> Decision | None:
    """The timer's entry for a deadline that passed; None if none passed or it was told: once per (case, deadline).

    ``deadline`` is given for the clock that runs from the opening, whose deadline stands in no entry.
    """
    due = deadline if case.deadline is None else case.deadline
    if case.clock is None or due is None or now <= due or (case.clock, due) in case.overdue:
        return None
    return Decision(case.number, "case.became_overdue", CaseBecameOverdue(case.clock, due), case.version)
