"""The handbooks' chapters on categories and limits: what is filed, when it is done, in what time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from wanmi.cases.table import StepTable
from wanmi.codes import CASE_KINDS, CaseKind, Category, Profile, TimeLimit
from wanmi.codes.resources import Lang
from wanmi.profiles.document import Block, Cell, Heading, Para, Table
from wanmi.profiles.words import say

__all__ = ["catalogue_blocks", "limit_blocks", "limit_words"]

MARKS = {"inferred": " △", "recalled": " ○"}
"""Set after a limit whose source was not seen; the last chapter tells what they say."""


def limit_words(profile: Profile, value: str | int, unit: str, lang: Lang) -> str:
    """A limit in words: `4 工作时`."""
    known = profile.units.get(unit)
    return f"{value} {unit if known is None else say(lang, known.zh, known.en)}"


def limit_blocks(profile: Profile, steps: StepTable, lang: Lang) -> Iterator[Block]:
    """How time is counted: units, the lights, the clocks of the stages."""
    yield Heading(1, say(lang, "时限", "Time limits"))
    yield Heading(2, say(lang, "时限单位", "Units"))
    how = {
        "running": say(lang, "连续计时，夜间、周末和节假日均计入", "runs on: nights, weekends and holidays count"),
        "working": say(
            lang,
            "只在工作时间内计时，节假日不计，调休上班日计入",
            "only working time counts; holidays do not, make-up workdays do",
        ),
    }
    rows = [
        (say(lang, one.zh, one.en), how[one.clock], _length(one.seconds, one.clock, lang))
        for one in profile.units.values()
    ]
    head = (say(lang, "单位", "Unit"), say(lang, "计时方式", "How it is counted"), say(lang, "长度", "Length"))
    yield Table(head, rows, (20, 58, 22))
    yield Para(say(
        lang,
        "时限用至各环节的黄灯线以内为绿灯，黄灯线至 100% 为黄灯，超过为红灯。挂账、缓办期间停止计时；每次批准延期增加一个原时限。",
        "Green up to the mark of each stage, yellow from there to 100 % of the limit, red beyond. The clock stands still while a case is "
        "suspended or deferred; every extension that is granted adds one original limit.",
    ))  # fmt: skip
    yield from _clock_blocks(profile, steps, lang)


def _clock_blocks(profile: Profile, steps: StepTable, lang: Lang) -> Iterator[Block]:
    yield Heading(2, say(lang, "环节时限", "Limits of the stages"))
    by_category = say(lang, "按类别（见类别表）", "by category (see the tables of categories)")
    clocks = [
        (
            say(lang, one.zh, one.en), say(lang, *steps.clock_told(name)),
            by_category if one.limit is None else limit_words(profile, one.limit.value, one.limit.unit, lang),
            say(lang, f"{one.yellow_after}%", f"{one.yellow_after} %"),
        )
        for name, one in steps.clocks.items()
    ]  # fmt: skip
    words = (("环节", "Stage"), ("计时", "What is counted"), ("时限", "Limit"), ("黄灯线", "Yellow from"))
    yield Table([say(lang, *word) for word in words], clocks, (16, 46, 24, 14))


def _length(seconds: int, clock: str, lang: Lang) -> str:
    day = 28_800 if clock == "working" else 86_400
    for size, zh, en in ((day, "天", "day"), (3600, "小时", "hour"), (60, "分钟", "minute")):
        if seconds % size == 0 and seconds >= size:
            hours = say(lang, "（8 小时）", " of 8 hours") if size == 28_800 else ""
            return f"{seconds // size} {say(lang, zh, en)}{hours}"
    return f"{seconds} {say(lang, '秒', 's')}"


def catalogue_blocks(profile: Profile, book: Literal["supervision", "command"], lang: Lang) -> Iterator[Block]:
    """A chapter for components and one for events: a table a class, each category with its conditions and limits."""
    for kind in CASE_KINDS:
        word = profile.label("kind", kind, lang)
        title = say(lang, f"{word}类别：立案条件、结案条件、时限", f"Categories of {word}s: filing, closing, limits")
        if book == "command":
            title = say(lang, f"{word}类别：处置要求与时限", f"Categories of {word}s: what is to be done by when")
        yield Heading(1, title, page=True)
        yield from _groups(profile, kind, lang)
        for major, major_zh in profile.catalogue.majors(kind):
            name = major_zh if lang == "zh" else profile.label(f"{kind}-major", major, "en")
            yield Heading(2, f"{major} {name}")
            members = [one for one in profile.catalogue.of_kind(kind) if one.major == major]
            yield _table([row for one in members for row in _rows(profile, one, lang)], lang)
        yield from _own_ranges(profile, kind, lang)


def _groups(profile: Profile, kind: CaseKind, lang: Lang) -> Iterator[Block]:
    for name, group in profile.groups.items():
        limits = [one for one in profile.time_limits if (one.kind, one.code) == (kind, name)]
        if group.kind != kind or not limits:
            continue
        yield Heading(2, say(lang, group.zh, group.en))
        codes = say(lang, "、", ", ").join(group.members)
        yield Para(say(lang, f"下列各项适用于 {codes}，与各类别自己的时限并列，由城市择一采用。",
                       f"These bear on {codes}, beside each category's own limits; the city chooses one of them."))  # fmt: skip
        yield _table(list(_limit_rows(profile, "—", say(lang, group.zh, group.en), limits, lang)), lang)


def _rows(profile: Profile, category: Category, lang: Lang) -> Iterator[Sequence[Cell]]:
    own = [one for one in profile.time_limits if (one.kind, one.code) == (category.kind, category.code)]
    name = profile.category_name(category, lang)
    if own:
        yield from _limit_rows(profile, category.code, name, own, lang)
        return
    grouped = any(category.code in group.members for group in profile.groups.values() if group.kind == category.kind)
    none = say(lang, "见上方分组", "see the group above") if grouped else say(lang, "未规定", "none set")
    yield (category.code, name, "", "", none)


def _limit_rows(
    profile: Profile, code: str, name: str, limits: Sequence[TimeLimit], lang: Lang
) -> Iterator[Sequence[Cell]]:
    for n, one in enumerate(limits):
        filing, closing = one.criteria(lang)
        limit = limit_words(profile, one.value, one.unit, lang) + MARKS.get(one.confidence, "")
        yield (code if n == 0 else None, name if n == 0 else None, filing, closing, limit)


def _table(rows: Sequence[Sequence[Cell]], lang: Lang) -> Table:
    head = (
        say(lang, "代码", "Code"),
        say(lang, "小类", "Category"),
        say(lang, "立案条件", "File when"),
        say(lang, "结案条件", "Close when"),
        say(lang, "处置时限", "Limit"),
    )
    return Table(head, rows, (9, 19, 31, 25, 16), fixed=(0,))


def _own_ranges(profile: Profile, kind: CaseKind, lang: Lang) -> Iterator[Block]:
    own = [one for one in profile.catalogue.extensions if one.kind == kind]
    if not own:
        return
    ranges = say(lang, "、", ", ").join(
        f"{one.major}{one.first}–{one.major}{one.last}" if one.first else f"{one.major}xx" for one in own
    )
    yield Para(
        say(lang, f"城市自定类别使用的代码段：{ranges}。", f"Codes for a city's own categories: {ranges}."), note=True
    )
