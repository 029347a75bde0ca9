"""What people and the demo do with links: look at them, cut one, let it work again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from wanmi.errors import BadInput, NotFound
from wanmi.registry import AdminResult, NodeContext, Progress
from wanmi_federation.health import link_health
from wanmi_federation.loop import LinkLoop
from wanmi_federation.running import Federation

if TYPE_CHECKING:
    import typer

SECONDS = 10.0
"""How long the loop may take to answer."""

Args = Mapping[str, Any]
Items = Iterator[Progress | AdminResult]


def link_commands() -> typer.Typer:
    """The ``wanmi link`` commands."""
    from wanmi_federation.cli import app

    return app


def pause(federation: Federation, node: NodeContext, args: Args) -> Items:
    """``link.pause``: cut the link to ``peer`` (the parent when left out) as if its cable were pulled."""
    loop, peer = _loop(federation), _peer(federation, node, args)
    loop.ask(lambda: loop.pause(peer)).result(SECONDS)
    yield {"peer": peer, "paused": sorted(loop.paused)}


def resume(federation: Federation, node: NodeContext, args: Args) -> Items:
    """``link.resume``: let the link to ``peer`` (the parent when left out) work again."""
    loop, peer = _loop(federation), _peer(federation, node, args)
    loop.ask(lambda: loop.resume(peer)).result(SECONDS)
    yield {"peer": peer, "paused": sorted(loop.paused)}


def status(federation: Federation, node: NodeContext, _args: Args) -> Items:
    """``link.status``: the health lines of the links, as plain values."""
    lines = link_health(federation, node)
    yield {"links": [{"name": h.name, "state": h.state, "reason": h.reason, **dict(h.facts)} for h in lines]}


def _loop(federation: Federation) -> LinkLoop:
    if federation.loop is None:
        raise NotFound("the links are not running; start the node first")
    return federation.loop


def _peer(federation: Federation, node: NodeContext, args: Args) -> str:
    peer = args.get("peer") or node.parent
    if peer is None:
        raise BadInput(f"node {node.code} has no parent: say which child's link (peer)")
    children = {child.code for child in _loop(federation).hub.directory.children()}
    if peer != node.parent and peer not in children:
        raise NotFound(f"node {node.code} has no link to {peer}")
    return str(peer)
