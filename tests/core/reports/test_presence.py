"""Presence: what distance, speed and the fix itself say, for any numbers at all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanmi.coords import DATUMS, Point, distance_m, from_wgs84
from wanmi.reports import Answer, Fix, PresenceRules, fix_of, judge_presence
from wanmi.reports.presence import Doubt, speed_between

PLACE = Point(1_234_330_000, 417_900_000)
SECOND = 1_000_000
NOW = 1_795_500_000_000_000
RULES = PresenceRules()
GRADES = ("fine", "doubtful", "absent")

offsets = st.integers(-200_000, 200_000)
fixes = st.builds(
    Fix,
    point=st.builds(lambda x, y: Point(PLACE.lon_e7 + x, PLACE.lat_e7 + y), offsets, offsets),
    at=st.integers(NOW - 7200 * SECOND, NOW + 7200 * SECOND),
    made_at=st.integers(NOW - 7200 * SECOND, NOW + 7200 * SECOND),
    accuracy_m=st.floats(0, 10_000),
    source=st.sampled_from(["gnss", "network", "manual"]),
    satellites=st.none() | st.integers(0, 40),
)
several = st.lists(fixes, max_size=4).map(tuple)


def at(north_m: float = 0, **more: object) -> Fix:
    good = Fix(Point(PLACE.lon_e7, PLACE.lat_e7 + round(north_m * 89.93)), NOW, NOW, 3.0, "gnss", 9)
    return replace(good, **more)  # type: ignore[arg-type]


@given(fixes, several)
def test_the_grade_is_the_heaviest_doubts(fix: Fix, others: tuple[Fix, ...]) -> None:
    found = judge_presence(fix, PLACE, others)
    weights = [GRADES.index(Doubt(reason).grade) for reason in found.reasons]
    assert GRADES.index(found.grade) == max(weights, default=0)
    assert len(set(found.reasons)) == len(found.reasons)
    assert found.distance_m == round(distance_m(fix.point, PLACE))
    assert (found.speed_mps is None) == (not others)


@given(fixes, several, st.randoms())
def test_the_order_of_other_fixes_does_not_matter(fix: Fix, others: tuple[Fix, ...], lot: object) -> None:
    mixed = list(others)
    lot.shuffle(mixed)  # type: ignore[attr-defined]
    assert judge_presence(fix, PLACE, others) == judge_presence(fix, PLACE, tuple(mixed))


@given(fixes, several, fixes)
def test_knowing_more_never_makes_it_better(fix: Fix, others: tuple[Fix, ...], one: Fix) -> None:
    less, more = judge_presence(fix, PLACE, others), judge_presence(fix, PLACE, (*others, one))
    assert GRADES.index(more.grade) >= GRADES.index(less.grade)
    assert (more.speed_mps or 0) >= (less.speed_mps or 0)


@given(st.floats(0, 1000), st.floats(0, 1000))
def test_farther_is_never_better(near: float, far: float) -> None:
    near, far = sorted((near, far))
    assert GRADES.index(judge_presence(at(near), PLACE).grade) <= GRADES.index(judge_presence(at(far), PLACE).grade)


@given(fixes, fixes)
def test_speed_is_the_same_both_ways_and_never_negative(a: Fix, b: Fix) -> None:
    assert speed_between(a, b, RULES) == speed_between(b, a, RULES) >= 0


@given(st.floats(0, 1e6))
def test_a_fix_that_knows_nothing_excuses_nothing(accuracy: float) -> None:
    """However bad the receiver says it is, 300 m away is not there."""
    assert judge_presence(at(300, accuracy_m=accuracy), PLACE).grade == "absent"


@pytest.mark.parametrize(
    ("fix", "reasons"),
    [
        (at(), []),
        (at(52), []),
        (at(60), ["not_near"]),
        (at(202), ["not_near"]),
        (at(210), ["too_far"]),
        (at(source="manual"), ["not_gnss"]),
        (at(source="network"), ["not_gnss"]),
        (at(accuracy_m=51.0), ["poor_accuracy"]),
        (at(satellites=3), ["few_satellites"]),
        (at(satellites=None), []),
        (at(at=NOW - 30 * SECOND), []),
        (at(at=NOW - 31 * SECOND), ["old_fix"]),
        (at(at=NOW + 5 * SECOND), []),
        (at(at=NOW + 6 * SECOND), ["fix_after"]),
        (at(210, source="manual", at=NOW - 60 * SECOND), ["too_far", "not_gnss", "old_fix"]),
    ],
)
def test_each_doubt(fix: Fix, reasons: list[str]) -> None:
    assert list(judge_presence(fix, PLACE).reasons) == reasons


@pytest.mark.parametrize(
    ("metres", "seconds", "speed", "reasons"),
    [
        (606, 60, 10, []),  # less 3 m of accuracy at either end
        (6, 0, 0, []),
        (2406, 60, 40, ["fast"]),
        (6006, 60, 100, ["impossible_speed"]),
        (106, 0, 100, ["impossible_speed"]),
    ],
)
def test_speed_between_fixes(metres: float, seconds: int, speed: int, reasons: list[str]) -> None:
    before = at(metres, at=NOW - seconds * SECOND, made_at=NOW - seconds * SECOND)
    found = judge_presence(at(), PLACE, (before,))
    assert (found.speed_mps, list(found.reasons)) == (speed, reasons)


@pytest.mark.parametrize("datum", DATUMS)
def test_the_datum_of_the_answer_does_not_matter(datum: str) -> None:
    there = from_wgs84(PLACE, datum)  # type: ignore[arg-type]
    answer = Answer(
        1, "T210102-0001", "A" * 26, "task-0001", NOW, "yes", there.lon_e7, there.lat_e7, datum, 300, "gnss", NOW, 9, (),  # type: ignore[arg-type]
        "test", 0,
    )  # fmt: skip
    found = judge_presence(fix_of(answer), PLACE)
    assert (found.grade, found.distance_m) == ("fine", 0)
