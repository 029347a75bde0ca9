"""Answers of routing as plain values, for the API and the command line."""

from __future__ import annotations

from dataclasses import dataclass

from wanmi_casework.routing.answer import Claim, Line, Route
from wanmi_casework.routing.arbitration import Arbitration


@dataclass(frozen=True)
class LineOut:
    """A line in both languages."""

    zh: str
    en: str


@dataclass(frozen=True)
class ClaimOut:
    """A department that a rule names, by a responsibility grid where the rule leaves it to that."""

    rule: str
    responsibility: str | None
    department: str


@dataclass(frozen=True)
class LimitOut:
    """A limit in whole units; ``area_class`` A (core), B or C where one is known."""

    value: int
    unit: str
    area_class: str | None


@dataclass(frozen=True)
class NearMissOut:
    """A rule that did not win, and why."""

    rule: str
    reason: str
    zh: str
    en: str


@dataclass(frozen=True)
class RouteOut:
    """A route with its reasons; ``at`` µs UTC; ``version`` asks for this very answer again."""

    kind: str
    category: str
    place: str
    source: str
    at: int
    version: str
    department: str | None
    helpers: list[str]
    collector: str | None
    limit: LimitOut | None
    rule: str | None
    limit_rule: str | None
    collector_by: str | None
    responsibility: list[str]
    contested: list[ClaimOut]
    arbitrated: str | None
    why: list[LineOut]
    rejected: list[NearMissOut]


@dataclass(frozen=True)
class ArbitrationOut:
    """A contested case in the queue, with the decision once there is one. Times µs UTC."""

    case: str
    owner: str
    state: str
    claims: list[ClaimOut]
    version: str
    contested_at: int
    department: str | None
    opinion: str | None
    arbiter: str | None
    decided_at: int | None
    entry: str | None


def route_out(route: Route) -> RouteOut:
    """A route as an answer."""
    limit = route.limit
    return RouteOut(
        kind=route.facts.kind,
        category=route.facts.category,
        place=route.facts.place,
        source=route.facts.source,
        at=route.at,
        version=route.version,
        department=route.department,
        helpers=list(route.helpers),
        collector=route.collector,
        limit=LimitOut(limit.value, limit.unit, limit.area_class) if limit else None,
        rule=route.rule,
        limit_rule=route.limit_rule,
        collector_by=route.collector_by,
        responsibility=list(route.responsibility),
        contested=[_claim(one) for one in route.contested],
        arbitrated=route.arbitrated,
        why=[_line(one) for one in route.why],
        rejected=[NearMissOut(one.rule, one.reason, one.line.zh, one.line.en) for one in route.rejected],
    )


def arbitration_out(one: Arbitration) -> ArbitrationOut:
    """A contested case as an answer."""
    claims = [ClaimOut(claim.rule, claim.responsibility, claim.department) for claim in one.claims]
    return ArbitrationOut(
        one.case, one.owner, one.state, claims, one.version, one.contested_at, one.department, one.opinion, one.arbiter,
        one.decided_at, one.entry,
    )  # fmt: skip


def _claim(claim: Claim) -> ClaimOut:
    return ClaimOut(claim.rule, claim.responsibility, claim.department)


def _line(line: Line) -> LineOut:
    return LineOut(line.zh, line.en)
