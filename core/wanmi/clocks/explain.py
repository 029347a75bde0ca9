"""A clock told in lines: the rule, when it started, paused and was extended, which days did not count, when it is due."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Final

from wanmi.calendar import OFFSET_US, ClockKind, local_day
from wanmi.clock import SECOND
from wanmi.clocks.marks import Interval
from wanmi.clocks.state import ClockState
from wanmi.codes import Lang

__all__ = ["duration_text", "explain", "local_text"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WORDS: Final[Mapping[Lang, Mapping[str, str]]] = MappingProxyType(
    {
        "zh": {
            "rule": "{name}时限 {limit}：{rule}（依据：{source}）",
            "no_limit": "{name}不设时限：{rule}（依据：{source}）",
            "hours": "工作时间 {hours}",
            "idle": "尚未开始计时",
            "started": "{at} 开始计时（{source}）",
            "again": "{at} 继续计时（{source}）",
            "restarted": "{at} 第 {round} 次计时，从零开始（{source}）",
            "back": "{at} 接续第 {round} 次计时（{source}）",
            "paused": "{at} 至 {end} 暂停（{source}，{end_source}）",
            "pausing": "{at} 起暂停（{source}）",
            "pausing_until": "{at} 起暂停，预定至 {until}（{source}）",
            "stopped": "{at} 停止计时（{source}）",
            "extended": "{at} 延期，增加 {seconds}（{source}）",
            "off": "不计时：{days}",
            "weekends": "周末 {n} 天",
            "made_up": "调休上班：{days}",
            "used": "已用 {elapsed}，时限 {limit}",
            "used_only": "已用 {elapsed}",
            "due": "到期 {at}",
            "due_open": "暂停中，恢复后再定到期时间",
            "late": "已超期，超出 {overdue}",
            "warn": "注意：{text}",
            "span": "{start} 至 {end} {name}",
            "one": "{start} {name}",
            "and": "、",
            "list": "；",
        },
        "en": {
            "rule": "{name}: limit {limit}, {rule} (from: {source})",
            "no_limit": "{name}: no limit, {rule} (from: {source})",
            "hours": "working hours {hours}",
            "idle": "not started",
            "started": "started {at} ({source})",
            "again": "went on {at} ({source})",
            "restarted": "started anew {at}, round {round} ({source})",
            "back": "went on with round {round} {at} ({source})",
            "paused": "paused {at} to {end} ({source}, {end_source})",
            "pausing": "paused since {at} ({source})",
            "pausing_until": "paused since {at}, to end {until} ({source})",
            "stopped": "stopped {at} ({source})",
            "extended": "extended {at} by {seconds} ({source})",
            "off": "days that do not count: {days}",
            "weekends": "weekend days: {n}",
            "made_up": "make-up workdays: {days}",
            "used": "used {elapsed} of {limit}",
            "used_only": "used {elapsed}",
            "due": "due {at}",
            "due_open": "paused: due once it goes on",
            "late": "late, over by {overdue}",
            "warn": "note: {text}",
            "span": "{start} to {end} {name}",
            "one": "{start} {name}",
            "and": ", ",
            "list": "; ",
        },
    }
)
_UNITS: Final[Mapping[ClockKind, Mapping[Lang, tuple[str, str, str, str]]]] = {
    "working": {"zh": (" 个工作日", " 工作时", " 分", " 秒"), "en": (" work d", " work h", " min", " s")},
    "running": {"zh": (" 天", " 小时", " 分", " 秒"), "en": (" d", " h", " min", " s")},
}
_DAY_SECONDS: Final[Mapping[ClockKind, int]] = {"working": 28_800, "running": 86_400}


@dataclass(frozen=True)
class _OffDays:
    """Days in a row that do not count and bear a name."""

    first: date
    last: date
    names: tuple[str, ...]


def explain(state: ClockState, lang: Lang = "zh") -> tuple[str, ...]:
    """The lines, in the order of a reader's questions; local time, and the entry behind each turn in brackets."""
    return tuple(_lines(state, lang))


