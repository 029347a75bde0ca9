"""`route`: category × place × time × source to department, collector and limit, with the reasons. Pure.

Rules are looked at most specific first (category, place, area class, source, hours, season), then by their explicit order,
then by id. Department, collector and limit each come from the first rule that fits and gives them. Rules of the same rank
and order that name different departments are contested: then nobody is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence

from wanmi_casework.routing.answer import Claim, Limit, NearMiss, Reason, Route
from wanmi_casework.routing.book import Book, Candidate, Spot
from wanmi_casework.routing.conditions import (
    RESPONSIBILITY,
    Facts,
    Moment,
    in_hours,
    in_seasons,
    moment_of,
)
from wanmi_casework.routing.kinds import ITS_RESPONSIBILITY

MOST_REJECTED = 8
"""Near misses that an answer names."""


def route(facts: Facts, rules: Book, at: int) -> Route:
    """Who handles it, who collects, and how long it may take, at ``at`` (µs UTC), as that book says."""
    moment = moment_of(at)
    choosing = _Choosing(facts, rules, moment, rules.spot(facts.place, moment.day))
    for candidate in rules.candidates(facts, choosing.spot):
        choosing.consider(candidate)
    return choosing.answer(at)


class _Choosing:
    """One question at work."""

    def __init__(self, facts: Facts, book: Book, moment: Moment, spot: Spot) -> None:
        self.spot = spot
        self._facts, self._book, self._moment = facts, book, moment
        self._winner: Candidate | None = None
        self._claims: list[Claim] = []
        self._limit: Candidate | None = None
        self._collector: Candidate | None = None
        self._rejected: list[NearMiss] = []

    def consider(self, candidate: Candidate) -> None:
        """Take what the rule gives and nobody before it gave; note why it is not taken."""
        missed = self._missed(candidate)
        if missed is not None:
            self._reject(missed)
            return
        rule = candidate.rule
        if rule.department is not None:
            self._consider_department(candidate)
        if rule.limit is not None and self._limit is None:
            self._limit = candidate
        if rule.collector is not None and self._collector is None:
            self._collector = candidate

    def _consider_department(self, candidate: Candidate) -> None:
        winner = self._winner
        if winner is not None and candidate.standing != winner.standing:
            reason: Reason = "less_specific" if candidate.key[0] > winner.key[0] else "later_order"
            self._reject(NearMiss(candidate.rule.id, reason, winner.rule.id))
            return
        claims = self._claims_of(candidate)
        standing = [one for one in claims if self._book.department(one.department, self._moment.day) is not None]
        if standing:
            self._claims += standing
            self._winner = winner or candidate
        elif claims:
            self._reject(NearMiss(candidate.rule.id, "no_department", claims[0].department))
        else:
            self._reject(NearMiss(candidate.rule.id, "no_responsibility"))

    def _claims_of(self, candidate: Candidate) -> list[Claim]:
        rule = candidate.rule
        if rule.department is None:
            return []
        if rule.department != ITS_RESPONSIBILITY:
            return [Claim(rule.id, None, rule.department, tuple(rule.helpers))]
        named = candidate.place.removeprefix(RESPONSIBILITY) if candidate.place.startswith(RESPONSIBILITY) else None
        return [
            Claim(rule.id, one.code, one.departments[0], (*one.departments[1:], *rule.helpers))
            for one in self.spot.sets
            if one.departments and named in (None, one.code)
        ]

    def _missed(self, candidate: Candidate) -> NearMiss | None:
        rule, moment = candidate.rule, self._moment
        if moment.day < candidate.first:
            return NearMiss(rule.id, "not_begun", candidate.first)
        if moment.day >= candidate.until:
            return NearMiss(rule.id, "ended", candidate.until)
        if rule.area_class is not None and rule.area_class != self.spot.area_class:
            return NearMiss(rule.id, "area", rule.area_class, self.spot.area_class or "")
        if rule.sources and self._facts.source not in rule.sources:
            return NearMiss(rule.id, "source", ", ".join(rule.sources), self._facts.source)
        if not in_seasons(candidate.seasons, moment.month_day):
            return NearMiss(rule.id, "season", ", ".join(rule.seasons), moment.month_day)
        if not in_hours(candidate.hours, moment.minute):
            return NearMiss(rule.id, "hours", ", ".join(rule.hours), moment.clock)
        return None

    def _reject(self, missed: NearMiss) -> None:
        if len(self._rejected) < MOST_REJECTED:
            self._rejected.append(missed)

    def _reject_elsewhere(self) -> None:
        """Only when nothing fits: which rules would, at another place."""
        for candidate in self._book.elsewhere(self._facts, self.spot)[:MOST_REJECTED]:
            self._reject(NearMiss(candidate.rule.id, "elsewhere", candidate.place, self._facts.place))

    def answer(self, at: int) -> Route:
        """The route from what was chosen."""
        contested = _contested(self._claims)
        chosen = self._claims[0] if self._claims and not contested else None
        if not self._claims:
            self._reject_elsewhere()
        collector, collector_by = self._collected()
        won = {one.rule for one in self._claims}
        return Route(
            facts=self._facts,
            at=at,
            version=self._book.version,
            department=chosen.department if chosen else None,
            helpers=tuple(dict.fromkeys(one for one in chosen.helpers if one != chosen.department)) if chosen else (),
            collector=collector,
            limit=self._limited(),
            rule=self._winner.rule.id if self._winner else None,
            limit_rule=self._limit.rule.id if self._limit else None,
            collector_by=collector_by,
            contested=contested,
            rejected=tuple(one for one in self._rejected if one.rule not in won),
            responsibility=tuple(one.code for one in self.spot.sets),
            winner=self._winner,
            moment=self._moment,
            spot=self.spot,
        )

    def _limited(self) -> Limit | None:
        if self._limit is None or self._limit.rule.limit is None:
            return None
        limit = self._limit.rule.limit
        return Limit(limit.value, limit.unit, self._limit.rule.area_class or self.spot.area_class)

    def _collected(self) -> tuple[str | None, str | None]:
        """The collector of the rule that names one, else of the responsibility grid."""
        if self._collector is not None:
            return self._collector.rule.collector, self._collector.rule.id
        for one in self.spot.sets:
            if one.collectors:
                return one.collectors[0], RESPONSIBILITY + one.code
        return None, None


def _contested(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """All claims when they name different departments, none when they agree."""
    return tuple(claims) if len({one.department for one in claims}) > 1 else ()
