"""Fill the registry: each enabled plugin's ``register``, in the order of the settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wanmi.errors import SettingsError, WanmiError
from wanmi.plugins.found import Plugin, installed_plugins, load_plugin
from wanmi.plugins.hooks import plugin_manager
from wanmi.registry import Registry


def fill(registry: Registry, plugins: Sequence[Plugin]) -> None:
    """Let every plugin fill the registry, its additions marked with its name and version.

    A plugin that raises here stops the start, named: half a plugin (kinds without their projection) would
    keep entries that nobody adds up. Raises SettingsError, or the plugin's own WanmiError with its name.
    """
    manager = plugin_manager(plugins)
    registers = {impl.plugin_name: impl for impl in manager.hook.register.get_hookimpls()}
    for plugin in plugins:
        impl = registers.get(plugin.name)
        with registry.filling(plugin.name, plugin.version):
            if impl is not None:
                _register(plugin.name, impl.function, impl.argnames, registry)


def load_plugins(names: Sequence[str], registry: Registry | None = None) -> Registry:
    """Load installed plugins by name and let them fill ``registry`` (a new one by default)."""
    filled = registry or Registry()
    found = installed_plugins()
    fill(filled, [load_plugin(name, found) for name in names])
    return filled


def _register(name: str, function: Callable[..., object], argnames: Sequence[str], registry: Registry) -> None:
    try:
        function(*([registry] if argnames else []))
    except WanmiError:
        raise
    except Exception as error:
        raise SettingsError(
            f"plugin {name}: register failed: {type(error).__name__}: {error}; mend it or take it out of `plugins`"
        ) from error
