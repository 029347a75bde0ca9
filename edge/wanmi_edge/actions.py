"""Admin actions of the appliance, for the command line: over the admin socket while the node runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import msgspec

from wanmi.registry import AdminResult, NodeContext, Progress
from wanmi_edge.appliance import Edge
from wanmi_edge.views import retry_refused, view_ledger, view_refused

Args = Mapping[str, Any]
Items = Iterator[Progress | AdminResult]
LISTED = 50


def edge_actions(edge: Edge) -> list[tuple[str, Callable[[NodeContext, Args], Items], str]]:
    """Name, function and help of each."""
    return [
        ("edge.ledger", partial(_ledger, edge), "taken in = delivered + waiting + refused"),
        ("edge.refused", partial(_refused, edge), "what was not taken in, and why"),
        ("edge.retry", partial(_retry, edge), "look again at something refused"),
    ]


def _ledger(edge: Edge, node: NodeContext, _args: Args) -> Items:
    yield msgspec.to_builtins(view_ledger(node, edge))


def _refused(edge: Edge, node: NodeContext, _args: Args) -> Items:
    yield {"refused": msgspec.to_builtins(view_refused(node, edge, LISTED, ""))}


def _retry(edge: Edge, node: NodeContext, args: Args) -> Items:
    id = str(args.get("id", ""))
    yield {"id": id, "outcome": retry_refused(node, edge, id)}
