"""Which plugins are installed (entry points of the group ``wanmi.plugins``), and their modules."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

from wanmi.errors import NeedsExtra, SettingsError

GROUP = "wanmi.plugins"
"""The entry point group: name = the plugin's name in the settings, value = its module."""


@dataclass(frozen=True)
class Found:
    """An installed plugin that is not loaded yet; ``module`` is the import name."""

    name: str
    version: str
    module: str


@dataclass(frozen=True)
class Plugin:
    """A loaded plugin: the module whose ``hookimpl`` functions answer."""

    name: str
    version: str
    module: ModuleType


def installed_plugins() -> dict[str, Found]:
    """The installed plugins by name; SettingsError when two distributions claim one name."""
    found: dict[str, Found] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        known = found.get(point.name)
        if known is not None and known.module != point.value:
            raise SettingsError(
                f"plugin {point.name}: both {known.module} and {point.value} claim this name; uninstall one of them"
            )
        found[point.name] = Found(point.name, _version(point), point.value)
    return found


def load_plugin(name: str, found: dict[str, Found], extra: str = "") -> Plugin:
    """Import an installed plugin.

    ``extra`` is the part of the distribution to install when a library is missing (a node gives its role;
    default the plugin's name). Raises SettingsError (not installed, or broken) and NeedsExtra.
    """
    if name not in found:
        there = ", ".join(sorted(found)) or "none"
        raise SettingsError(f"plugins: {name!r} is not installed (installed: {there}); install it or take it out")
    wanted = found[name]
    try:
        module = importlib.import_module(wanted.module)
    except ModuleNotFoundError as error:
        if _is_ours(error.name, wanted.module):
            raise SettingsError(f"plugin {name}: cannot be imported: {error}") from error
        raise NeedsExtra(extra or name, error.name or "?") from error
    except ImportError as error:
        raise SettingsError(f"plugin {name}: cannot be imported: {error}") from error
    return Plugin(name, wanted.version, module)


def plugin_of(by: str) -> str:
    """The plugin's name in ``plugin@version``."""
    return by.partition("@")[0]


def _version(point: EntryPoint) -> str:
    return point.dist.version if point.dist is not None else "0"


def _is_ours(missing: str | None, module: str) -> bool:
    """Whether the missing module is part of the house or of the plugin itself: a fault, not a missing extra."""
    top = (missing or "").partition(".")[0]
    return top == "wanmi" or top == module.partition(".")[0]
