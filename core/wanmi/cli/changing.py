"""``wanmi settings …`` and ``wanmi plugin …``: change what a node starts with; who did is journaled."""

from __future__ import annotations

from typing import Annotated

import typer

from wanmi.cli.shared import AsJson, Dir, call, print_json, print_rows

settings = typer.Typer(help="The settings of a node.", no_args_is_help=True)
plugin = typer.Typer(help="The plugins of a node.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The plugin's name.")]


@settings.command()
def show(dir: Dir) -> None:
    """The settings that the node runs with; secrets are not shown."""
    print_json(call(dir, "settings.show", {})["settings"])


@settings.command("set")
def set_(dir: Dir, change: Annotated[str, typer.Argument(metavar="SECTION.KEY=VALUE")]) -> None:
    """Change a setting in node.toml, once it is tried; it holds at the next start."""
    key, _, value = change.partition("=")
    print(f"{call(dir, 'settings.set', {'key': key.strip(), 'value': value.strip()})['key']}: holds at the next start")


@plugin.command("list")
def list_(dir: Dir, as_json: AsJson = False) -> None:
    """The plugins that are installed, and which the node has."""
    found = call(dir, "plugin.list", {})["plugins"]
    if as_json:
        print_json(found)
        return
    print_rows(("plugin", "enabled"), [(one["name"], "yes" if one["enabled"] else "") for one in found])


@plugin.command()
def enable(dir: Dir, name: Name) -> None:
    """Let the node start with a plugin."""
    _switch(dir, name, True)


@plugin.command()
def disable(dir: Dir, name: Name) -> None:
    """Let the node start without a plugin; its tables and settings stay."""
    _switch(dir, name, False)


def _switch(dir: Dir, name: str, on: bool) -> None:
    call(dir, "plugin.switch", {"name": name, "on": on})
    print(f"{name}: {'enabled' if on else 'disabled'} from the next start on")
