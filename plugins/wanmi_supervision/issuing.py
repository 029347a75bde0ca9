"""The city's side: handing down, pressing, having checked, taking over, and ending an order."""

from __future__ import annotations

import msgspec
from sqlalchemy import select

from wanmi.cases import Case, OrderSeen
from wanmi.errors import BadInput, Conflict, NotAllowed
from wanmi.hookspecs import Actor
from wanmi.models import NodeRow, table
from wanmi.order_kinds import OrderClosed, OrderIssued, order_subject
from wanmi.registry import Draft, NodeContext
from wanmi_supervision.asking import CloseAsk, IssueAsk, check_words, new_id
from wanmi_supervision.cases import by_value, case_of_district, maker, own_case, step_draft
from wanmi_supervision.choosing import choose_district
from wanmi_supervision.queues import Order, find_order, open_orders_of
from wanmi_supervision.settings import SupervisionSettings


def issue(node: NodeContext, ask: IssueAsk, actor: Actor) -> Order:
    """Give an order. What is handed down leaves the city's dispatch in the same transaction.

    Raises NotAllowed (who, which node, which state), BadInput (what is missing), Conflict (ordered already), NotFound.
    """
    _check(node, ask)
    order_id = new_id(node, actor, ask.key)
    if ask.key and node.journal.subject(order_subject(node.code, order_id)):
        return _same(find_order(node, order_id), ask)
    drafts = _hand_down(node, ask, actor, order_id) if ask.kind == "hand_down" else _other(node, ask, actor, order_id)
    node.journal.append(*drafts).result()
    return find_order(node, order_id)


def close(node: NodeContext, ask: CloseAsk, actor: Actor) -> Order:
    """End an order. One that handed a case down ends by the step that takes the answer or the case back."""
    order = find_order(node, ask.order, ask.district)
    if order.city != node.code:
        raise NotAllowed(f"order {ask.order}: {order.city} issued it and ends it; this is {node.code}")
    if order.closed_at is not None:
        raise Conflict(f"order {ask.order}: {order.closed_by or 'the node'} ended it already ({order.result})")
    if order.kind == "hand_down" and order.case is not None and own_case(node, order.case).state == "handed_down":
        raise NotAllowed(
            f"order {ask.order}: case {order.case} is handed down; take the answer (step take_answer) or the case "
            "(step take_back), the order ends with it"
        )
    if order.answered_at is None and ask.result == "done":
        raise NotAllowed(f"order {ask.order}: {order.district} has not answered yet; withdraw it, or wait")
    if ask.result != "done":
        check_words(f"order {ask.order}: why it is {ask.result}", ask.opinion)
    node.journal.append(close_draft(node, order, ask, actor)).result()
    return find_order(node, ask.order, order.district)


def close_draft(node: NodeContext, order: Order, ask: CloseAsk, actor: Actor | None) -> Draft:
    """The entry that ends an order."""
    body = OrderClosed(order.order_id, order.district, ask.result, ask.opinion)
    return Draft(
        "order.closed", order_subject(node.code, order.order_id), body, (order.district,),
        actor.id if actor is not None else None, by=maker(node),
    )  # fmt: skip


def districts_of(node: NodeContext) -> frozenset[str]:
    """The districts that this city admitted."""
    row = table(NodeRow).c
    query = select(row.code).where(row.parent == node.code, row.role == "district", row.state == "admitted")
    with node.store.reader() as tx:
        return frozenset(tx.execute(query).scalars())


def _check(node: NodeContext, ask: IssueAsk) -> None:
    if node.role != "city":
        raise NotAllowed(f"node {node.code} is a {node.role}: only a city orders; a district asks the city instead")
    check_words(f"{ask.kind}: the demand", ask.demand)
    if ask.reply_by <= node.clock.now():
        raise BadInput(f"{ask.kind}: reply_by is over already; give a time that lies ahead")
    wanted, other = ("case", "district_case") if ask.kind == "hand_down" else ("district_case", "case")
    if getattr(ask, wanted) is None:
        raise BadInput(f"{ask.kind}: name the {wanted}")
    if getattr(ask, other) is not None:
        raise BadInput(f"{ask.kind}: is about the {wanted}; leave {other} out, linked cases are found by themselves")
    if (ask.press is None) == (ask.kind == "press"):
        raise BadInput(f"{ask.kind}: press (overdue, leader or important) goes with kind press, and only with it")
    if ask.district and ask.kind != "hand_down":
        raise BadInput(f"{ask.kind}: goes to the owner of the case; only a hand_down chooses the district")


