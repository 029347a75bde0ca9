"""/api/v1: the node's settings and plugins for administrators; what changes is tried, journaled, and holds at the next start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from wanmi.errors import BadInput, SettingsError
from wanmi.registry import AdminResult, NodeContext
from wanmi.settings import toml_value
from wanmi.web.bounds import Id, Whole, Words
from wanmi.web.callers import Caller, Reading, needs

Fraction = Annotated[float, Field(ge=-1e12, le=1e12)]
Items = Annotated[list[Words | Whole], Field(max_length=200)]


class SettingIn(BaseModel):
    """A setting's new value."""

    model_config = ConfigDict(extra="forbid")

    value: bool | Whole | Fraction | Words | Items


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


def _act(node: NodeContext, name: str, args: Mapping[str, Any], caller: Caller | None = None) -> AdminResult:
    """The result of the node's own action, as whoever asks; BadInput where a start with the change would fail."""
    named = {} if caller is None else {"actor": caller.actor.id}
    try:
        *_, result = node.registry.actions[name].run(node, {**args, **named})
    except SettingsError as error:
        raise BadInput(str(error)) from error
    assert isinstance(result, dict)  # noqa: S101 - an action's last item is its result
    return result
