"""HTTP: scenes, their calls, and which scene has which display. Times µs UTC, coordinates 1e-7 degree WGS-84."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from wanmi.registry import NodeContext
from wanmi.web.bounds import E7, Count, Id, Whole, Words
from wanmi.web.callers import Reading, needs
from wanmi_edge.scenes.book import Place, SceneBook
from wanmi_edge.scenes.rows import SceneSet, Trigger
from wanmi_edge.scenes.stage import Stage
from wanmi_edge.scenes.views import CallView, HeldView, SceneView, view_call, view_held, view_scene, view_scenes

Name = Annotated[str, Path(min_length=1, max_length=40, description="the scene's name")]


Names = Annotated[list[Id], Field(max_length=200)]
"""Devices, kinds, rules … by their names."""


@dataclass(frozen=True)
class TriggerIn:
    """What calls the scene: ``on`` is alarm, power, event or hand; an empty list stands for any."""

    on: Id
    devices: Names = field(default_factory=list)
    kinds: Names = field(default_factory=list)
    rules: Names = field(default_factory=list)
    severities: Names = field(default_factory=list)
    states: Names = field(default_factory=list)
    events: Names = field(default_factory=list)


@dataclass(frozen=True)
class SceneIn:
    """A scene as it shall stand."""

    trigger: TriggerIn
    displays: Names
    zh: Words = ""
    en: Words = ""
    enabled: bool = True
    priority: Whole = 50
    power_on: bool = True
    input: Id = ""
    page: Words = ""
    minutes: Count = 0


@dataclass(frozen=True)
class CallIn:
    """A call by hand: why, where, and for how many minutes (null: the scene's own)."""

    why: Words = ""
    lon_e7: E7 | None = None
    lat_e7: E7 | None = None
    ref: Id = ""
    minutes: Count | None = None


@dataclass(frozen=True)
class EventIn:
    """Something that happened elsewhere (``case.pressed``): where, its number, how grave (notice, warning, critical)."""

    event: Id
    why: Words = ""
    lon_e7: E7 | None = None
    lat_e7: E7 | None = None
    ref: Id = ""
    severity: Id = "notice"


@dataclass(frozen=True)
class ScenesOut:
    """Every scene, and every display that scenes had."""

    as_of: int
    scenes: list[SceneView]
    displays: list[HeldView]


@dataclass(frozen=True)
class CallsOut:
    """What was called."""

    calls: list[CallView]


@dataclass(frozen=True)
class EndedOut:
    """How many calls were ended."""

    ended: int


def build_api(node: NodeContext, stage: Stage) -> APIRouter:
    """The routes under /api/v1."""
    router = APIRouter(tags=["scenes"])
    _standing(router, node, stage)
    _calling(router, node)
    return router


def _standing(router: APIRouter, node: NodeContext, stage: Stage) -> None:
    book = SceneBook(node)

    @router.get("/scenes")
    @needs("device.read")
    def every() -> ScenesOut:
        """Scenes with the calls that stand; displays with the scene that has them, and why."""
        return ScenesOut(node.clock.now(), view_scenes(node), view_held(node, stage))

    @router.put("/scenes/{scene}")
    @needs("device.change")
    def put(caller: Reading, scene: Name, ask: SceneIn) -> SceneView:
        """Set a scene."""
        return view_scene(book.keep(scene_of(scene, ask), caller.actor.id), [])

    @router.delete("/scenes/{scene}")
    @needs("device.change")
    def remove(caller: Reading, scene: Name, reason: Annotated[str, Query(max_length=500)] = "") -> SceneView:
        """Take a scene away; the displays that it has go back."""
        view = view_scene(book.get(scene), [])
        book.remove(scene, reason, caller.actor.id)
        return view


def _calling(router: APIRouter, node: NodeContext) -> None:
    book = SceneBook(node)

    @router.post("/scenes/events")
    @needs("device.change")
    def event(caller: Reading, ask: EventIn) -> CallsOut:
        """Tell of an event; the scenes that wait for it are called."""
        place = Place(ask.lon_e7, ask.lat_e7, ask.ref)
        calls = book.tell_event(ask.event, ask.why, place, caller.actor.id, ask.severity)
        return CallsOut([view_call(one) for one in calls])

    @router.post("/scenes/{scene}/calls")
    @needs("device.change")
    def call(caller: Reading, scene: Name, ask: CallIn) -> CallView:
        """Call a scene by hand."""
        place = Place(ask.lon_e7, ask.lat_e7, ask.ref)
        return view_call(book.call(scene, ask.why, place, ask.minutes, caller.actor.id))

    @router.delete("/scenes/{scene}/calls")
    @needs("device.change")
    def end(caller: Reading, scene: Name) -> EndedOut:
        """End every call of a scene, whatever called it."""
        return EndedOut(book.end(scene, caller.actor.id))


def scene_of(name: str, ask: SceneIn) -> SceneSet:
    """The body of an entry; BadInput for words that it does not know."""
    import msgspec

    from wanmi.errors import BadInput

    try:
        trigger = msgspec.convert(vars(ask.trigger), Trigger)
    except msgspec.ValidationError as error:
        raise BadInput(f"scene {name}: trigger: {error}") from None
    return SceneSet(
        scene=name, zh=ask.zh or name, en=ask.en or name, enabled=ask.enabled, priority=ask.priority, trigger=trigger,
        displays=ask.displays, power_on=ask.power_on, input=ask.input, page=ask.page, minutes=ask.minutes,
    )  # fmt: skip
