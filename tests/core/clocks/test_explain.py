"""Deadlines explained, in both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from wanmi.calendar import ClockKind, shipped_calendar
from wanmi.cases import StepTable
from wanmi.clock import SECOND
from wanmi.clocks import Limit, Mark, clock_state, duration_text, explain, local_text
from wanmi.errors import BadInput
from wanmi.query.case_clocks import rule_of

CALENDAR = shipped_calendar()
RULE = rule_of(StepTable.load(), "department", None).with_limit(Limit.of(2, "work_day"))


def at(text: str) -> int:
    """µs UTC of a local time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()) * SECOND


MARKS = [
    Mark("start", at("2025-09-30 16:00"), "210102:12"),
    Mark("pause", at("2025-10-09 09:00"), "210102:15", until=at("2025-10-10 09:00")),
    Mark("resume", at("2025-10-10 09:00"), "210102:17"),
    Mark("extend", at("2025-10-10 10:00"), "210102:18"),
    Mark("stop", at("2025-10-15 09:00"), "210102:20"),
    Mark("restart", at("2025-10-16 09:00"), "210102:22"),
]


def lines(as_of: str, lang: str) -> list[str]:
    """The lines as of a local time, without the rule's."""
    told = explain(clock_state(RULE, MARKS, CALENDAR, at(as_of)), "zh" if lang == "zh" else "en")
    assert told[0].startswith(
        "处置时限 2 个工作日：从派遣到部门反馈"
        if lang == "zh"
        else "handling by the department: limit 2 work days, from dispatch"
    )
    return list(told[1:])


def test_a_clock_that_is_late_in_english() -> None:
    assert lines("2025-10-15 12:00", "en") == [
        "started 2025-09-30 16:00 (210102:12)",
        "paused 2025-10-09 09:00 to 2025-10-10 09:00 (210102:15, 210102:17)",
        "went on 2025-10-10 09:00 (210102:17)",
        "extended 2025-10-10 10:00 by 2 work d (210102:18)",
        "stopped 2025-10-15 09:00 (210102:20)",
        "working hours 08:00-12:00, 14:00-18:00",
        "days that do not count: 2025-10-01 to 2025-10-08 National Day, Mid-autumn Festival; weekend days: 1",
        "make-up workdays: 2025-10-11",
        "used 4 work d 3 work h of 4 work d",
        "due 2025-10-14 16:00",
        "late, over by 3 work h",
    ]


def test_the_same_in_chinese_while_it_is_paused() -> None:
    assert lines("2025-10-09 20:00", "zh") == [
        "2025-09-30 16:00 开始计时（210102:12）",
        "2025-10-09 09:00 起暂停，预定至 2025-10-10 09:00（210102:15）",
        "工作时间 08:00-12:00、14:00-18:00",
        "不计时：2025-10-01 至 2025-10-08 国庆节、中秋节",
        "调休上班：2025-10-11",
        "已用 3 工作时，时限 2 个工作日",
        "到期 2025-10-11 16:00",
    ]


def test_a_restart_tells_both_rounds() -> None:
    told = lines("2025-10-16 10:00", "zh")
    assert "2025-10-15 09:00 停止计时（210102:20）" in told
    assert (
        told[told.index("2025-10-15 09:00 停止计时（210102:20）") + 1]
        == "2025-10-16 09:00 第 2 次计时，从零开始（210102:22）"
    )
    assert told[-2:] == ["已用 1 工作时，时限 2 个工作日", "到期 2025-10-20 09:00"]


def test_back_in_an_earlier_round_its_own_time_and_extension_count() -> None:
    marks = [
        *MARKS,
        Mark("stop", at("2025-10-16 11:00"), "210102:25"),
        Mark("resume", at("2025-10-17 09:00"), "210102:26", round=1),
    ]
    told = explain(clock_state(RULE, marks, CALENDAR, at("2025-10-17 10:00")), "en")
    assert "started anew 2025-10-16 09:00, round 2 (210102:22)" in told
    assert "went on with round 1 2025-10-17 09:00 (210102:26)" in told
    assert told[-3:] == ("used 4 work d 4 work h of 4 work d", "due 2025-10-14 16:00", "late, over by 4 work h")
    with pytest.raises(BadInput, match="round 3 of 2 that began"):
        clock_state(RULE, [*marks[:-1], replace(marks[-1], round=3)], CALENDAR, at("2025-10-17 10:00"))
    with pytest.raises(BadInput, match="only a resume goes on with an earlier round"):
        clock_state(RULE, [replace(MARKS[0], round=1)], CALENDAR, at("2025-10-17 10:00"))


def test_before_the_start_without_a_limit_and_in_a_year_without_data() -> None:
    assert lines("2025-09-30 15:00", "en") == ["not started"]
    start = [Mark("start", at("2027-03-01 08:00"), "210102:1")]
    free = explain(clock_state(RULE.with_limit(None), start, CALENDAR, at("2027-03-01 09:00")), "en")
    assert free[0].startswith("handling by the department: no limit, from dispatch")
    assert free[-1] == "used 1 h"
    warned = explain(clock_state(RULE, start, CALENDAR, at("2027-03-01 09:00")), "zh")
    assert warned[-1].startswith("注意：2027 年没有导入工作日历")
    paused = [*start, Mark("pause", at("2027-03-01 09:00"), "210102:2")]
    assert "paused: due once it goes on" in explain(clock_state(RULE, paused, CALENDAR, at("2027-03-01 09:00")), "en")


@pytest.mark.parametrize(
    ("seconds", "kind", "zh", "en"),
    [
        (0, "working", "0 分", "0 min"),
        (28_800 + 7200 + 61, "working", "1 个工作日 2 工作时 1 分 1 秒", "1 work d 2 work h 1 min 1 s"),
        (86_400 + 3600, "running", "1 天 1 小时", "1 d 1 h"),
    ],
)
def test_durations_in_words(seconds: int, kind: ClockKind, zh: str, en: str) -> None:
    assert (duration_text(seconds, kind, "zh"), duration_text(seconds, kind, "en")) == (zh, en)


def test_seconds_are_shown_where_there_are_some() -> None:
    assert local_text(at("2025-10-09 18:00") + 5 * SECOND) == "2025-10-09 18:00:05"
