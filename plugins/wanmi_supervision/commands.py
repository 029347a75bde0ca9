"""The commands, loaded when they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


def commands() -> typer.Typer:
    """``wanmi orders …``."""
    from wanmi_supervision.cli import app

    return app
