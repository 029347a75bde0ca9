"""The root group: a plugin's commands are listed from a small cache and loaded when one of them is used."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from typer.core import TyperCommand, TyperGroup
from typer.main import get_command as command_of

from wanmi.errors import NotFound, WanmiError


class PluggedGroup(TyperGroup):
    """The core's commands, then those of every installed plugin, enabled in a node or not."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._listing = False

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of all commands."""
        own = super().list_commands(ctx)
        return [*own, *(name for name in sorted(listed_commands()) if name not in own)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command by its name; while help is printed a plugin's is only a name with a line of help."""
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return found
        if self._listing:
            return TyperCommand(cmd_name, help=listed_commands().get(cmd_name, ""))
        return self._load(cmd_name)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help without loading any plugin."""
        with self._only_listing():
            super().format_help(ctx, formatter)

    def load_all(self) -> None:
        """Load the command of every installed plugin; NeedsExtra and the like stop it."""
        commands, broken = plugin_commands()
        if broken:
            raise next(iter(broken.values()))
        for name, command in commands.items():
            self.add_command(self._named(name, command.load()), name)

    def _load(self, name: str) -> Any:
        """The plugin's command; NotFound names the plugins that could not be loaded, one of them may have it."""
        from wanmi.cli.logs import quiet_logging

        quiet_logging()
        commands, broken = plugin_commands()
        if name in commands:
            return self._named(name, commands[name].load())
        if broken:
            why = "; ".join(f"{plugin}: {error}" for plugin, error in broken.items())
            raise NotFound(f"no command {name} (plugins that could not be loaded: {why})")
        return None

    @staticmethod
    def _named(name: str, app: Any) -> Any:
        """As a group, however few commands it has: ``wanmi NAME COMMAND`` stays when it grows."""
        app._add_completion = False
        if not app.registered_callback:
            app.callback()(_group)
        command = command_of(app)
        command.name = name
        return command

    @contextmanager
    def _only_listing(self) -> Iterator[None]:
        self._listing = True
        try:
            yield
        finally:
            self._listing = False


def _group() -> None:
    """A group of commands."""


def plugin_commands() -> tuple[dict[str, Any], dict[str, WanmiError]]:
    """The commands of all installed plugins, and the plugins that could not be loaded."""
    from wanmi.plugins import fill, installed_plugins, load_plugin
    from wanmi.registry import Registry

    commands: dict[str, Any] = {}
    broken: dict[str, WanmiError] = {}
    found = installed_plugins()
    for name in found:
        registry = Registry()
        try:
            fill(registry, [load_plugin(name, found)])
        except WanmiError as error:
            broken[name] = error
        else:
            commands.update(registry.commands)
    return commands, broken


def listed_commands() -> Mapping[str, str]:
    """Name and help of the plugins' commands, from the cache while the installed plugins are the same."""
    cache, key = _cache_file(), _fingerprint()
    try:
        cached = json.loads(cache.read_text(encoding="utf-8"))
        if cached["key"] == key:
            return dict(cached["commands"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    commands = {name: command.help for name, command in plugin_commands()[0].items()}
    _remember(cache, {"key": key, "commands": commands})
    return commands


def _remember(cache: Path, content: Mapping[str, object]) -> None:
    """A cache that cannot be written is no fault."""
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        temporary = cache.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(content), encoding="utf-8")
        temporary.replace(cache)
    except OSError:
        return


def _cache_file() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "wanmi" / "commands.json"


def _fingerprint() -> str:
    """Changes when a plugin comes, goes, or its package's first file changes; imports none."""
    points = sorted(entry_points(group="wanmi.plugins"), key=lambda point: point.name)
    parts = [(point.name, point.value, point.dist and point.dist.version, _changed_at(point.value)) for point in points]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _changed_at(module: str) -> int:
    try:
        spec = find_spec(module.partition(".")[0])
    except (ImportError, ValueError):
        return 0
    return Path(spec.origin).stat().st_mtime_ns if spec is not None and spec.origin else 0
