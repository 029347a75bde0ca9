"""The field terminal: a signed report on disk first, over MQTT to the edge, forgotten when the district has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wanmi.hookspecs import hookimpl
from wanmi_terminal.command import load_app

if TYPE_CHECKING:
    from wanmi.registry import Registry


@hookimpl
def register(to: Registry) -> None:
    """Bring ``wanmi terminal``."""
    to.command("terminal", load_app, help="A field terminal: make reports, keep them, send them.")
