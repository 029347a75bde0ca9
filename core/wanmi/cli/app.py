"""The command tree. Nothing heavy is imported here: ``wanmi --help`` answers at once."""

from __future__ import annotations

import typer
from typer.main import get_command

from wanmi.cli import (
    calendars,
    changing,
    erasing,
    journals,
    keeping,
    nodes,
    people,
    profiles,
    running,
    screens,
    tokens,
)
from wanmi.cli.plugged import PluggedGroup

HELP = "Wanmi 万米: federated, grid-based city management. A node lives in a directory, DIR."


def build_app(*, complete: bool = True) -> PluggedGroup:
    """The whole command; ``complete`` loads the plugins' commands too (else each when it is used)."""
    app = typer.Typer(
        cls=PluggedGroup, help=HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )
    app.callback()(_root)
    running.add_to(app)
    app.add_typer(nodes.app, name="node")
    app.add_typer(people.app, name="people")
    app.add_typer(tokens.app, name="token")
    app.add_typer(changing.settings, name="settings")
    app.add_typer(changing.plugin, name="plugin")
    app.add_typer(calendars.app, name="calendar")
    app.add_typer(profiles.app, name="profile")
    app.add_typer(journals.app, name="journal")
    journals.add_to(app)
    keeping.add_to(app)
    erasing.add_to(app)
    screens.add_to(app)
    command = get_command(app)
    assert isinstance(command, PluggedGroup)  # noqa: S101 - cls above
    if complete:
        command.load_all()
    return command


def _root() -> None:
    """The callback's docstring would be the help; HELP is."""
