"""Cases as orders need them: read from the journal, stepped together with an order, handed on by value."""

from __future__ import annotations

from dataclasses import replace

from wanmi.cases import CASE_ENTRIES, Ask, Case, OrderSeen, decide, fold_all
from wanmi.entries import EVERYONE, Audience
from wanmi.errors import NotAllowed, NotFound
from wanmi.hookspecs import Actor
from wanmi.order_kinds import OrderedCase
from wanmi.profiles import ProfileStore
from wanmi.query.known import known_of
from wanmi.registry import Draft, NodeContext


def case_of(node: NodeContext, number: str) -> Case:
    """A case that this node holds, its own or a replica, as its owner's entries add up to it; NotFound otherwise."""
    owner = number.partition("-")[0]
    held = (stored.entry for stored in node.journal.subject(f"case:{number}"))
    entries = [entry for entry in held if entry is not None and entry.origin == owner]
    case = fold_all(entry for entry in entries if entry.kind in CASE_ENTRIES)
    if case is None:
        raise NotFound(f"case {number}: not known at this node")
    return replace(case, version=entries[-1].version)


def own_case(node: NodeContext, number: str) -> Case:
    """A case of this very node; NotAllowed for another's."""
    case = case_of(node, number)
    if case.owner != node.code:
        raise NotAllowed(f"case {number}: it is a case of {case.owner}; this is {node.code}, name one of its own")
    return case


def case_of_district(node: NodeContext, number: str) -> Case:
    """A case of a district below this city; NotAllowed for the city's own."""
    case = case_of(node, number)
    if case.owner == node.code:
        raise NotAllowed(f"case {number}: it is the city's own; only a district's case can be ordered about")
    return case


def step_draft(
    node: NodeContext, case: Case, step: str, actor: Actor, opinion: str, order: OrderSeen | None = None, **fields: str
) -> Draft:
    """The entry that takes a step with a case of this node, for a step that starts no clock; refused as at any desk.

    ``order`` is one that is written together with the step, and so is not known yet.
    """
    profiles = ProfileStore(node)
    steps = profiles.steps(profiles.of(case.opened.profile))
    said = fields if order is None else {**fields, "order": order.id}
    ask = Ask(actor.id, actor.post, opinion=opinion, step=step, fields=said)
    known = known_of(node, ask, case)
    ask = replace(ask, known=known if order is None else replace(known, order=order))
    decision = decide(steps, case, ask, max(node.clock.now(), node.journal.last_at))
    return Draft(
        decision.kind, f"case:{case.number}", decision.body, audience_of(node), actor.id, by=maker(node),
        expect=decision.expect,
    )  # fmt: skip


def by_value(case: Case) -> OrderedCase:
    """The case for another node."""
    said = case.opened
    return OrderedCase(
        said.kind, said.category, said.component, said.grid, said.grid_version, said.lon_e7, said.lat_e7, said.source,
        said.reported_at, case.stage, case.state, case.department, list(said.attachments),
    )  # fmt: skip


def audience_of(node: NodeContext) -> Audience:
    """Whom the entries of a node's own cases are addressed to."""
    return (node.parent,) if node.parent is not None else EVERYONE


def maker(node: NodeContext) -> str:
    """What an entry of another plugin's kind says about who made it."""
    return f"supervision@{node.registry.plugins.get('supervision', '0')}"
