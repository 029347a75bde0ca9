"""What scenes bring to the registry: entries, the reactor, the stage, actions, routes, commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from wanmi.errors import BadInput
from wanmi.registry import AdminResult, NodeContext, Progress, Registry
from wanmi_edge.devices.devices import Devices
from wanmi_edge.scenes.book import Place, SceneBook
from wanmi_edge.scenes.rows import SceneSet, Trigger, register_scenes
from wanmi_edge.scenes.stage import Stage
from wanmi_edge.scenes.views import view_call, view_held, view_scene, view_scenes
from wanmi_edge.scenes.watch import KINDS, watch_scenes

if TYPE_CHECKING:
    import typer
    from fastapi import APIRouter

Args = Mapping[str, Any]
Items = Iterator[Progress | AdminResult]
T = TypeVar("T")


class _Set(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scene as a file says it."""

    scene: str
    displays: list[str]
    trigger: Trigger
    zh: str = ""
    en: str = ""
    enabled: bool = True
    priority: int = 50
    power_on: bool = True
    input: str = ""
    page: str = ""
    minutes: int = 0


class _Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    scene: str = ""
    event: str = ""
    why: str = ""
    lon_e7: int | None = None
    lat_e7: int | None = None
    ref: str = ""
    minutes: int | None = None
    reason: str = ""


def add_scenes(to: Registry, devices: Devices) -> Stage:
    """Everything of scenes, on the stage of these devices."""
    stage = Stage(devices)
    register_scenes(to)
    to.reactor("edge.scenes", kinds=KINDS, decide=watch_scenes)
    to.task("edge.scenes", stage.run)
    for name, run, help in (
        ("scene.list", partial(_list, stage), "scenes, their calls, and which has which display"),
        ("scene.set", _set, "set a scene"),
        ("scene.remove", _remove, "take a scene away"),
        ("scene.call", _call, "call a scene by hand"),
        ("scene.end", _end, "end every call of a scene"),
        ("scene.event", _event, "tell of an event that scenes wait for"),
    ):
        to.action(name, run, help=help)
    to.router("/api/v1", partial(_routes, stage))
    to.command("scene", _commands, help="Scenes: what displays show when something happens.")
    return stage


def _list(stage: Stage, node: NodeContext, _args: Args) -> Items:
    scenes = [msgspec.to_builtins(one) for one in view_scenes(node)]
    yield {"scenes": scenes, "displays": [msgspec.to_builtins(one) for one in view_held(node, stage)]}


def _set(node: NodeContext, args: Args) -> Items:
    ask = _read(args, _Set)
    body = SceneSet(**{**msgspec.structs.asdict(ask), "zh": ask.zh or ask.scene, "en": ask.en or ask.scene})
    yield msgspec.to_builtins(view_scene(SceneBook(node).keep(body, None), []))


def _remove(node: NodeContext, args: Args) -> Items:
    ask = _read(args, _Call)
    SceneBook(node).remove(ask.scene, ask.reason, None)
    yield {"removed": ask.scene}


def _call(node: NodeContext, args: Args) -> Items:
    ask = _read(args, _Call)
    call = SceneBook(node).call(ask.scene, ask.why, Place(ask.lon_e7, ask.lat_e7, ask.ref), ask.minutes, None)
    yield msgspec.to_builtins(view_call(call))


def _end(node: NodeContext, args: Args) -> Items:
    yield {"ended": SceneBook(node).end(_read(args, _Call).scene, None)}


def _event(node: NodeContext, args: Args) -> Items:
    ask = _read(args, _Call)
    calls = SceneBook(node).tell_event(ask.event, ask.why, Place(ask.lon_e7, ask.lat_e7, ask.ref), None)
    yield {"calls": [msgspec.to_builtins(view_call(one)) for one in calls]}


def _read(args: Args, shape: type[T]) -> T:
    try:
        return msgspec.convert(dict(args), shape)
    except msgspec.ValidationError as error:
        raise BadInput(f"scene: {error}") from None


def _routes(stage: Stage, node: NodeContext) -> APIRouter:
    from wanmi_edge.scenes.api import build_api

    return build_api(node, stage)


def _commands() -> typer.Typer:
    from wanmi_edge.scenes.cli import app

    return app
