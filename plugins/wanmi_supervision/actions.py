"""Admin actions, for the command line, scripts and the demo: the same asks as over HTTP, with the actor named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, TypeVar, get_args

import msgspec

from wanmi.errors import BadInput
from wanmi.hookspecs import Actor
from wanmi.order_kinds import OrderState
from wanmi.registry import AdminResult, NodeContext, Progress
from wanmi_supervision.answering import answer, escalate
from wanmi_supervision.asking import AnswerAsk, CloseAsk, IssueAsk
from wanmi_supervision.history import history_of
from wanmi_supervision.issuing import close, issue
from wanmi_supervision.queues import counters, find_order, list_orders

T = TypeVar("T")
Items = Iterator[Progress | AdminResult]


class _List(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    state: str = ""
    kind: str = ""
    district: str = ""
    case: str = ""
    cursor: str = ""
    limit: int = 50


class _Escalate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: str
    demand: str
    key: str = ""


class _Number(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: str


class _Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    order: str


def issue_order(node: NodeContext, args: Mapping[str, Any]) -> Items:
    """``order.issue``: fields of IssueAsk, with ``actor`` and ``post``."""
    who, rest = _who(args)
    yield asdict(issue(node, _read(rest, IssueAsk), who))


def answer_order(node: NodeContext, args: Mapping[str, Any]) -> Items:
    """``order.answer``: {order, answer, opinion, actor, post}."""
    who, rest = _who(args)
    yield asdict(answer(node, _read(rest, AnswerAsk), who))


def close_order(node: NodeContext, args: Mapping[str, Any]) -> Items:
    """``order.close``: {order, result, opinion?, district?, actor, post}."""
    who, rest = _who(args)
    yield asdict(close(node, _read({"district": "", **rest}, CloseAsk), who))


def show_orders(node: NodeContext, args: Mapping[str, Any]) -> Items:
    """``order.list``: {state?, kind?, district?, case?, cursor?, limit?}."""
    ask = _read(args, _List)
    state: OrderState | None = None
    for known in get_args(OrderState):
        state = known if known == ask.state else state
    if ask.state and state is None:
        raise BadInput(f"state {ask.state!r}: must be one of {', '.join(get_args(OrderState))}")
    yield asdict(
        list_orders(
            node, state=state, kind=ask.kind, district=ask.district, case=ask.case, cursor=ask.cursor, limit=ask.limit
        )
    )


def show_order(node: NodeContext, args: Mapping[str, Any]) -> Items:
    """``order.show``: {order}."""
    yield asdict(find_order(node, _read(args, _Order).order))


def ask_city(node: NodeContext, args: Mapping[str, Any]) -> Items:
    """``case.escalate``: {number, demand, key?, actor, post}."""
    who, rest = _who(args)
    ask = _read(rest, _Escalate)
    yield {"ask": escalate(node, ask.number, ask.demand, who, ask.key)}


def show_history(node: NodeContext, args: Mapping[str, Any]) -> Items:
    """``case.history``: {number}."""
    yield asdict(history_of(node, _read(args, _Number).number))


def count(node: NodeContext, _args: Mapping[str, Any]) -> Items:
    """``supervision.counters``."""
    yield {"counters": [asdict(one) for one in counters(node)]}


Run = Callable[[NodeContext, Mapping[str, Any]], Items]
ACTIONS: tuple[tuple[str, Run, str], ...] = (
    ("order.issue", issue_order, "Hand a case down, press one, have one checked, take one over."),
    ("order.answer", answer_order, "Answer an order of the city."),
    ("order.close", close_order, "End an order."),
    ("order.list", show_orders, "Orders, newest first."),
    ("order.show", show_order, "An order as it stands."),
    ("case.escalate", ask_city, "Ask the city for help with a case."),
    ("case.history", show_history, "The entries of a case and of those linked with it."),
    ("supervision.counters", count, "What every district has open, overdue, pressed, returned, reopened."),
)


def _who(args: Mapping[str, Any]) -> tuple[Actor, dict[str, Any]]:
    """Who asks, and the rest."""
    rest = dict(args)
    actor, post = rest.pop("actor", None), rest.pop("post", None)
    if not isinstance(actor, str) or not isinstance(post, str) or not actor or not post:
        raise BadInput("arguments: name the actor (a person's id) and the post held")
    return Actor(actor, post), rest


def _read(args: Mapping[str, Any], form: type[T]) -> T:
    try:
        return msgspec.convert(dict(args), form, strict=True)
    except msgspec.ValidationError as error:
        raise BadInput(f"arguments: {error}") from error
