"""The edge's health lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from wanmi.registry import Health, NodeContext
from wanmi_edge.appliance import Edge
from wanmi_edge.tally import read_tally

State = Literal["fine", "warn", "bad", "unknown"]


def edge_health(edge: Edge, node: NodeContext) -> Sequence[Health]:
    """The broker, the intake with its spool, the ledger, the receipts, and the tasks."""
    return [_broker(edge), _intake(edge, node), _ledger(edge, node), _receipts(edge, node), _tasks(edge)]


def _broker(edge: Edge) -> Health:
    facts: dict[str, str | int] = {"kind": edge.kind, "url": edge.url}
    if edge.book is not None:
        facts["terminals"] = len(edge.book)
    client = edge.client
    if client is None or edge.trouble:
        return Health("edge.broker", "bad", edge.trouble or "not connected yet", facts)
    facts["connections"] = client.connections
    if not client.connected:
        return Health("edge.broker", "bad", client.last_error, facts)
    if edge.round_trip is None:
        return Health("edge.broker", "fine", "connected", facts)
    facts["round_trip_us"] = round(edge.round_trip * 1_000_000)
    return Health("edge.broker", "fine", "connected, and a message to oneself returns", facts)


def _intake(edge: Edge, node: NodeContext) -> Health:
    intake, spool, client = edge.intake, edge.spool, edge.client
    if intake is None or spool is None or client is None:
        return Health("edge.intake", "unknown", "not started yet")
    counts = intake.counts
    facts: dict[str, str | int] = {
        "kept": counts.kept,
        "repeated": counts.again,
        "per_minute": intake.rate.per_minute(),
        "unacknowledged": client.waiting + intake.in_hand,
        "waiting_for_parts": intake.waiting,
        "parts": spool.count,
        "spool_bytes": spool.size,
        "junk": intake.junk_seen,
        **{f"refused_{reason}": n for reason, n in sorted(counts.refused.items())},
    }
    held = node.journal.held
    if held:
        return Health("edge.intake", "bad", f"nothing is written: {held}", facts)
    if spool.is_full():
        return Health("edge.intake", "bad", "the disk has less room than the reserve: reports are sent back", facts)
    state: State = "warn" if client.waiting >= client.session.window else "fine"
    return Health("edge.intake", state, "reports are taken in", facts)


def _ledger(edge: Edge, node: NodeContext) -> Health:
    tallies = read_tally(node)
    facts: dict[str, str | int] = {
        f"{one.what}_{name}": getattr(one, name)
        for one in tallies
        for name in ("taken", "delivered", "waiting", "refused", "missing")
    }
    state: State = "fine"
    if any(one.missing for one in tallies):
        state = "bad" if edge.book is not None else "unknown"  # what an older program took in is counted at its start
    return Health("edge.ledger", state, "; ".join(map(str, tallies)), facts)


def _receipts(edge: Edge, node: NodeContext) -> Health:
    teller = edge.teller
    if teller is None:
        return Health("edge.receipts", "unknown", "not started yet")
    end = node.journal.cursor(node.code).seq
    facts: dict[str, str | int] = {"told": teller.told, "entries": end}
    return Health("edge.receipts", "fine", f"{max(0, end - teller.told)} entries are not countersigned yet", facts)


def _tasks(edge: Edge) -> Health:
    sender, sealer, desk = edge.sender, edge.sealer, edge.field
    if sender is None or sealer is None or desk is None:
        return Health("edge.tasks", "unknown", "not started yet")
    facts: dict[str, str | int] = {
        "sent": sender.sent,
        "not_seen": sender.waiting,
        "answers": desk.kept,
        "answers_refused": desk.refused,
        "answers_waiting": desk.waiting,
        "positions": desk.positions,
        "segments": sealer.sealed,
    }
    return Health("edge.tasks", "fine", f"{sender.waiting} tasks wait for their terminals", facts)
