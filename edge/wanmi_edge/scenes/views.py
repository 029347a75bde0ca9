"""Scenes as people see them: which stand, what called them, which display is held by which and why."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from wanmi.models import table
from wanmi.registry import NodeContext
from wanmi_edge.scenes.book import SceneBook
from wanmi_edge.scenes.plan import Call
from wanmi_edge.scenes.rows import SceneSet, SceneShownRow
from wanmi_edge.scenes.stage import Stage


@dataclass(frozen=True)
class CallView:
    """A call that stands; times µs UTC, ``until`` 0: until it is over."""

    key: str
    why: str
    page: str
    called_at: int
    until: int


@dataclass(frozen=True)
class SceneView:
    """A scene, and the calls of it that stand."""

    name: str
    zh: str
    en: str
    enabled: bool
    priority: int
    on: str
    displays: list[str]
    input: str
    page: str
    minutes: int
    calls: list[CallView]


@dataclass(frozen=True)
class HeldView:
    """A display and the scene that has it. ``state``: waiting, shown, failed, back; ``reason`` why."""

    display: str
    scene: str
    key: str
    state: str
    reason: str
    page: str
    input: str


def view_scenes(node: NodeContext) -> list[SceneView]:
    """Every scene, by priority and name."""
    book = SceneBook(node)
    calls = book.calls()
    views = [
        view_scene(kept.scene, [one for one in calls if one.scene == name]) for name, kept in book.scenes().items()
    ]
    return sorted(views, key=lambda one: (-one.priority, one.name))


def view_scene(scene: SceneSet, calls: list[Call]) -> SceneView:
    """One scene with its calls."""
    return SceneView(
        scene.scene, scene.zh, scene.en, scene.enabled, scene.priority, scene.trigger.on, scene.displays, scene.input,
        scene.page, scene.minutes, [view_call(one) for one in calls],
    )  # fmt: skip


def view_call(call: Call) -> CallView:
    """A call."""
    return CallView(call.key, call.why, call.page, call.called_at, call.until)


def view_held(node: NodeContext, stage: Stage) -> list[HeldView]:
    """Every display that a scene ever had: how it is now, else how it was told last."""
    row = table(SceneShownRow)
    columns = (row.c.display, row.c.scene, row.c.key, row.c.state, row.c.reason, row.c.page, row.c.input)
    with node.store.reader() as tx:
        views = {
            found.display: HeldView(*found) for found in tx.execute(select(*columns).where(row.c.edge == node.code))
        }
    for display, one in list(stage.holdings.items()):
        goal = one.goal
        why = one.reason or goal.why
        views[display] = HeldView(display, goal.scene, goal.key, one.state, why, goal.page, goal.input)
    return [views[display] for display in sorted(views)]
