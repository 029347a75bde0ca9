"""A city in a box: real nodes as processes, real terminals walking, and the proof that nothing was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wanmi.hookspecs import hookimpl
from wanmi_demo.commands import commands

if TYPE_CHECKING:
    from wanmi.registry import Registry


@hookimpl
def register(to: Registry) -> None:
    """Bring ``wanmi demo``."""
    to.command("demo", commands, help="A city in a box: nodes, terminals, reports; --once proves that none is lost.")
