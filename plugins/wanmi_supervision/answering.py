"""The district's side: answering orders, asking the city for help."""

from __future__ import annotations

from wanmi.cases import OrderSeen
from wanmi.errors import BadInput, Conflict, NotAllowed
from wanmi.hookspecs import Actor
from wanmi.order_kinds import OrderAnswered, OrderAsked, ask_subject, order_subject
from wanmi.registry import Draft, NodeContext
from wanmi_supervision.asking import AnswerAsk, check_words, new_id
from wanmi_supervision.cases import by_value, maker, own_case, step_draft
from wanmi_supervision.queues import Order, find_order

BY_HAND = {"press": ("answered",), "check": ("answered",), "take_over": ("given_up", "kept")}
"""What a person may answer; what was handed down answers for itself when its case ends."""


def answer(node: NodeContext, ask: AnswerAsk, actor: Actor) -> Order:
    """Answer an order. Giving a case up takes the step with it, in one transaction.

    Raises NotAllowed, BadInput, Conflict (answered or ended already), NotFound; each says what may be done.
    """
    order = find_order(node, ask.order, node.code)
    _refuse(order, ask)
    drafts = [answer_draft(node, order, ask.answer, order.district_case, ask.opinion, actor)]
    if ask.answer == "given_up":
        assert order.district_case is not None  # noqa: S101 - a take_over names one
        case = own_case(node, order.district_case)
        drafts.insert(0, step_draft(node, case, "give_up", actor, ask.opinion, seen_of(order)))
    node.journal.append(*drafts).result()
    return find_order(node, ask.order, node.code)


def answer_draft(
    node: NodeContext, order: Order, said: str, case: str | None, opinion: str, actor: Actor | None
) -> Draft:
    """The entry of an answer."""
    body = OrderAnswered(order.order_id, said, case, opinion)  # type: ignore[arg-type]
    return Draft(
        "order.answered", order_subject(order.city, order.order_id), body, (order.city,),
        actor.id if actor is not None else None, by=maker(node),
    )  # fmt: skip


def seen_of(order: Order) -> OrderSeen:
    """The order as what proves the step that answers it; ``_refuse`` has looked whether it may be answered."""
    assert order.kind == "take_over"  # noqa: S101 - only that is answered by giving a case up
    return OrderSeen(order.order_id, "take_over", order.district, order.case, order.district_case, True, False)


def escalate(node: NodeContext, number: str, demand: str, actor: Actor, key: str = "") -> str:
    """Ask the city for help with a case of this district (提请市级): the city opens a case of its own, linked; the ask's id.

    The district's case stays its own to work, until the city takes it over.
    """
    if node.role != "district" or node.parent is None:
        raise NotAllowed(f"node {node.code} is a {node.role} without a city above it: nobody is there to be asked")
    check_words(f"case {number}: what is asked", demand)
    case = own_case(node, number)
    if case.final:
        raise NotAllowed(f"case {number}: it is {case.state}; reopen it first")
    ask_id = new_id(node, actor, key)
    subject = ask_subject(node.code, ask_id)
    if key and node.journal.subject(subject):
        return ask_id
    body = OrderAsked(ask_id, number, demand, by_value(case))
    node.journal.append(
        Draft("order.asked", subject, body, (node.parent,), actor.id, by=maker(node), expect=0)
    ).result()
    return ask_id


def _refuse(order: Order, ask: AnswerAsk) -> None:
    what = f"order {ask.order}"
    if order.closed_at is not None:
        raise Conflict(f"{what}: the city ended it ({order.result}); there is nothing to answer")
    if order.kind == "hand_down":
        raise NotAllowed(
            f"{what}: what was handed down answers by itself when case {order.accepted_case or '(to come)'} ends; "
            "close that case, or reject it with an opinion"
        )
    if ask.answer not in BY_HAND[order.kind]:
        raise BadInput(f"{what}: a {order.kind} is answered with {' or '.join(BY_HAND[order.kind])}, not {ask.answer}")
    if order.kind == "take_over" and order.answer is not None:
        raise Conflict(f"{what}: {order.answered_by or 'somebody'} answered it already ({order.answer})")
    check_words(f"{what}: the answer", ask.opinion)
