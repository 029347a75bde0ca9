"""Clocks counted by hand, and laws that hold for any marks."""

from __future__ import annotations

import random
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanmi.calendar import MissingYear, shipped_calendar
from wanmi.cases import StepTable
from wanmi.cases.table import ClockRule as ClockOfTable
from wanmi.clock import SECOND
from wanmi.clocks import (
    ClockRule,
    Limit,
    Mark,
    MarkKind,
    clock_state,
    local_text,
)
from wanmi.errors import BadInput
from wanmi.query.case_clocks import rule_of

CITY = ZoneInfo("Asia/Shanghai")
CALENDAR = shipped_calendar()
TABLE = StepTable.load()
ACCEPT = rule_of(TABLE, "accept", TABLE.clocks["accept"].limit)
DEPARTMENT = rule_of(TABLE, "department", None).with_limit(Limit.of(2, "work_day"))
HOUR, DAY = 3600 * SECOND, 86_400 * SECOND


def at(text: str) -> int:
    """µs UTC of a local time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=CITY).timestamp()) * SECOND


def mark(kind: MarkKind, when: str, seq: int = 1, until: str = "", seconds: int | None = None) -> Mark:
    """A mark at a local time."""
    return Mark(kind, at(when), f"210102:{seq}", at(until) if until else None, seconds)


SUSPENDED = [
    mark("start", "2025-09-30 16:00", 12),
    mark("pause", "2025-10-09 09:00", 15, until="2025-10-10 09:00"),
    mark("resume", "2025-10-10 09:00", 17),
    mark("extend", "2025-10-10 10:00", 18),
    mark("stop", "2025-10-13 09:00", 20),
]


def test_the_departments_clock_through_a_holiday_a_suspension_and_an_extension() -> None:
    def state(when: str) -> tuple[object, ...]:
        now = clock_state(DEPARTMENT, SUSPENDED, CALENDAR, at(when))
        due = None if now.deadline is None else local_text(now.deadline)
        return now.phase, now.elapsed_s // 3600, now.limit_s, due, now.light, now.late

    two, four = 2 * 28_800, 4 * 28_800
    assert state("2025-09-30 15:59") == ("idle", 0, two, None, "green", False)
    assert state("2025-10-05 12:00") == ("running", 2, two, "2025-10-10 16:00", "green", False)
    assert state("2025-10-09 20:00") == ("paused", 3, two, "2025-10-11 16:00", "green", False)
    assert state("2025-10-10 09:00") == ("running", 3, two, "2025-10-11 16:00", "green", False)
    assert state("2025-10-10 10:00") == ("running", 4, four, "2025-10-14 16:00", "green", False)
    assert state("2025-10-20 10:00") == ("stopped", 19, four, "2025-10-14 16:00", "green", False)


@pytest.mark.parametrize(
    ("used", "light", "late", "overdue"),
    [
        (0, "green", False, 0),
        (12 * 60 * SECOND, "green", False, 0),
        (12 * 60 * SECOND + 1, "yellow", False, 0),
        (15 * 60 * SECOND, "yellow", False, 0),
        (15 * 60 * SECOND + 1, "red", True, 1),
        (16 * 60 * SECOND, "red", True, 60),
    ],
)
def test_the_light_turns_at_80_and_100_percent(used: int, light: str, late: bool, overdue: int) -> None:
    start = at("2025-10-03 23:50")
    now = clock_state(ACCEPT, [Mark("start", start, "210102:1")], CALENDAR, start + used)
    assert (now.light, now.late, now.overdue_s) == (light, late, overdue)
    assert now.deadline == start + 15 * 60 * SECOND


def test_an_answer_in_the_last_instant_is_in_time_one_after_is_late() -> None:
    start, due = mark("start", "2025-10-09 08:00"), at("2025-10-10 18:00")
    for stop, late in ((due, False), (due + 1, True)):
        now = clock_state(DEPARTMENT, [start, Mark("stop", stop, "210102:2")], CALENDAR, due + DAY)
        assert (now.late, now.deadline, now.light) == (late, due, "red" if late else "yellow")


def test_in_the_night_after_its_deadline_a_work_clock_is_late_by_no_working_time() -> None:
    now = clock_state(DEPARTMENT, [mark("start", "2025-10-09 08:00")], CALENDAR, at("2025-10-10 22:00"))
    assert (now.late, now.light, now.overdue_s, now.remaining_s) == (True, "red", 0, 0)


def test_a_restart_counts_from_nothing_and_a_resume_goes_on() -> None:
    stopped = [
        mark("start", "2025-10-09 08:00"),
        mark("extend", "2025-10-09 09:00"),
        mark("stop", "2025-10-09 12:00", 3),
    ]
    anew = clock_state(DEPARTMENT, [*stopped, mark("restart", "2025-10-10 08:00", 4)], CALENDAR, at("2025-10-10 10:00"))
    on = clock_state(DEPARTMENT, [*stopped, mark("resume", "2025-10-10 08:00", 4)], CALENDAR, at("2025-10-10 10:00"))
    assert (anew.round, anew.elapsed_s, anew.limit_s, anew.extensions) == (2, 2 * 3600, 57_600, ())
    assert (on.round, on.elapsed_s, on.limit_s, len(on.extensions)) == (1, 6 * 3600, 2 * 57_600, 1)
    assert [one.round for one in anew.intervals] == [1, 2]


def test_a_pause_without_an_end_has_no_deadline() -> None:
    marks = [mark("start", "2025-10-09 08:00"), mark("pause", "2025-10-09 10:00")]
    now = clock_state(DEPARTMENT, marks, CALENDAR, at("2025-10-20 10:00"))
    assert (now.phase, now.deadline, now.elapsed_s, now.late) == ("paused", None, 7200, False)


def test_a_deadline_that_passed_before_a_pause_stays_passed() -> None:
    marks = [mark("start", "2025-10-09 08:00"), mark("pause", "2025-10-13 10:00")]
    now = clock_state(DEPARTMENT, marks, CALENDAR, at("2025-10-20 10:00"))
    assert (now.deadline, now.late, now.overdue_s) == (at("2025-10-10 18:00"), True, 8 * 3600 + 2 * 3600)


def test_a_clock_without_a_limit_only_counts() -> None:
    now = clock_state(
        DEPARTMENT.with_limit(None), [mark("start", "2025-10-03 08:00")], CALENDAR, at("2025-10-03 09:00")
    )
    assert (now.elapsed_s, now.limit_s, now.deadline, now.light, now.used_percent) == (3600, None, None, "green", None)


def test_a_year_without_data_is_warned_of() -> None:
    now = clock_state(DEPARTMENT, [mark("start", "2026-12-31 16:00")], CALENDAR, at("2026-12-31 17:00"))
    assert now.warnings == (MissingYear(2027),)
    running = clock_state(ACCEPT, [mark("start", "2031-01-01 16:00")], CALENDAR, at("2031-01-01 17:00"))
    assert running.warnings == ()


def test_the_shipped_clocks_of_the_stages_run_on() -> None:
    rules = {name: rule_of(TABLE, name, clock.limit) for name, clock in TABLE.clocks.items()}
    assert {name: rule.limit and rule.limit.seconds for name, rule in rules.items()} == {
        "accept": 900, "dispatch": 900, "department": None, "verify": 1800, "check": 1800,
    }  # fmt: skip
    assert all(rule.limit is None or rule.limit.clock == "running" for rule in rules.values())
    assert rules["accept"].rule("zh") == "从上报到受理，连续计时"
    assert rules["verify"].source == "R6 default; its own table says 24 h"


def test_a_clock_of_an_earlier_table_is_told_by_the_steps_that_move_it() -> None:
    """Cases keep the version under which they were opened; those before this field had 80 percent and no words."""
    old = {name: ClockOfTable(zh=one.zh, en=one.en, limit=one.limit) for name, one in TABLE.clocks.items()}
    rule = rule_of(msgspec.structs.replace(TABLE, clocks=old), "department", None)
    assert (rule.yellow_after, rule.source) == (80, TABLE.name)
    assert rule.rule("zh") == "开始计时：派遣、改派、返工；停止计时：改派、移交市级、处置反馈"
    assert rule.rule("en").startswith(
        "started by dispatch, dispatch to another department, have it done again; stopped"
    )


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        ([("resume", 1)], "the clock is idle"),
        ([("start", 1), ("start", 2)], "the clock is running"),
        ([("start", 1), ("pause", 2), ("pause", 3)], "the clock is paused"),
        ([("start", 1), ("stop", 2), ("extend", 3)], "the clock is stopped"),
    ],
)
def test_marks_that_contradict_each_other_are_named(marks: list[tuple[MarkKind, int]], words: str) -> None:
    given_marks = [Mark(kind, n * HOUR, f"210102:{n}") for kind, n in marks]
    with pytest.raises(BadInput, match=f"entry 210102:{marks[-1][1]}: {words}"):
        clock_state(DEPARTMENT, given_marks, CALENDAR, at("2025-10-01 00:00"))


def test_marks_with_what_is_not_theirs_are_refused() -> None:
    for wrong in (Mark("start", 1, "210102:1", seconds=5), Mark("start", 1, "210102:1", until=5)):
        with pytest.raises(BadInput, match="210102:1"):
            clock_state(DEPARTMENT, [wrong], CALENDAR, at("2025-10-01 00:00"))


NEXT: dict[str, tuple[MarkKind, ...]] = {
    "idle": ("start",),
    "running": ("stop", "pause", "extend", "restart"),
    "paused": ("resume", "stop", "extend", "restart"),
    "stopped": ("resume", "restart"),
}
AFTER = {"start": "running", "resume": "running", "restart": "running", "pause": "paused", "stop": "stopped"}


@st.composite
def tapes(draw: st.DrawFn) -> list[Mark]:
    """Marks that can happen one after another, from the days before the long holiday on."""
    now, phase, marks = draw(st.integers(at("2025-09-25 00:00"), at("2025-10-12 00:00"))), "idle", []
    for seq in range(1, draw(st.integers(1, 8)) + 1):
        kind = draw(st.sampled_from(NEXT[phase]))
        until = now + draw(st.integers(0, 9 * DAY)) if kind == "pause" and draw(st.booleans()) else None
        marks.append(Mark(kind, now, f"210102:{seq}", until))
        phase = AFTER.get(kind, phase)
        now += draw(st.sampled_from([0, 1, HOUR, DAY])) + draw(st.integers(0, 3 * DAY))
    return marks


RULES = st.sampled_from(
    [DEPARTMENT, ACCEPT, DEPARTMENT.with_limit(Limit.of(3, "natural_day")), DEPARTMENT.with_limit(None)]
)
LATER = st.integers(-2 * DAY, 60 * DAY)


@given(RULES, tapes(), LATER)
def test_a_clock_is_never_negative_and_never_contradicts_itself(rule: ClockRule, marks: list[Mark], later: int) -> None:
    now = clock_state(rule, marks, CALENDAR, marks[0].at + later)
    assert now.elapsed_s >= 0
    assert now.overdue_s >= 0
    assert all(one.end is None or one.end >= one.start for one in now.intervals)
    assert now.running == bool(now.intervals and now.intervals[-1].end is None and now.intervals[-1].kind == "running")
    assert now.late == (now.light == "red")
    if now.limit_s is None:
        assert now.deadline is None
        return
    assert now.remaining_s == max(0, now.limit_s - now.elapsed_s)
    assert now.overdue_s == 0 or now.late
    assert not now.late or now.elapsed_s >= now.limit_s
    if now.deadline is not None:
        assert now.deadline > now.intervals[0].start
    if now.running and not now.late:
        assert now.deadline is not None
        assert now.deadline >= now.as_of


@given(RULES, tapes(), LATER, st.integers(0, 20 * DAY))
def test_a_running_clock_turns_late_just_after_its_deadline(
    rule: ClockRule, marks: list[Mark], later: int, more: int
) -> None:
    now = clock_state(rule, marks, CALENDAR, marks[0].at + later)
    if now.deadline is None or not now.running or now.late:
        return
    coming = [one for one in marks if one.at <= now.as_of]
    assert not clock_state(rule, coming, CALENDAR, now.deadline).late
    after = clock_state(rule, coming, CALENDAR, now.deadline + 1 + more)
    assert after.late
    assert after.deadline == now.deadline


@given(RULES, tapes(), st.lists(LATER, min_size=2, max_size=6), st.randoms())
def test_the_answer_does_not_depend_on_what_was_asked_before(
    rule: ClockRule, marks: list[Mark], asked: list[int], mixed: random.Random
) -> None:
    times = [marks[0].at + one for one in asked]
    first = {when: clock_state(rule, marks, CALENDAR, when) for when in times}
    mixed.shuffle(times)
    assert {when: clock_state(rule, marks, shipped_calendar().with_lists([]), when) for when in times} == first


@given(RULES, tapes(), LATER)
def test_what_has_not_happened_yet_does_not_count(rule: ClockRule, marks: list[Mark], later: int) -> None:
    as_of = marks[0].at + later
    known = [one for one in marks if one.at <= as_of]
    assert clock_state(rule, marks, CALENDAR, as_of) == clock_state(rule, known, CALENDAR, as_of)


INSTANT = st.integers(at("2025-09-20 00:00"), at("2025-10-20 00:00"))
LIMITS = st.sampled_from(
    [Limit.of(4, "work_hour"), Limit.of(2, "work_day"), Limit.of(6, "urgent_hour"), Limit.of(3, "natural_day")]
)


@given(LIMITS, INSTANT, st.integers(1, 10 * DAY), st.integers(0, 20 * DAY))
def test_a_pause_shifts_the_deadline_by_the_working_time_lost(limit: Limit, start: int, wait: int, pause: int) -> None:
    rule = DEPARTMENT.with_limit(limit)
    begun = Mark("start", start, "210102:1")
    due = clock_state(rule, [begun], CALENDAR, start).deadline
    assert due is not None
    paused = min(start + wait, due - 1)
    marks = [begun, Mark("pause", paused, "210102:2"), Mark("resume", paused + pause, "210102:3")]
    now = clock_state(rule, marks, CALENDAR, paused + pause)
    lost = CALENDAR.measure_us(paused, paused + pause, limit.clock)
    assert now.deadline == CALENDAR.add_us(due, lost, limit.clock)
    assert now.elapsed_s == CALENDAR.measure_us(start, paused, limit.clock) // SECOND


@given(LIMITS, INSTANT, st.integers(1, 3))
def test_each_extension_adds_one_original_limit(limit: Limit, start: int, times: int) -> None:
    marks = [Mark("start", start, "210102:1"), *(Mark("extend", start, f"210102:{n + 2}") for n in range(times))]
    now = clock_state(DEPARTMENT.with_limit(limit), marks, CALENDAR, start)
    assert now.limit_s == (times + 1) * limit.seconds
    assert now.deadline == CALENDAR.add_us(start, (times + 1) * limit.seconds * SECOND, limit.clock)
