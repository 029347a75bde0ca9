"""What terminals' requests bring to the registry: a table, the task, the action that makes codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from wanmi.errors import BadInput
from wanmi.mqtt import MqttClient
from wanmi.registry import AdminResult, NodeContext, Progress, Registry
from wanmi_edge.asks.codes import AskCodeRow, make_code
from wanmi_edge.asks.desk import AskDesk
from wanmi_edge.settings import EdgeSettings

Args = Mapping[str, Any]
HOURS = 24


def add_asks(to: Registry, client: Callable[[], MqttClient | None], url: Callable[[], str]) -> None:
    """``client`` is the edge's own at its broker, ``url`` where terminals reach that broker."""
    from wanmi_edge.appliance import in_thread

    async def run(node: NodeContext) -> None:
        settings = node.settings.section("edge", EdgeSettings).asks
        desk = AskDesk(node, settings, url)
        own = lambda: None if (at := client()) is None or settings.open == "off" else at.address  # noqa: E731
        await in_thread(partial(desk.run, own), "edge-asks")

    to.tables(AskCodeRow)
    to.task("edge.asks", run)
    to.action("terminal.code", _code, help="make a one-time code with which a new terminal may ask")


def _code(node: NodeContext, args: Args) -> Iterator[Progress | AdminResult]:
    hours = args.get("hours", HOURS)
    if not isinstance(hours, int) or not 1 <= hours <= 24 * 30:
        raise BadInput(f"hours {hours!r}: 1 to {24 * 30}")
    code, expires = make_code(node, hours)
    yield {"code": code, "expires_at": expires, "open": node.settings.section("edge", EdgeSettings).asks.open}
