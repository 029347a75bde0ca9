"""The loader of ``wanmi terminal``: typer and the rest come when the command is used."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from wanmi.errors import NeedsExtra

if TYPE_CHECKING:
    import typer

NEEDED = ("gpxpy", "paho", "PIL", "pynmea2")
"""What the extra ``terminal`` brings."""


def load_app() -> typer.Typer:
    """The command group; NeedsExtra when the extra is not installed."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise NeedsExtra("terminal", ", ".join(missing))
    from wanmi_terminal.cli import app

    return app
