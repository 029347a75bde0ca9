"""The field terminal: a signed report on disk first, over MQTT to the edge, forgotten when the district has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wanmi.hookspecs import hookimpl

if TYPE_CHECKING:
    import typer

    from wanmi.registry import Registry


@hookimpl
def register(to: Registry) -> None:
    """Bring ``wanmi terminal``."""
    to.command("terminal", _commands, help="A field terminal: make reports, keep them, send them.")


def _commands() -> typer.Typer:
    from wanmi_terminal.cli import app

    return app
