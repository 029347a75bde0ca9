"""What an exported case consists of: one list of columns for every format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from wanmi.query.cases import CaseLine
from wanmi.query.naming import CaseNames

Shape = Literal["text", "count", "time"]
Value = str | int | None


@dataclass(frozen=True)
class Column:
    """A column: its name for programs, its heading for people, what shape its values have (``time``: µs UTC)."""

    name: str
    zh: str
    shape: Shape
    of: Callable[[CaseLine], Value]


def case_columns(names: CaseNames) -> tuple[Column, ...]:
    """The columns of a case without its place; every case is named by the version that it was opened under."""
    return (
        *_what(names),
        Column("department", "责任部门", "text", lambda one: one.department),
        Column("collector", "采集员", "text", lambda one: one.collector),
        Column("source", "来源", "text", lambda one: one.source),
        Column("terminal", "终端", "text", lambda one: one.terminal),
        Column("report_id", "上报编号", "text", lambda one: one.report_id),
        *_when(),
        Column("overdue", "超时次数", "count", lambda one: one.overdue),
        Column("requests", "待批申请", "count", lambda one: one.requests),
        Column("merged_into", "并入案卷", "text", lambda one: one.merged_into),
        Column("similar", "疑似重复", "text", lambda one: " ".join(one.similar)),
        Column("version", "版本", "count", lambda one: one.version),
    )


def _what(names: CaseNames) -> tuple[Column, ...]:
    return (
        Column("number", "案卷编号", "text", lambda one: one.number),
        Column("owner", "主办节点", "text", lambda one: one.owner),
        Column("district", "区", "text", lambda one: one.district),
        Column("community", "社区", "text", lambda one: one.community),
        Column("grid", "单元网格", "text", lambda one: one.grid),
        Column("kind", "类型", "text", lambda one: one.kind),
        Column("kind_name", "类型名称", "text", names.kind),
        Column("category", "小类代码", "text", lambda one: one.category),
        Column("category_name", "小类", "text", names.category),
        Column("category_now", "现行小类", "text", names.now),
        Column("profile", "适用方案", "text", lambda one: one.profile),
        Column("component", "部件编码", "text", lambda one: one.component),
        Column("stage", "阶段", "text", lambda one: one.stage),
        Column("state", "状态", "text", lambda one: one.state),
        Column("state_name", "状态名称", "text", names.state),
    )


def _when() -> tuple[Column, ...]:
    return (
        Column("reported_at", "上报时间", "time", lambda one: one.reported_at),
        Column("opened_at", "建卷时间", "time", lambda one: one.opened_at),
        Column("filed_at", "立案时间", "time", lambda one: one.filed_at),
        Column("deadline", "截止时间", "time", lambda one: one.deadline),
        Column("closed_at", "结案时间", "time", lambda one: one.closed_at),
        Column("changed_at", "更新时间", "time", lambda one: one.changed_at),
    )
