"""呼叫中心受理: calls of the hotline become pop-ups and cases; who called stays sealed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wanmi.hookspecs import hookimpl

if TYPE_CHECKING:
    from wanmi.registry import NodeContext, Registry


@hookimpl
def register(to: Registry) -> None:
    """Kinds and tables of calls, rights, routes, the page, the ways in, a health line."""
    from wanmi_hotline.parts import add_parts

    add_parts(to)


@hookimpl
def blobs_of_person(node: NodeContext, number: str) -> Sequence[str] | None:
    """The sealed blobs of the calls of a number, and of their reports."""
    from wanmi_hotline.parts import blobs_of

    return blobs_of(node, number)
