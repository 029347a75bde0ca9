"""The supervised task: builds the loop from the node, and waits for its end."""

from __future__ import annotations

import asyncio

from wanmi.errors import SettingsError
from wanmi.identity import ParentUrl
from wanmi.links import Face, Limits, Peer, Surroundings
from wanmi.registry import NodeContext
from wanmi_federation.loop import LinkLoop, Places
from wanmi_federation.sockets import CurveKeys


class Federation:
    """One node's federation: the loop while it runs."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self.loop: LinkLoop | None = None

    async def run(self, node: NodeContext) -> None:
        """Keep the links until cancelled; raises what ended the loop."""
        loop = build_loop(node, self._limits)
        endpoint = await asyncio.to_thread(loop.start)
        if endpoint:
            node.announce("link", endpoint)
        self.loop = loop
        try:
            await asyncio.wrap_future(loop.ended)
        finally:
            self.loop = None
            await asyncio.to_thread(loop.stop)


def build_loop(node: NodeContext, limits: Limits) -> LinkLoop:
    """The loop of a node, as its settings say; raises SettingsError when they contradict one another."""
    settings, keys = node.settings.link, node.keys
    parent = ParentUrl.parse(settings.parent) if settings.parent else None
    if (parent.code if parent else None) != (node.parent if settings.parent else None):
        raise SettingsError(
            f"link.parent names {parent.code if parent else ''}, node.parent {node.parent}: one is wrong"
        )
    pinned = Peer(parent.code, None, parent.sign, parent.curve, True) if parent else None
    around = Surroundings(
        Face(node.code, keys.sign, keys.curve_public, keys.seal_public),
        parent.code if parent else None,
        pinned,
        node.store,
        node.journal,
        node.blobs,
        node.clock,
        node.ids,
        limits,
    )
    places = Places(settings.listen, (parent.endpoint, parent.curve) if parent else None)
    return LinkLoop(around, CurveKeys(keys.curve_public, keys.curve_secret), places)
