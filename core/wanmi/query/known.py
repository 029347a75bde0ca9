"""What a node knows beside a case and an ask when it decides on a step: its tier, the order named, who else the actor is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, cast

from sqlalchemy import select

from wanmi.cases import Asked, Case, Known, OrderSeen
from wanmi.journal.order_rows import OrderRow
from wanmi.models import TerminalRow, table
from wanmi.order_kinds import OrderKind
from wanmi.store.kept import Kept

if TYPE_CHECKING:
    from wanmi.registry import NodeContext

_TERMINAL = re.compile(r"T[0-9]{6}-[0-9]{4,}")


def known_of(node: NodeContext, asked: Asked, *cases: Case) -> Known:
    """What this node knows about an ask on these cases; the order only where the ask names one."""
    named = asked.fields.get("order")
    order = order_seen(node, named) if isinstance(named, str) else None
    return Known(tier_of(node), order, same_human(node, asked.actor, *cases))


def tier_of(node: NodeContext) -> Literal["city", "district"] | None:
    """The tier of a node: its role, None for an edge."""
    return "city" if node.role == "city" else "district" if node.role == "district" else None


def order_seen(node: NodeContext, order_id: str) -> OrderSeen | None:
    """The order of that id between this node and the other tier; None if none is held here."""
    row = table(OrderRow).c
    mine = row.city == node.code if node.role == "city" else (row.district == node.code) & (row.city == node.parent)
    query = select(table(OrderRow)).where(row.order_id == order_id, mine).limit(1)
    with node.store.asker() as tx:
        found = tx.execute(query).first()
    if found is None:
        return None
    settled = found.closed_at is not None or (found.kind == "take_over" and found.answered_at is not None)
    kind = cast("OrderKind", found.kind)
    return OrderSeen(
        found.order_id, kind, found.district, found.case, found.district_case, not settled,
        found.closed_at is None and found.answered_at is not None,
    )  # fmt: skip


def same_human(node: NodeContext, actor: str, *cases: Case) -> tuple[str, ...]:
    """Other ids of the actor among those who acted on the cases: a terminal that they carry, or who carries theirs."""
    acted = {who for case in cases for who, _ in case.actors} | {
        one.actor for case in cases for one in case.open_requests() if one.actor
    }
    if acted <= {actor}:
        return ()
    holders = {who: _holder(node, who) for who in (*acted, actor) if _TERMINAL.fullmatch(who)}
    me = holders.get(actor, actor)
    return tuple(sorted({who for who in (*acted, me) if who != actor and holders.get(who, who) == me}))


def _holder(node: NodeContext, terminal: str) -> str:
    """Who carries a terminal of this district; the terminal itself where nobody does. Kept until a terminal changes."""
    row = table(TerminalRow).c

    def ask() -> str:
        query = select(row.holder).where(row.district == node.code, row.terminal == terminal)
        with node.store.asker() as tx:
            return tx.execute(query).scalar_one_or_none() or terminal

    kept: Kept[str] = node.store.kept("terminal holder", TerminalRow)
    return kept.get(terminal, node.clock.monotonic(), ask) or terminal