def local_text(at: int) -> str:
    """Local time to the minute, with seconds where there are some: `2025-10-09 18:00`."""
    local = _EPOCH + timedelta(seconds=(at + OFFSET_US) // SECOND)
    return local.strftime("%Y-%m-%d %H:%M:%S" if local.second else "%Y-%m-%d %H:%M")


def duration_text(seconds: int, kind: ClockKind, lang: Lang) -> str:
    """`1 个工作日 2 工作时`, `1 d 2 h`: a work day has eight hours."""
    days, rest = divmod(seconds, _DAY_SECONDS[kind])
    parts = (days, rest // 3600, rest % 3600 // 60, rest % 60)
    named = [f"{n}{unit}" for n, unit in zip(parts, _UNITS[kind][lang], strict=True) if n]
    return " ".join(named) or f"0{_UNITS[kind][lang][2]}"


def _lines(state: ClockState, lang: Lang) -> Iterator[str]:
    words, rule = _WORDS[lang], state.rule
    of_rule = {"name": rule.name(lang), "rule": rule.rule(lang), "source": rule.source}
    if rule.limit is None:
        yield words["no_limit"].format(**of_rule)
    else:
        yield words["rule"].format(limit=rule.limit.text(lang), **of_rule)
    if not state.intervals:
        yield words["idle"]
        return
    yield from _turns(state, lang)
    if state.kind == "working":
        yield from _calendar_lines(state, lang)
    yield from _result(state, lang)
    yield from (words["warn"].format(text=warning.text(lang)) for warning in state.warnings)


def _turns(state: ClockState, lang: Lang) -> Iterator[str]:
    told = [(one.start, n, _turn(state, n, lang)) for n, one in enumerate(state.intervals)]
    for extension in state.extensions:
        seconds = extension.seconds or (state.rule.limit.seconds if state.rule.limit else 0)
        added = duration_text(seconds, state.kind, lang)
        text = _WORDS[lang]["extended"].format(at=local_text(extension.at), seconds=added, source=extension.source)
        told.append((extension.at, len(told), text))
    for one, after in zip(state.intervals, (*state.intervals[1:], None), strict=True):
        if one.end is not None and (after is None or after.source != one.end_source):
            text = _WORDS[lang]["stopped"].format(at=local_text(one.end), source=one.end_source)
            told.append((one.end, -1, text))
    yield from (text for _, _, text in sorted(told))


def _turn(state: ClockState, n: int, lang: Lang) -> str:
    one = state.intervals[n]
    before = state.intervals[n - 1] if n else None
    key = _paused_key(one) if one.kind == "paused" else _started_key(one, before)
    return _WORDS[lang][key].format(
        at=local_text(one.start), round=one.round, source=one.source, end_source=one.end_source,
        end="" if one.end is None else local_text(one.end), until="" if one.until is None else local_text(one.until),
    )  # fmt: skip


def _started_key(one: Interval, before: Interval | None) -> str:
    if before is None:
        return "started"
    if before.round > one.round:
        return "back"
    return "restarted" if before.round != one.round else "again"


def _paused_key(one: Interval) -> str:
    if one.end is not None:
        return "paused"
    return "pausing" if one.until is None else "pausing_until"


def _calendar_lines(state: ClockState, lang: Lang) -> Iterator[str]:
    words = _WORDS[lang]
    start, end = _window(state)
    yield words["hours"].format(hours=state.calendar.hours_of(local_day(start).year).text.replace(",", words["and"]))
    named, weekends, made_up = _off_days(state, start, end, lang)
    off = [
        words["one" if one.first == one.last else "span"].format(
            start=one.first, end=one.last, name=words["and"].join(one.names)
        )
        for one in named
    ]
    if weekends:
        off.append(words["weekends"].format(n=weekends))
    if off:
        yield words["off"].format(days=words["list"].join(off))
    if made_up:
        yield words["made_up"].format(days=words["and"].join(map(str, made_up)))


def _window(state: ClockState) -> tuple[int, int]:
    """The present round, to its end or, if that is later, its deadline."""
    of_round = [one for one in state.intervals if one.round == state.round]
    end = of_round[-1].end
    last = state.as_of if end is None else end
    return of_round[0].start, last if end is not None or state.deadline is None else max(last, state.deadline)


def _off_days(state: ClockState, start: int, end: int, lang: Lang) -> tuple[list[_OffDays], int, list[date]]:
    named: list[_OffDays] = []
    weekends, made_up = 0, []
    for day, worked, listed in state.calendar.days(start, end):
        if worked:
            if day.weekday() > 4:
                made_up.append(day)
        elif listed is None or not listed.name:
            weekends += 1
        else:
            _add_off(named, day, state.calendar.name_of(listed, lang))
    return named, weekends, made_up


def _add_off(named: list[_OffDays], day: date, name: str) -> None:
    if named and named[-1].last == day - timedelta(days=1):
        before = named[-1]
        names = before.names if name in before.names else (*before.names, name)
        named[-1] = _OffDays(before.first, day, names)
    else:
        named.append(_OffDays(day, day, (name,)))


def _result(state: ClockState, lang: Lang) -> Iterator[str]:
    words = _WORDS[lang]
    elapsed = duration_text(state.elapsed_s, state.kind, lang)
    if state.limit_s is None:
        yield words["used_only"].format(elapsed=elapsed)
        return
    yield words["used"].format(elapsed=elapsed, limit=duration_text(state.limit_s, state.kind, lang))
    yield words["due_open"] if state.deadline is None else words["due"].format(at=local_text(state.deadline))
    if state.late:
        yield words["late"].format(overdue=duration_text(state.overdue_s, state.kind, lang))
