"""What the desk registers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wanmi_casework.attached import UploadRow
from wanmi_casework.desk_actions import ACTIONS
from wanmi_casework.desk_keys import DeskKeyRow
from wanmi_casework.desk_timer import NAME, run_timer
from wanmi_casework.leaving import add_leaving

if TYPE_CHECKING:
    from fastapi import APIRouter

    from wanmi.registry import NodeContext, Registry


def add_desk(to: Registry) -> None:
    """The tables of keys and of uploads, the timer, the actions, rights and the HTTP routes."""
    to.tables(DeskKeyRow, UploadRow)
    to.task(NAME, run_timer)
    for name, (run, help) in ACTIONS.items():
        to.action(name, run, help=help)
    to.router("/api/v1", _routes)
    to.right(
        "task.decide", zh="认定任务回复", en="Decide on answers that wait", scope="", posts=("operator", "shift_leader"),
        tiers=("district",),
    )  # fmt: skip
    to.router("/api/v1", _task_routes)
    to.right(
        "track.read", zh="看轨迹与考勤", en="Read tracks and attendance", scope="evidence:read",
        posts=("shift_leader", "assessor", "supervisor", "administrator"), tiers=("district",),
    )  # fmt: skip
    to.router("/api/v1", _track_routes)
    add_leaving(to)
    to.router("/api/v1", _leaving_routes)


def _routes(node: NodeContext) -> APIRouter:
    from wanmi_casework.desk_api import desk_routes

    return desk_routes(node)


def _leaving_routes(node: NodeContext) -> APIRouter:
    from wanmi_casework.leaving_api import leaving_routes

    return leaving_routes(node)


def _task_routes(node: NodeContext) -> APIRouter:
    from wanmi_casework.task_api import task_routes

    return task_routes(node)


def _track_routes(node: NodeContext) -> APIRouter:
    from wanmi_casework.track_api import track_routes

    return track_routes(node)
