"""Plugins: found by entry points, loaded when a node's settings name them, called isolated and watched.

found   which plugins are installed, and their modules
filling the registry that the enabled ones fill, in the settings' order
hooks   the callers of the questions: fenced, timed, ordered by the settings
watch   which plugin call runs since when; what hangs is named
off     the plugins that this node found hanging and starts without
"""

from wanmi.plugins.filling import fill, load_plugins
from wanmi.plugins.found import GROUP, Found, Plugin, installed_plugins, load_plugin, plugin_of
from wanmi.plugins.hooks import Fault, HookCaller, plugin_manager
from wanmi.plugins.off import Off, read_off, record_off, remove_off
from wanmi.plugins.watch import Call, Watch

__all__ = [
    "GROUP",
    "Call",
    "Fault",
    "Found",
    "HookCaller",
    "Off",
    "Plugin",
    "Watch",
    "fill",
    "installed_plugins",
    "load_plugin",
    "load_plugins",
    "plugin_manager",
    "plugin_of",
    "read_off",
    "record_off",
    "remove_off",
]
