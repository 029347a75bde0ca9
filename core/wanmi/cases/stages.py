"""The seven stages of a case, after 沈政办发[2009]73号: 信息收集, 案卷建立, 任务派遣, 任务处理, 处理反馈, 核实结案, 综合评价."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """One of the seven stages of a case."""

    id: str
    zh: str
    en: str


STAGES: tuple[Stage, ...] = (
    Stage("collect", "信息收集", "Collection"),
    Stage("file", "案卷建立", "Filing"),
    Stage("dispatch", "任务派遣", "Dispatch"),
    Stage("handle", "任务处理", "Handling"),
    Stage("feedback", "处理反馈", "Feedback"),
    Stage("close", "核实结案", "Check and close"),
    Stage("evaluate", "综合评价", "Evaluation"),
)
FIRST_STAGE = STAGES[0].id
FIRST_STATE = "reported"
OPENING_CLOCK = {"collect": "accept", "dispatch": "dispatch"}
"""The clock that runs from a case's opening, by the stage that it is opened at."""
