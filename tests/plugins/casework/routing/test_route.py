"""Routing, pure: who wins and why, whatever the rules; asked again for an earlier day, the answer stays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanmi.errors import BadInput
from wanmi_casework.routing import Book, Facts, Route, route
from wanmi_casework.routing.asking import time_of
from wanmi_casework.routing.conditions import hours_of, in_hours, in_seasons, moment_of, season_of
from wanmi_casework.routing.kinds import DepartmentSet, LimitSet, ResponsibilitySet, RuleSet
from wanmi_casework.routing.overlaps import contested_pairs

GRID = "210102001002007"
NOON = time_of("2026-11-24T12:00")
FACTS = Facts("event", "0102", GRID, "collector")


def department(code: str, **more: Any) -> DepartmentSet:
    base = DepartmentSet(code, code, "", "bureau", "district", "2026-01-01", None, "", schematic=True)
    return msgspec.structs.replace(base, **more)


def rule(id: str, categories: str = "*", department: str | None = "D1", **more: Any) -> RuleSet:
    base = RuleSet(
        id=id, order=100, categories=categories.split(";"), places=[], area_class=None, sources=[], hours=[],
        seasons=[], department=department, helpers=[], collector=None, limit=None, begins="2026-01-01", ends=None,
        note="", provenance="", schematic=False,
    )  # fmt: skip
    return msgspec.structs.replace(base, **more)


def responsible(code: str, grids: list[str], departments: list[str], **more: Any) -> ResponsibilitySet:
    base = ResponsibilitySet(code, code, grids, [], departments, None, "2026-01-01", None, "", schematic=False)
    return msgspec.structs.replace(base, **more)


DEPARTMENTS = [department(f"D{n}") for n in range(1, 6)]


def book(*rules: RuleSet, sets: list[ResponsibilitySet] | None = None) -> Book:
    return Book(DEPARTMENTS, sets or [], rules, "210102:9")


def said(found: Route) -> str:
    return "\n".join(f"{line.zh} | {line.en}" for line in found.why)


def test_the_most_specific_wins_in_every_dimension() -> None:
    ladder = [
        rule("all"),
        rule("kind", "event:*"),
        rule("major", "event:01*"),
        rule("exact", "event:0102"),
        rule("district", "event:0102", places=["210102"]),
        rule("street", "event:0102", places=["210102001"]),
        rule("community", "event:0102", places=["210102001002"]),
        rule("set", "event:0102", places=["R:Z1"]),
        rule("grid", "event:0102", places=[GRID]),
        rule("season", "event:0102", places=[GRID], seasons=["11-01..03-31"]),
        rule("hours", "event:0102", places=[GRID], hours=["08:00-18:00"]),
        rule("source", "event:0102", places=[GRID], sources=["collector"]),
        rule("area", "event:0102", places=[GRID], area_class="A"),
    ]
    sets = [responsible("Z1", [GRID], ["D1"], area_class="A")]
    for n in range(1, len(ladder) + 1):
        found = route(FACTS, book(*reversed(ladder[:n]), sets=sets), NOON)
        assert found.rule == ladder[n - 1].id
        assert f"规则 {found.rule} 适用" in said(found)
        assert f"rule {found.rule} matches" in said(found)


def test_why_a_rule_did_not_win_is_told() -> None:
    rules = [
        rule("win", "event:0102", "D2"),
        rule("night", "event:0102", places=[GRID], hours=["18:00-06:00"]),
        rule("summer", "event:0102", places=[GRID], seasons=["05-01..09-30"]),
        rule("phone", "event:0102", places=[GRID], sources=["hotline"]),
        rule("core", "event:0102", places=[GRID], area_class="A"),
        rule("later", "event:0102", places=[GRID], begins="2027-01-01"),
        rule("gone", "event:0102", places=[GRID], ends="2026-11-24"),
        rule("nobody", "event:0102", "@", places=[GRID]),
        rule("closed", "event:0102", "D9", places=["210102"]),
    ]
    found = route(FACTS, book(*rules), NOON)
    assert (found.department, found.rule) == ("D2", "win")
    assert {one.rule: one.reason for one in found.rejected} == {
        "night": "hours", "summer": "season", "phone": "source", "core": "area", "later": "not_begun", "gone": "ended",
        "nobody": "no_responsibility", "closed": "no_department",
    }  # fmt: skip
    (night,) = [one for one in found.rejected if one.rule == "night"]
    assert night.line.zh == "规则 night：限时段 18:00-06:00，当时 12:00"
    assert night.line.en == "rule night: is for 18:00-06:00, it was 12:00"
    losers = route(FACTS, book(rules[0], rule("wide", "event:01*"), rule("after", "event:0102", order=200)), NOON)
    assert {one.rule: one.reason for one in losers.rejected} == {"wide": "less_specific", "after": "later_order"}


def test_without_a_rule_the_ones_for_other_places_are_named() -> None:
    found = route(FACTS, book(rule("far", "event:0102", places=["210103"])), NOON)
    assert (found.department, found.rule, found.contested) == (None, None, ())
    assert [(one.rule, one.reason, one.wanted) for one in found.rejected] == [("far", "elsewhere", "210103")]
    assert "没有适用的规则" in said(found)


def test_equal_rank_is_contested_unless_order_or_agreement_settles_it() -> None:
    one, other = rule("A", "event:0102", "D1"), rule("B", "event:0102", "D2")
    found = route(FACTS, book(other, one), NOON)
    assert found.department is None
    assert [(claim.rule, claim.department) for claim in found.contested] == [("A", "D1"), ("B", "D2")]
    assert "待裁定" in said(found)
    settled = route(FACTS, book(one, msgspec.structs.replace(other, order=50)), NOON)
    assert (settled.department, settled.contested) == ("D2", ())
    agreed = route(FACTS, book(one, msgspec.structs.replace(other, department="D1")), NOON)
    assert (agreed.department, agreed.rule, agreed.contested) == ("D1", "A", ())


def test_department_limit_and_collector_each_come_from_the_most_specific_rule_that_gives_them() -> None:
    rules = [
        rule("dept", "event:01*", "D3", helpers=["D4", "D3"]),
        rule("limit", "event:0102", None, limit=LimitSet(4, "work_hour"), area_class="A"),
        rule("limit-b", "event:0102", None, limit=LimitSet(2, "work_day")),
        rule("eyes", "*", None, collector="T210102-0009"),
    ]
    sets = [responsible("Z1", [GRID[:12]], ["D1"], area_class="A", collectors=["T210102-0001"])]
    found = route(FACTS, book(*rules, sets=sets), NOON)
    assert (found.department, found.helpers, found.rule) == ("D3", ("D4",), "dept")
    assert found.limit is not None
    assert (found.limit.value, found.limit.unit, found.limit.area_class, found.limit_rule) == (4, "work_hour", "A", "limit")  # fmt: skip
    assert (found.collector, found.collector_by) == ("T210102-0009", "eyes")
    without = route(FACTS, book(*rules[:2], rules[2], sets=sets), NOON)
    assert (without.collector, without.collector_by) == ("T210102-0001", "R:Z1")
    elsewhere = route(replace(FACTS, place="210102002001001"), book(*rules, sets=sets), NOON)
    assert elsewhere.limit is not None
    assert (elsewhere.limit.value, elsewhere.limit_rule) == (2, "limit-b")


def test_a_rule_may_leave_it_to_the_responsibility_grid() -> None:
    own = rule("own", "event:0102", "@", helpers=["D5"])
    one = responsible("Z1", [GRID], ["D1", "D2"])
    found = route(FACTS, book(own, sets=[one]), NOON)
    assert (found.department, found.helpers, found.responsibility) == ("D1", ("D2", "D5"), ("Z1",))
    twice = route(FACTS, book(own, sets=[one, responsible("Z2", [GRID[:12]], ["D3"])]), NOON)
    assert twice.department is None
    assert {(claim.responsibility, claim.department) for claim in twice.contested} == {("Z1", "D1"), ("Z2", "D3")}


def test_redrawing_a_cell_moves_tomorrow_and_leaves_yesterday() -> None:
    own = rule("own", "event:0102", "@")
    first = [responsible("Z1", [GRID], ["D1"]), responsible("Z2", ["210102001002008"], ["D2"])]
    redrawn = [
        *first,
        responsible("Z1", ["210102001002009"], ["D1"], begins="2026-12-01"),
        responsible("Z2", [GRID, "210102001002008"], ["D2"], begins="2026-12-01"),
    ]
    before, after = book(own, sets=first), book(own, sets=redrawn)
    assert route(FACTS, after, NOON) == route(FACTS, before, NOON)
    assert route(FACTS, after, time_of("2026-12-01T00:00")).department == "D2"
    assert route(FACTS, after, time_of("2026-11-30T23:59")).department == "D1"


@pytest.mark.parametrize(
    ("text", "minute", "inside"),
    [("18:00-06:00", 1439, True), ("18:00-06:00", 0, True), ("18:00-06:00", 360, False), ("18:00-06:00", 1079, False),
     ("08:00-12:00", 480, True), ("08:00-12:00", 720, False), ("20:00-24:00", 1439, True), ("20:00-24:00", 0, False)],
)  # fmt: skip
def test_hours(text: str, minute: int, inside: bool) -> None:
    assert in_hours([hours_of(text)], minute) is inside


@pytest.mark.parametrize(
    ("text", "day", "inside"),
    [("11-01..03-31", "12-31", True), ("11-01..03-31", "03-31", True), ("11-01..03-31", "04-01", False),
     ("11-01..03-31", "02-29", True), ("05-01..09-30", "05-01", True), ("05-01..09-30", "10-01", False)],
)  # fmt: skip
def test_seasons(text: str, day: str, inside: bool) -> None:
    assert in_seasons([season_of(text)], day) is inside


@pytest.mark.parametrize("bad", ["8-18", "24:00-06:00", "10:00-10:00", "00:00-24:01", ""])
def test_bad_hours_are_refused(bad: str) -> None:
    with pytest.raises(BadInput, match="hours"):
        hours_of(bad)


def test_days_are_the_citys_own() -> None:
    assert moment_of(time_of("2026-11-23T16:00:00+00:00")) == moment_of(time_of("2026-11-24T00:00"))
    assert moment_of(NOON).day == "2026-11-24"


PLACES = ["210102", "210102001", "210102001002", GRID, "210102001002008", "210103", "R:Z1", "R:Z2"]
PATTERNS = ["*", "event:*", "event:01*", "event:0102", "event:0103", "component:*"]
DAYS = ["2026-01-01", "2026-06-01", "2026-11-24", "2026-12-01"]
rules_ = st.lists(
    st.builds(
        rule,
        id=st.sampled_from([f"R{n}" for n in range(6)]),
        categories=st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2, unique=True).map(";".join),
        department=st.sampled_from(["D1", "D2", "D3", "D9", "@", None]),
        places=st.lists(st.sampled_from(PLACES), max_size=2, unique=True),
        order=st.sampled_from([1, 2]),
        area_class=st.sampled_from([None, None, "A", "B"]),
        sources=st.sampled_from([[], ["collector"], ["hotline"]]),
        hours=st.sampled_from([[], ["08:00-18:00"], ["18:00-06:00"]]),
        seasons=st.sampled_from([[], ["11-01..03-31"]]),
        begins=st.sampled_from(DAYS),
        ends=st.sampled_from([None, None, "2026-12-01"]),
        limit=st.sampled_from([None, LimitSet(4, "work_hour")]),
    ),
    max_size=12,
)
sets_ = st.lists(
    st.builds(
        responsible,
        code=st.sampled_from(["Z1", "Z2"]),
        grids=st.lists(st.sampled_from([GRID, "210102001002008", "210102001002"]), min_size=1, unique=True),
        departments=st.lists(st.sampled_from(["D1", "D2"]), max_size=2, unique=True),
        area_class=st.sampled_from([None, "A", "B"]),
        begins=st.sampled_from(DAYS),
    ),
    max_size=5,
)
facts_ = st.builds(
    Facts,
    kind=st.sampled_from(["event", "component"]),
    category=st.sampled_from(["0102", "0103", "0201"]),
    place=st.sampled_from([GRID, "210102001002008", "210102001", "210103"]),
    source=st.sampled_from(["collector", "hotline"]),
)
times_ = st.integers(time_of("2026-01-01T00:00"), time_of("2027-06-01T00:00"))


@given(rules_, sets_, facts_, times_, st.randoms())
def test_an_answer_is_one_and_names_its_rule(rules: Any, sets: Any, facts: Facts, at: int, random: Any) -> None:
    unique = list({one.id: one for one in rules}.values())
    sets = list({one.code: one for one in sets}.values())
    found = route(facts, book(*unique, sets=sets), at)
    random.shuffle(unique)
    random.shuffle(sets)
    assert route(facts, book(*unique, sets=sets), at) == found, "the order in which rules were said does not matter"
    if found.rule is not None:
        assert f"rule {found.rule} " in said(found)
        assert found.rule not in {one.rule for one in found.rejected}
    assert (found.department is not None) == (found.rule is not None and not found.contested)
    assert found.department != "D9", "nobody is sent to a department that is not there"
    assert len({claim.department for claim in found.contested}) != 1


@given(rules_, sets_, facts_, times_)
def test_no_rule_that_holds_is_more_specific_than_the_winner(rules: Any, sets: Any, facts: Facts, at: int) -> None:
    unique = [one for one in {one.id: one for one in rules}.values() if one.department not in ("@", "D9", None)]
    found = route(facts, book(*unique, sets=sets), at)
    alone = [route(facts, book(one, sets=sets), at).winner for one in unique]
    best = min((one.key for one in alone if one is not None), default=None)
    assert (found.winner.key if found.winner else None) == best


@given(rules_, sets_, rules_, sets_, facts_, times_)
def test_what_is_said_later_leaves_earlier_days_alone(
    rules: Any, sets: Any, more: Any, redrawn: Any, facts: Facts, at: int
) -> None:
    day = moment_of(at).day
    more = [one for one in more if one.begins > day]
    redrawn = [one for one in redrawn if one.begins > day]
    before = route(facts, book(*rules, sets=sets), at)
    after = route(facts, book(*rules, *more, sets=[*sets, *redrawn]), at)
    kept = ("department", "helpers", "collector", "limit", "rule", "limit_rule", "contested", "responsibility")
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]


@given(rules_, facts_, times_)
def test_a_contest_was_foretold_by_the_check(rules: Any, facts: Facts, at: int) -> None:
    unique = [one for one in {one.id: one for one in rules}.values() if one.department != "@"]
    found = route(facts, book(*unique), at)
    pairs = {frozenset(pair[:2]) for pair in contested_pairs(unique)}
    for claim in found.contested:
        for other in found.contested:
            if claim.department != other.department:
                assert frozenset((claim.rule, other.rule)) in pairs
