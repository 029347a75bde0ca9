"""HTTP: orders, escalations, the one history, counters. Times µs UTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query

from wanmi.order_kinds import Answer, Closing, Level, OrderKind, OrderState, PressKind
from wanmi.registry import NodeContext
from wanmi.web.bounds import Id, Time, Words
from wanmi.web.callers import Reading, needs
from wanmi.web.seen import need_case, seen_by
from wanmi_supervision.answering import answer, escalate
from wanmi_supervision.asking import AnswerAsk, CloseAsk, IssueAsk
from wanmi_supervision.escalations import EscalationPage, list_escalations
from wanmi_supervision.history import History, history_of
from wanmi_supervision.issuing import close, issue
from wanmi_supervision.queues import MOST, Counter, Order, OrderPage, counters, find_order, list_orders

ASK = "order.ask"
Key = Annotated[str, Header(alias="idempotency-key", max_length=100)]


@dataclass(frozen=True)
class IssueIn:
    """An order. hand_down names the city's ``case``, the others the ``district_case``; ``press`` goes with kind press."""

    kind: OrderKind
    demand: Words
    reply_by: Time
    case: Id | None = None
    district_case: Id | None = None
    district: Id = ""
    press: PressKind | None = None
    level: Level = "normal"


@dataclass(frozen=True)
class AnswerIn:
    """A district's answer: answered (to a press or a check), given_up or kept (to a take_over)."""

    answer: Answer
    opinion: Words


@dataclass(frozen=True)
class CloseIn:
    """The end of an order: done, or withdrawn with the reason."""

    result: Closing
    district: Id = ""
    opinion: Words = ""


@dataclass(frozen=True)
class EscalationIn:
    """What the district asks of the city."""

    demand: Words


@dataclass(frozen=True)
class EscalationOut:
    """The ask; the city's case comes linked."""

    case: str
    ask: str


@dataclass(frozen=True)
class CountersOut:
    """A line for the city and each district; ``as_of`` µs UTC."""

    as_of: int
    counters: list[Counter]


def build_api(node: NodeContext) -> APIRouter:
    """The routes under /api/v1."""
    router = APIRouter(tags=["orders"])
    _reading(router, node)
    _working(router, node)
    _cases(router, node)
    return router


def _reading(router: APIRouter, node: NodeContext) -> None:
    @router.get("/orders")
    @needs("order.read")
    def orders(
        state: Literal["", "open", "late", "answered", "closed"] = "",
        kind: Literal["", "hand_down", "press", "check", "take_over"] = "",
        district: Annotated[str, Query(max_length=10)] = "",
        case: Annotated[str, Query(max_length=60, description="of either side")] = "",
        cursor: Annotated[str, Query(max_length=80)] = "",
        limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    ) -> OrderPage:
        """Orders, newest first. Follow ``next`` to the last page."""
        wanted: OrderState | None = state or None
        return list_orders(node, state=wanted, kind=kind, district=district, case=case, cursor=cursor, limit=limit)

    @router.get("/escalations")
    @needs("order.read")
    def escalations(
        state: Literal["", "waiting", "open", "done"] = "",
        district: Annotated[str, Query(max_length=10)] = "",
        cursor: Annotated[str, Query(max_length=200)] = "",
        limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    ) -> EscalationPage:
        """What districts asked of the city, newest first, each with the city's case. Follow ``next`` to the last page."""
        return list_escalations(node, state=state or None, district=district, cursor=cursor, limit=limit)

    @router.get("/orders/{order}")
    @needs("order.read")
    def order(order: Id) -> Order:
        """One order as it stands."""
        return find_order(node, order)

    @router.get("/supervision/counters")
    @needs("order.read")
    def counted() -> CountersOut:
        """What every district has open, overdue, pressed, returned, reopened, and its orders that wait."""
        return CountersOut(node.clock.now(), counters(node))


def _working(router: APIRouter, node: NodeContext) -> None:
    @router.post("/orders", status_code=201)
    @needs("order.issue")
    def give(caller: Reading, ask: IssueIn, key: Key = "") -> Order:
        """Hand a case down, press one, have one checked, take one over."""
        return issue(node, IssueAsk(**vars(ask), key=key), caller.actor)

    @router.post("/orders/{order}/answer")
    @needs("order.answer")
    def reply(caller: Reading, order: Id, ask: AnswerIn) -> Order:
        """Answer an order of the city."""
        return answer(node, AnswerAsk(order, ask.answer, ask.opinion), caller.actor)

    @router.post("/orders/{order}/close")
    @needs("order.issue")
    def end(caller: Reading, order: Id, ask: CloseIn) -> Order:
        """End an order."""
        return close(node, CloseAsk(order, ask.district, ask.result, ask.opinion), caller.actor)


def _cases(router: APIRouter, node: NodeContext) -> None:
    @router.get("/cases/{number}/history")
    @needs("case.read")
    def history(caller: Reading, number: Id) -> History:
        """The entries of the case and of those linked with it, of every node, in the order of time."""
        with node.store.reader() as tx:
            need_case(tx, caller, number)
        return history_of(node, number, seen_by(caller))

    @router.post("/cases/{number}/escalation", status_code=201)
    @needs(ASK)
    def ask_city(caller: Reading, number: Id, ask: EscalationIn, key: Key = "") -> EscalationOut:
        """Ask the city for help with a case of this district."""
        return EscalationOut(number, escalate(node, number, ask.demand, caller.actor, key))
