"""The book of routing data as it stood after one entry: departments, responsibility grids, rules, by day. Pure.

Nothing in it is ever replaced: of the versions of one code, the one said last governs from its first day on, so that an
answer about an earlier day stays, and a book read up to an earlier entry (its ``version``) answers as it did then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from wanmi_casework.routing.conditions import (
    RESPONSIBILITY,
    Facts,
    best_pattern,
    hours_of,
    place_keys,
    rank_of,
    season_of,
)
from wanmi_casework.routing.kinds import AreaClass, DepartmentSet, Item, ResponsibilitySet, RuleSet, code_of

T = TypeVar("T", DepartmentSet, ResponsibilitySet, RuleSet)
MOST_CATEGORIES = 4096
"""Categories whose rules are kept sorted in memory."""
FOREVER = "9999-12-31"


@dataclass(frozen=True, slots=True)
class Span(Generic[T]):
    """A version of something and the days on which it governs: from ``first``, up to but not on ``until``."""

    item: T
    first: str
    until: str

    def holds(self, day: str) -> bool:
        """Whether it governs that day."""
        return self.first <= day < self.until


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule as it bears on one category at one place; sorted by ``key``: most specific, then order, then id."""

    key: tuple[int, int, str, str]
    rule: RuleSet
    first: str
    until: str
    pattern: str
    place: str
    hours: tuple[tuple[int, int], ...]
    seasons: tuple[tuple[str, str], ...]

    @property
    def standing(self) -> tuple[int, int]:
        """Rank and order: two candidates that share it and differ in department are contested."""
        return self.key[0], self.key[1]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on a day: the keys under which rules lie, the responsibility grids there, their strictest area class."""

    keys: tuple[str, ...]
    sets: tuple[ResponsibilitySet, ...]
    area_class: AreaClass | None


class Book:
    """Routing data of one node; ``version`` names the newest entry in it (``origin:seq``, empty for no data)."""

    def __init__(
        self,
        departments: Iterable[DepartmentSet] = (),
        responsibility: Iterable[ResponsibilitySet] = (),
        rules: Iterable[RuleSet] = (),
        version: str = "",
    ) -> None:
        """Each in the order in which it was said: a later version of a code comes later."""
        self.version = version
        self._departments = _spans(departments)
        self._rules = [span for spans in _spans(rules).values() for span in spans]
        self._sets = _spans(responsibility)
        self._cells = _by_cell(span for spans in self._sets.values() for span in spans)
        self._sorted: dict[tuple[str, str], dict[str, list[Candidate]]] = {}

    def department(self, code: str, day: str) -> DepartmentSet | None:
        """The department of that code on a day."""
        return next((span.item for span in self._departments.get(code, ()) if span.holds(day)), None)

    def departments(self, day: str) -> list[DepartmentSet]:
        """All departments of a day, by code."""
        found = (self.department(code, day) for code in sorted(self._departments))
        return [one for one in found if one is not None]

    def spot(self, place: str, day: str) -> Spot:
        """A place as it lies on a day."""
        keys = tuple(place_keys(place))
        spans = self._cells.get(keys[0], ())
        if len(place) > 12:
            spans = (*spans, *self._cells.get(place[:12], ()))
        if not spans:
            return Spot(keys, (), None)
        sets = tuple({span.item.code: span.item for span in spans if span.first <= day < span.until}.values())
        classes: list[AreaClass] = [one.area_class for one in sets if one.area_class is not None]
        named = tuple(RESPONSIBILITY + one.code for one in sets)
        return Spot((*keys, *named), sets, min(classes, default=None))

    def candidates(self, facts: Facts, spot: Spot) -> list[Candidate]:
        """The rules for that category and spot whatever the day and hour, most specific first."""
        by_place = self._of_category(facts.kind, facts.category)
        found = [one for key in spot.keys if key in by_place for one in by_place[key]]
        found.sort(key=_key)
        return found

    def elsewhere(self, facts: Facts, spot: Spot) -> list[Candidate]:
        """The rules for that category at other places, most specific first."""
        by_place = self._of_category(facts.kind, facts.category)
        return sorted((one for key, some in by_place.items() if key not in spot.keys for one in some), key=_key)

    def _of_category(self, kind: str, category: str) -> dict[str, list[Candidate]]:
        found = self._sorted.get((kind, category))
        if found is None:
            if len(self._sorted) >= MOST_CATEGORIES:
                self._sorted = {}
            found = self._sorted[kind, category] = self._sort(kind, category)
        return found

    def _sort(self, kind: str, category: str) -> dict[str, list[Candidate]]:
        by_place: dict[str, list[Candidate]] = {}
        for span in self._rules:
            best = best_pattern(span.item.categories, kind, category)
            if best is None:
                continue
            for place in span.item.places or ["*"]:
                by_place.setdefault(place, []).append(_candidate(span, best, place))
        for some in by_place.values():
            some.sort(key=_key)
        return by_place


def newest(items: Iterable[T]) -> dict[str, T]:
    """Of each code the version said last."""
    return {code_of(item): item for item in items}


def _key(candidate: Candidate) -> tuple[int, int, str, str]:
    return candidate.key


def _candidate(span: Span[RuleSet], best: tuple[int, str], place: str) -> Candidate:
    rule, (category_rank, pattern) = span.item, best
    return Candidate(
        key=(-rank_of(rule, category_rank, place), rule.order, rule.id, span.first),
        rule=rule,
        first=span.first,
        until=span.until,
        pattern=pattern,
        place=place,
        hours=tuple(map(hours_of, rule.hours)),
        seasons=tuple(map(season_of, rule.seasons)),
    )


def _spans(items: Iterable[T]) -> dict[str, list[Span[T]]]:
    """Each version with the days left to it by those said later."""
    versions: dict[str, list[T]] = {}
    for item in items:
        versions.setdefault(code_of(item), []).append(item)
    return {code: _cut(some) for code, some in versions.items()}


def _cut(versions: Sequence[T]) -> list[Span[T]]:
    spans: list[Span[T]] = []
    limit = FOREVER
    for item in reversed(versions):
        until = min(item.ends or FOREVER, limit)
        if item.begins < until:
            spans.append(Span(item, item.begins, until))
        limit = min(limit, item.begins)
    return spans[::-1]


def _by_cell(spans: Iterable[Span[ResponsibilitySet]]) -> dict[str, tuple[Span[ResponsibilitySet], ...]]:
    cells: dict[str, list[Span[ResponsibilitySet]]] = {}
    for span in sorted(spans, key=lambda one: one.item.code):
        for cell in span.item.grids:
            cells.setdefault(cell, []).append(span)
    return {cell: tuple(some) for cell, some in cells.items()}


__all__ = ["Book", "Candidate", "Item", "Span", "Spot", "newest"]
