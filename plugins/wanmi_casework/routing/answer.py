"""What routing answers: the route, the rules that came near and why they did not win, and lines that tell it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from wanmi_casework.routing.book import Candidate, Spot
from wanmi_casework.routing.conditions import ANYWHERE, RESPONSIBILITY, Facts, Moment
from wanmi_casework.routing.kinds import AreaClass, LimitUnit

Reason = Literal[
    "not_begun", "ended", "area", "source", "hours", "season", "no_responsibility", "no_department", "less_specific",
    "later_order", "elsewhere",
]  # fmt: skip

UNITS: dict[str, tuple[str, str]] = {
    "urgent_hour": ("紧急工作时", "urgent hours"),
    "work_hour": ("工作时", "working hours"),
    "work_day": ("工作日", "working days"),
    "natural_day": ("自然日", "natural days"),
}
_REASONS: dict[Reason, tuple[str, str]] = {
    "not_begun": ("{wanted} 起才生效", "begins only on {wanted}"),
    "ended": ("{wanted} 起已失效", "no longer in force since {wanted}"),
    "area": ("限 {wanted} 类区域，此处为 {got}", "is for area class {wanted}, here it is {got}"),
    "source": ("限来源 {wanted}，此案来自 {got}", "is for source {wanted}, this comes from {got}"),
    "hours": ("限时段 {wanted}，当时 {got}", "is for {wanted}, it was {got}"),
    "season": ("限季节 {wanted}，当日 {got}", "is for {wanted}, it was {got}"),
    "no_responsibility": (
        "派给责任网格的部门，此处无责任网格",
        "gives it to the responsibility grid, there is none here",
    ),
    "no_department": ("部门 {wanted} 当日不在册", "department {wanted} was not in force that day"),
    "less_specific": ("不如规则 {wanted} 具体", "less specific than rule {wanted}"),
    "later_order": ("次序在规则 {wanted} 之后", "comes after rule {wanted} in order"),
    "elsewhere": ("限地点 {wanted}，此处 {got}", "is for {wanted}, this is at {got}"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an explanation in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Limit:
    """A time limit for handling; ``area_class`` is the class of the place that it was chosen for."""

    value: int
    unit: LimitUnit
    area_class: AreaClass | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A department that a rule names (with ``@``: by a responsibility grid), with its helpers."""

    rule: str
    responsibility: str | None
    department: str
    helpers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A rule that bears on the category and did not win: why, what it wants, what there was."""

    rule: str
    reason: Reason
    wanted: str = ""
    got: str = ""

    @property
    def line(self) -> Line:
        """The reason in words."""
        zh, en = _REASONS[self.reason]
        said = {"wanted": self.wanted, "got": self.got or "-"}
        return Line(f"规则 {self.rule}：{zh.format(**said)}", f"rule {self.rule}: {en.format(**said)}")


@dataclass(frozen=True, slots=True)
class Route:
    """The answer. ``rule`` gave the department, ``limit_rule`` and ``collector_by`` name who gave the others.

    ``department`` is None when no rule fits, or when it is ``contested``: then several claims of equal rank are there
    and an arbiter decides. ``version`` is the data that was asked (``origin:seq``), ``at`` the time (µs UTC).
    ``arbitrated`` is the entry of the arbiter's decision, where one stands for the case.
    """

    facts: Facts
    at: int
    version: str
    department: str | None
    helpers: tuple[str, ...]
    collector: str | None
    limit: Limit | None
    rule: str | None
    limit_rule: str | None
    collector_by: str | None
    contested: tuple[Claim, ...]
    rejected: tuple[NearMiss, ...]
    responsibility: tuple[str, ...]
    arbitrated: str | None = None
    winner: Candidate | None = field(default=None, repr=False)
    moment: Moment | None = field(default=None, repr=False)
    spot: Spot | None = field(default=None, repr=False)

    @property
    def why(self) -> tuple[Line, ...]:
        """The explanation, line by line: what was asked, which rule won and how, what it gives, what it is based on."""
        return tuple(_why(self))


def _why(route: Route) -> list[Line]:
    day = route.moment.day if route.moment else ""
    clock = route.moment.clock if route.moment else ""
    asked = (
        f"{route.facts.kind}:{route.facts.category} @ {route.facts.place or '-'}, {day} {clock}, {route.facts.source}"
    )
    lines = [Line(f"所问：{asked}", f"asked: {asked}")]
    if route.arbitrated is not None:
        lines.append(Line(f"裁定：{route.department}（条目 {route.arbitrated}）", f"arbitrated: {route.department} (entry {route.arbitrated})"))  # fmt: skip
    if route.winner is None:
        lines.append(Line("没有适用的规则给出部门", "no rule in force gives a department"))
    else:
        lines.append(_matched(route.winner))
        lines += _department_lines(route)
    lines += _other_lines(route)
    version = route.version or "-"
    return [*lines, Line(f"依据数据版本 {version}", f"by routing data {version}")]


def _matched(winner: Candidate) -> Line:
    rule = winner.rule
    zh, en = [f"类别 {winner.pattern}"], [f"category {winner.pattern}"]
    if winner.place == ANYWHERE:
        zh.append("不限地点")
        en.append("anywhere")
    elif winner.place.startswith(RESPONSIBILITY):
        zh.append(f"责任网格 {winner.place[2:]}")
        en.append(f"responsibility grid {winner.place[2:]}")
    else:
        zh.append(f"地点 {winner.place}")
        en.append(f"place {winner.place}")
    for word_zh, word_en, values in (
        ("区域类别", "area class", [rule.area_class] if rule.area_class else []),
        ("来源", "source", rule.sources),
        ("时段", "hours", rule.hours),
        ("季节", "season", rule.seasons),
    ):
        if values:
            zh.append(f"{word_zh} {'、'.join(values)}")
            en.append(f"{word_en} {', '.join(values)}")
    mark_zh, mark_en = ("（示意）", " (schematic)") if rule.schematic else ("", "")
    return Line(f"规则 {rule.id}{mark_zh} 适用：{'，'.join(zh)}", f"rule {rule.id}{mark_en} matches: {', '.join(en)}")


def _department_lines(route: Route) -> list[Line]:
    if route.contested and route.arbitrated is None:
        zh = "；".join(f"规则 {one.rule} → {one.department}" for one in route.contested)
        en = "; ".join(f"rule {one.rule} -> {one.department}" for one in route.contested)
        return [Line(f"争议：同等具体的规则给出不同部门（{zh}），待裁定", f"contested: rules of equal rank differ ({en}); to be arbitrated")]  # fmt: skip
    helpers_zh = f"，协办 {'、'.join(route.helpers)}" if route.helpers else ""
    helpers_en = f", helped by {', '.join(route.helpers)}" if route.helpers else ""
    return [Line(f"部门：{route.department}{helpers_zh}", f"department: {route.department}{helpers_en}")]


def _other_lines(route: Route) -> list[Line]:
    lines = []
    if route.limit is not None:
        zh, en = UNITS[route.limit.unit]
        area = f" [{route.limit.area_class}]" if route.limit.area_class else ""
        lines.append(Line(
            f"时限：{route.limit.value} {zh}{area}（规则 {route.limit_rule}）",
            f"limit: {route.limit.value} {en}{area} (rule {route.limit_rule})",
        ))  # fmt: skip
    if route.collector is not None:
        lines.append(Line(
            f"采集员：{route.collector}（{route.collector_by}）", f"collector: {route.collector} ({route.collector_by})"
        ))  # fmt: skip
    return lines
