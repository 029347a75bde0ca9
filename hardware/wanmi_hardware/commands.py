"""Loaders of ``wanmi emulate`` and ``wanmi wall``: what they need is imported when they are used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


def load_emulate() -> typer.Typer:
    """``wanmi emulate …``."""
    from wanmi_hardware.emulating.cli import app

    return app


def load_wall() -> typer.Typer:
    """``wanmi wall …``."""
    from wanmi_hardware.wall.command import app

    return app
