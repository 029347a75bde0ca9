"""The hotline's health lines: events, the broker, the Asterisk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wanmi.registry import Health, NodeContext

if TYPE_CHECKING:
    from wanmi_hotline.parts import Hotline


def lines(hotline: Hotline, node: NodeContext) -> Sequence[Health]:
    """One line for what came in, one for each way that is set."""
    return [_events(hotline, node), *_broker(hotline), *_asterisk(hotline)]


def _events(hotline: Hotline, node: NodeContext) -> Health:
    intake = hotline.intake(node)
    facts = {name: intake.counts[name] for name in ("taken", "known", "refused")}
    if intake.last_refusal:
        return Health("hotline", "warn", f"an event was refused: {intake.last_refusal}", facts)
    return Health("hotline", "fine", "events of calls are taken", facts)


def _broker(hotline: Hotline) -> list[Health]:
    client = hotline.client
    if client is None:
        return []
    facts: dict[str, str | int] = {"broker": client.address.url, "connections": client.connections}
    if client.connected:
        return [Health("hotline.mqtt", "fine", "connected", facts)]
    return [Health("hotline.mqtt", "bad", client.last_error, facts)]


def _asterisk(hotline: Hotline) -> list[Health]:
    asterisk = hotline.asterisk
    if asterisk is None:
        return []
    facts: dict[str, str | int] = {"connections": asterisk.connections}
    if asterisk.connected:
        return [Health("hotline.asterisk", "fine", "logged in", facts)]
    return [Health("hotline.asterisk", "bad", asterisk.last_error or "not connected", facts)]
