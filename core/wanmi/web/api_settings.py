"""/api/v1: settings and plugins for administrators: the node's own, and those that a district orders of its edges.

What changes is tried, journaled, and holds at the next start, which the node makes in place when it is asked to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from wanmi.errors import BadInput, SettingsError
from wanmi.registry import AdminResult, NodeContext
from wanmi.settings import toml_value
from wanmi.settings_kinds import LEAST_PROBATION, MOST_CHANGES, MOST_PROBATION, PROBATION, Shown
from wanmi.web.bounds import Id, Whole, Words
from wanmi.web.callers import Caller, Reading, needs

Fraction = Annotated[float, Field(ge=-1e12, le=1e12)]
Items = Annotated[list[Words | Whole], Field(max_length=200)]


Setting = bool | Whole | Fraction | Words | Items


class SettingIn(BaseModel):
    """A setting's new value."""

    model_config = ConfigDict(extra="forbid")

    value: Setting


class SettingChangeIn(BaseModel):
    """A setting of an edge, named as ``link.parent``: what it must be now (null: not set), and what it becomes."""

    model_config = ConfigDict(extra="forbid")

    key: Id
    old: Setting | None
    new: Setting


class SettingsOrderIn(BaseModel):
    """A change of an edge's settings, all of them or none. ``probation``: seconds in which its uplink has to come back,
    else it takes the change back. ``expires_in``: seconds after which it begins the change no more.
    """

    model_config = ConfigDict(extra="forbid")

    edge: Id
    changes: Annotated[list[SettingChangeIn], Field(min_length=1, max_length=MOST_CHANGES)]
    probation: Annotated[int, Field(ge=LEAST_PROBATION, le=MOST_PROBATION)] = PROBATION
    expires_in: Annotated[int, Field(ge=60, le=30 * 86_400)] = 86_400


class SettingChangeOut(BaseModel):
    """One setting of an ordered change."""

    key: str
    old: Any
    new: Any


class SettingsOrderOut(BaseModel):
    """An ordered change and how far the edge is with it; times µs UTC.

    ``state``: ordered, lapsed (nothing was heard of it in time), staged, tried (the edge waits for the uplink), then
    confirmed, refused or rolled_back, with the reason.
    """

    change: str
    district: str
    edge: str
    changes: list[SettingChangeOut]
    probation: int
    expires_at: int
    ordered_at: int
    ordered_by: str | None
    state: Shown
    state_at: int | None
    reason: str


class RestartOut(BaseModel):
    """Whether the node begins anew now; it does not where it is only open and does not run."""

    restarts: bool


class PluginIn(BaseModel):
    """Whether the node is to start with the plugin."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool


class SettingsOut(BaseModel):
    """The settings that the node was opened with, by section; a secret that is set is shown as ``(set, not shown)``."""

    settings: dict[str, Any]


class PluginOut(BaseModel):
    """A plugin that is installed, and whether the node was opened with it."""

    name: str
    enabled: bool


class SettingChanged(BaseModel):
    """A setting that was written to the node's file."""

    key: str
    holds: str


class PluginChanged(BaseModel):
    """A plugin that was switched in the node's file."""

    plugin: str
    enabled: bool
    holds: str


def settings_routes(node: NodeContext) -> APIRouter:
    """Routes under /api/v1/settings and /api/v1/plugins."""
    router = APIRouter(tags=["settings"])

    @router.get("/settings")
    @needs("settings.change")
    def settings(_caller: Reading) -> SettingsOut:
        """The settings that the node was opened with; secrets are not shown."""
        return SettingsOut.model_validate(_act(node, "settings.show", {}))

    @router.put("/settings/{key}")
    @needs("settings.change")
    def change(caller: Reading, key: Id, wanted: SettingIn) -> SettingChanged:
        """Change a setting, named as ``web.port``: tried, written, journaled. 422 where it does not fit."""
        args = {"key": key, "value": toml_value(wanted.value)}
        return SettingChanged.model_validate(_act(node, "settings.set", args, caller))

    @router.post("/settings/orders", status_code=201)
    @needs("settings.change")
    def order(caller: Reading, wanted: SettingsOrderIn) -> SettingsOrderOut:
        """At a district: order a settings change of one of its edges. 422 where it cannot be, as far as is known here."""
        return _orders(node, "settings.order", wanted.model_dump(), caller)[0]

    @router.get("/settings/orders")
    @needs("settings.change")
    def orders(_caller: Reading, edge: Id = "") -> list[SettingsOrderOut]:
        """The newest ordered changes, at the district or at the edge, and what became of them."""
        return _orders(node, "settings.orders", {"edge": edge})

    @router.get("/settings/orders/{change}")
    @needs("settings.change")
    def ordered(_caller: Reading, change: Id) -> SettingsOrderOut:
        """One ordered change."""
        return _orders(node, "settings.orders", {"change": change})[0]

    @router.post("/restart", status_code=202)
    @needs("settings.change")
    def restart(caller: Reading) -> RestartOut:
        """Let the node begin anew in its place, with the settings of its file; it answers again within seconds."""
        return RestartOut.model_validate(_act(node, "node.restart", {}, caller))

    @router.get("/plugins")
    @needs("settings.change")
    def plugins(_caller: Reading) -> list[PluginOut]:
        """The plugins that are installed, and which the node was opened with."""
        return [PluginOut.model_validate(one) for one in _act(node, "plugin.list", {})["plugins"]]

    @router.put("/plugins/{name}")
    @needs("settings.change")
    def switch(caller: Reading, name: Id, wanted: PluginIn) -> PluginChanged:
        """Let the node start with a plugin or without: tried, written, journaled. 422 where it is so already."""
        return PluginChanged.model_validate(
            _act(node, "plugin.switch", {"name": name, "on": wanted.enabled}, caller),
        )

    return router


def _orders(
    node: NodeContext, name: str, args: Mapping[str, Any], caller: Caller | None = None
) -> list[SettingsOrderOut]:
    return [SettingsOrderOut.model_validate(one) for one in _act(node, name, args, caller)["orders"]]


def _act(node: NodeContext, name: str, args: Mapping[str, Any], caller: Caller | None = None) -> AdminResult:
    """The result of the node's own action, as whoever asks; BadInput where a start with the change would fail."""
    named = {} if caller is None else {"actor": caller.actor.id}
    try:
        *_, result = node.registry.actions[name].run(node, {**args, **named})
    except SettingsError as error:
        raise BadInput(str(error)) from error
    assert isinstance(result, dict)  # noqa: S101 - an action's last item is its result
    return result
