"""A person's way out for a node that was restored and waits for what nobody can give back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from typing import Any

from wanmi.errors import BadInput, NotFound
from wanmi.registry import AdminResult, NodeContext, Progress, Stored
from wanmi_federation.running import Federation

SECONDS = 60.0
"""How long giving up may take: what came back by then is applied first."""


def recover(federation: Federation, _node: NodeContext, args: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    """``link.recover``: show what a held node waits for; with ``accept_loss`` and a ``reason``, end the wait.

    Raises NotFound (the links do not run), BadInput (no reason, nothing is held).
    """
    loop = federation.loop
    if loop is None:
        raise NotFound("the links are not running; start the node first")
    hub = loop.hub
    if not args.get("accept_loss"):
        yield {"waits_for": hub.waits_for, "lacking": hub.lacking}
        return
    reason = str(args.get("reason") or "").strip()
    if not reason:
        raise BadInput("say why the entries are given up (reason): it is journaled")
    asked: Future[Any] = loop.ask(lambda: hub.give_up(reason, None))
    future: Future[list[Stored]] = asked.result(SECONDS)
    entry = future.result(SECONDS)[0].entry
    yield {"waits_for": {}, "lacking": [], "given_up": entry.body if entry is not None else {}}
