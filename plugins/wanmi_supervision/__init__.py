"""督察督办: orders between city and district, escalations, one history of linked cases, queues and counters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wanmi.hookspecs import hookimpl

if TYPE_CHECKING:
    from wanmi.registry import Registry


@hookimpl
def register(to: Registry) -> None:
    """Settings, reactors, actions, commands, a right and the routes."""
    from wanmi_supervision.parts import add_parts

    add_parts(to)