def _hand_down(node: NodeContext, ask: IssueAsk, actor: Actor, order_id: str) -> list[Draft]:
    assert ask.case is not None  # noqa: S101 - see _check
    case = own_case(node, ask.case)
    chosen = choose_district(
        kind=case.opened.kind, category=case.opened.category, grid=case.opened.grid, matters=_settings(node).matters,
        districts=districts_of(node), named=ask.district,
    )  # fmt: skip
    seen = OrderSeen(order_id, "hand_down", chosen.district, case.number, None, waiting=True, answered=False)
    step = step_draft(node, case, "hand_down", actor, ask.demand, seen, district=chosen.district)
    body = order_body(ask, order_id, case, chosen.district)
    body = _with(body, by_place=chosen.by_place, by_matter=chosen.by_matter)
    return [_order(node, body, actor), step]


def _other(node: NodeContext, ask: IssueAsk, actor: Actor, order_id: str) -> list[Draft]:
    """A press, a check, a take-over: about a district's case, told to its owner."""
    assert ask.district_case is not None  # noqa: S101 - see _check
    posts = _settings(node).take_over_posts if ask.kind == "take_over" else _settings(node).press_posts
    case = case_of_district(node, ask.district_case)
    if actor.post not in posts:
        raise NotAllowed(
            f"case {case.number}: {ask.kind} is not for the post {actor.post}; it is for: {', '.join(posts)}"
        )
    _refuse_other(node, ask, case)
    body = order_body(ask, order_id, case, case.owner)
    linked = next((link.other for link in case.links if link.live and link.other.startswith(f"{node.code}-")), None)
    return [_order(node, _with(body, case=linked, district_case=case.number), actor)]


def _refuse_other(node: NodeContext, ask: IssueAsk, case: Case) -> None:
    if case.final and ask.kind != "check":
        raise NotAllowed(
            f"case {case.number}: it is {case.state}; there is nothing to {ask.kind}, have it checked or reopened"
        )
    if ask.kind != "take_over":
        return
    waiting = [one.order_id for one in open_orders_of(node, case.number) if one.kind == "take_over"]
    if waiting:
        raise Conflict(f"case {case.number}: order {waiting[0]} takes it over already")


def order_body(ask: IssueAsk, order_id: str, case: Case, district: str) -> OrderIssued:
    """The body of an order about a case."""
    state = by_value(case) if ask.kind in ("hand_down", "take_over") else None
    return OrderIssued(
        order_id, ask.kind, district, ask.case, ask.district_case, ask.press, ask.level, ask.demand, ask.reply_by, None,
        None, state,
    )  # fmt: skip


def _with(body: OrderIssued, **values: str | None) -> OrderIssued:
    return msgspec.structs.replace(body, **values)


def _order(node: NodeContext, body: OrderIssued, actor: Actor) -> Draft:
    return Draft(
        "order.issued",
        order_subject(node.code, body.order_id),
        body,
        (body.district,),
        actor.id,
        by=maker(node),
        expect=0,
    )


def _same(order: Order, ask: IssueAsk) -> Order:
    """The order that the same ask made before; BadInput when the ask is another one."""
    said = (order.kind, order.demand, order.reply_by, order.press, order.level)
    case = order.case if ask.kind == "hand_down" else order.district_case
    if said != (ask.kind, ask.demand, ask.reply_by, ask.press, ask.level) or case != (ask.case or ask.district_case):
        raise BadInput(f"idempotency key {ask.key!r} was used for another order ({order.order_id}); take a new key")
    return order


def _settings(node: NodeContext) -> SupervisionSettings:
    return node.settings.section("supervision", SupervisionSettings)
