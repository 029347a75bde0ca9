"""Pairs of rules that would contest a case: the same category and place, equal rank and order, other departments. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, islice

from wanmi_casework.routing.book import FOREVER
from wanmi_casework.routing.conditions import ANYWHERE, EXACT, hours_of, in_hours, in_seasons, rank_of, season_of
from wanmi_casework.routing.kinds import RuleSet

LEAP_DAYS = tuple(f"{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 32))
MOST_PAIRS = 100


def contested_pairs(rules: Iterable[RuleSet]) -> list[tuple[str, str, str]]:
    """(rule, rule, where) for rules that can meet with equal rank; at most MOST_PAIRS, sorted."""
    groups: dict[tuple[str, str, int, int], list[RuleSet]] = {}
    for rule in sorted(rules, key=lambda one: one.id):
        for pattern in rule.categories:
            for place in rule.places or [ANYWHERE]:
                groups.setdefault((pattern, place, _rank(rule, pattern, place), rule.order), []).append(rule)
    return sorted(set(islice(_pairs(groups), MOST_PAIRS)))


def _rank(rule: RuleSet, pattern: str, place: str) -> int:
    code = pattern.partition(":")[2]
    category_rank = 0 if pattern == "*" else (len(code) if code.endswith("*") else EXACT)
    return rank_of(rule, category_rank, place)


def _pairs(groups: dict[tuple[str, str, int, int], list[RuleSet]]) -> Iterator[tuple[str, str, str]]:
    for (pattern, place, _, _), some in groups.items():
        for one, other in combinations(some, 2):
            if _differ(one, other) and _meet(one, other):
                yield one.id, other.id, f"{pattern} @ {place}"


def _differ(one: RuleSet, other: RuleSet) -> bool:
    if one.id == other.id or None in (one.department, other.department):
        return False
    return one.department != other.department


def _meet(one: RuleSet, other: RuleSet) -> bool:
    """Whether there is a day, an hour, a source and an area class at which both hold."""
    if max(one.begins, other.begins) >= min(one.ends or FOREVER, other.ends or FOREVER):
        return False
    if one.area_class and other.area_class and one.area_class != other.area_class:
        return False
    if one.sources and other.sources and not set(one.sources) & set(other.sources):
        return False
    return _same_day(one.seasons, other.seasons) and _same_minute(one.hours, other.hours)


def _same_day(one: Sequence[str], other: Sequence[str]) -> bool:
    first, second = [season_of(text) for text in one], [season_of(text) for text in other]
    return any(in_seasons(first, day) and in_seasons(second, day) for day in LEAP_DAYS)


def _same_minute(one: Sequence[str], other: Sequence[str]) -> bool:
    first, second = [hours_of(text) for text in one], [hours_of(text) for text in other]
    starts = {0, *(start for start, _ in (*first, *second))}
    return any(in_hours(first, minute) and in_hours(second, minute) for minute in starts)
