"""``wanmi settings …`` and ``wanmi plugin …``: change what a node, or an edge of a district, starts with; journaled."""

from __future__ import annotations

from typing import Annotated

import typer

from wanmi.cli.shared import AsJson, Dir, call, print_json, print_rows
from wanmi.clock import iso
from wanmi.errors import BadInput

settings = typer.Typer(help="The settings of a node.", no_args_is_help=True)
plugin = typer.Typer(help="The plugins of a node.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The plugin's name.")]


@settings.command()
def show(dir: Dir) -> None:
    """The settings that the node runs with; secrets are not shown."""
    print_json(call(dir, "settings.show", {})["settings"])


@settings.command("set")
def set_(
    dir: Dir,
    change: Annotated[str, typer.Argument(metavar="SECTION.KEY=VALUE")],
    now: Annotated[bool, typer.Option("--now", help="Restart the live node in place, so that it holds now.")] = False,
) -> None:
    """Change a setting in node.toml, once it is tried; it holds at the next start."""
    key, value = _pair(change)
    told = call(dir, "settings.set", {"key": key, "value": value})["key"]
    restarts = now and call(dir, "node.restart", {})["restarts"]
    print(f"{told}: {'the node restarts with it' if restarts else 'holds at the next start'}")


@settings.command()
def order(
    dir: Dir,
    edge: Annotated[str, typer.Argument(help="The edge's code.")],
    changes: Annotated[list[str], typer.Argument(metavar="SECTION.KEY=NEW...")],
    was: Annotated[list[str], typer.Option(metavar="SECTION.KEY=OLD", help="What the edge must have now.")],
    probation: Annotated[int, typer.Option(help="Seconds in which the uplink has to come back.")] = 120,
    expires: Annotated[int, typer.Option(help="Seconds after which the edge begins it no more.")] = 86_400,
    as_json: AsJson = False,
) -> None:
    """At a district: let an edge change settings; it takes them back when its uplink does not return."""
    old = {key: _value(value) for key, value in map(_pair, was)}
    wanted = [(key, _value(value)) for key, value in map(_pair, changes)]
    for key in {key for key, _ in wanted} ^ old.keys():
        raise BadInput(f"{key}: give its new value, and its old one with --was")
    args = {
        "edge": edge, "changes": [{"key": key, "old": old[key], "new": new} for key, new in wanted],
        "probation": probation, "expires_in": expires,
    }  # fmt: skip
    found = call(dir, "settings.order", args)["orders"]
    if as_json:
        print_json(found[0])
        return
    print(f"change {found[0]['change']} is ordered; `wanmi settings orders {dir}` shows what becomes of it")


@settings.command()
def orders(
    dir: Dir, edge: Annotated[str, typer.Option(help="Of this edge only.")] = "", as_json: AsJson = False
) -> None:
    """The settings changes that a district ordered, newest first, and how far each edge is."""
    found = call(dir, "settings.orders", {"edge": edge})["orders"]
    if as_json:
        print_json(found)
        return
    rows = [
        (iso(one["ordered_at"]), one["change"], one["edge"], one["state"], _words(one["changes"]), one["reason"])
        for one in found
    ]
    print_rows(("ordered", "change", "edge", "state", "settings", "why"), rows)


def _value(given: str) -> object:
    """As TOML writes it; ``null`` is what is not set, and anything that JSON has not is a text."""
    from wanmi.node.changing import value_of

    value = None if given == "null" else value_of(given)
    return value if isinstance(value, bool | int | float | str | list | None) else given


def _words(changes: list[dict[str, object]]) -> str:
    return ", ".join(f"{one['key']}: {one['old']} -> {one['new']}" for one in changes)


def _pair(change: str) -> tuple[str, str]:
    key, equals, value = change.partition("=")
    if not equals:
        raise BadInput(f"{change[:60]!r}: write SECTION.KEY=VALUE")
    return key.strip(), value.strip()


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
