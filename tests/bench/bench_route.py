"""1,000,000 routes by 1,000 rules in 300 responsibility grids; the floor is one dictionary look-up a question."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from time import perf_counter
from typing import TypedDict

from wanmi.codes import Divisions, Profile
from wanmi_casework.routing import Book, Facts, route
from wanmi_casework.routing.asking import time_of
from wanmi_casework.routing.kinds import DepartmentSet, LimitSet, ResponsibilitySet, RuleSet

ROUTES = 1_000_000
RULES = 1_000
TOLD = 20_000
BEGINS = "2026-01-01"


class Figure(TypedDict):
    """A measured figure beside its floor."""

    name: str
    value: float
    unit: str
    floor: float
    floor_name: str
    goal: float | None


def city_book(random: Random, communities: Sequence[str], patterns: Sequence[str]) -> Book:
    """Departments, responsibility grids of ten unit grids each, and rules of every kind of condition."""
    departments = [DepartmentSet(f"D{n}", "x", "", "bureau", "district", BEGINS, None, "", False) for n in range(60)]
    grids = [f"{community}{n:03}" for community in communities for n in range(1, 41)]
    random.shuffle(grids)
    sets = [
        ResponsibilitySet(f"Z{n}", "x", grids[n * 10 : n * 10 + 10], [], [f"D{n % 60}"], "AB"[n % 2], BEGINS, None, "", False)  # type: ignore[arg-type]
        for n in range(300)
    ]  # fmt: skip
    return Book(departments, sets, [_rule(n, random, communities, patterns) for n in range(RULES)], "210102:1")


def _rule(n: int, random: Random, communities: Sequence[str], patterns: Sequence[str]) -> RuleSet:
    place = random.choice(
        ["", "", "210102", random.choice(communities)[:9], random.choice(communities), f"R:Z{n % 300}"]
    )
    return RuleSet(
        id=f"R{n:04}", order=n, categories=random.sample(patterns, 2), places=[place] if place else [],
        area_class=random.choice([None, None, "A"]), sources=random.choice([[], [], ["hotline"]]),
        hours=random.choice([[], [], ["18:00-06:00"]]), seasons=random.choice([[], [], ["11-01..03-31"]]),
        department=random.choice([f"D{n % 60}", "@"]), helpers=[], collector=None, limit=LimitSet(4, "work_hour"),
        begins=BEGINS, ends=None, note="", provenance="", schematic=False,
    )  # fmt: skip


def run() -> list[Figure]:
    """Microseconds a route, and a route with its explanation in both languages."""
    random = Random(7)
    streets = Divisions.load().children("210102")
    communities = [one.code for street in streets for one in Divisions.load().children(street.code)]
    categories = [(one.kind, one.code) for one in Profile.load().catalogue.categories]
    patterns = [f"{kind}:{code}" for kind, code in categories]
    patterns += ["event:*", "component:*", *(f"event:0{n}*" for n in range(1, 6))]
    book = city_book(random, communities, patterns)
    asked = [
        Facts(*random.choice(categories), f"{random.choice(communities)}{random.randint(1, 40):03}", "collector")
        for _ in range(50_000)
    ]
    times = [time_of("2026-11-24T00:00") + random.randrange(86_400_000_000) for _ in asked]
    pairs = list(zip(asked, times, strict=True)) * (ROUTES // len(asked))
    floor = _floor(pairs)
    start = perf_counter()
    for facts, at in pairs:
        route(facts, book, at)
    each = (perf_counter() - start) / len(pairs) * 1e6
    start = perf_counter()
    lines = sum(len(route(facts, book, at).why) for facts, at in pairs[:TOLD])
    told = (perf_counter() - start) / TOLD * 1e6
    assert lines > TOLD
    name = "dictionary look-up"
    return [
        Figure(name="route by 1,000 rules", value=each, unit="µs", floor=floor, floor_name=name, goal=60.0),
        Figure(name="route and explanation", value=told, unit="µs", floor=floor, floor_name=name, goal=None),
    ]


def _floor(pairs: Sequence[tuple[Facts, int]]) -> float:
    table = {(one.kind, one.category, one.place): 1 for one, _ in pairs}
    start = perf_counter()
    for facts, _ in pairs:
        table[facts.kind, facts.category, facts.place]
    return (perf_counter() - start) / len(pairs) * 1e6
