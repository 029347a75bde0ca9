"""What follows by itself: links on both sides, a district's acceptance and its answer, the city's case of an escalation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import select

from wanmi.case_kinds import CaseLinked, CaseMerged, CaseRequestDecided, CaseStepped, LinkKind
from wanmi.entries import Entry
from wanmi.errors import NotFound
from wanmi.hookspecs import Actor
from wanmi.journal import body_of
from wanmi.journal.case_rows import CaseLinkRow
from wanmi.journal.order_rows import OrderAskRow
from wanmi.kinds import Attachment, CaseOpened, Place, ReportRegistered, report_subject
from wanmi.models import CaseRow, table
from wanmi.order_kinds import Closing, OrderAsked, ask_subject
from wanmi.query import evidence_of
from wanmi.registry import Draft, NodeContext, Stored
from wanmi.store import vouchers_of
from wanmi_supervision.answering import answer_draft
from wanmi_supervision.asking import MOST_OPINION, CloseAsk
from wanmi_supervision.cases import audience_of, maker
from wanmi_supervision.issuing import close_draft
from wanmi_supervision.queues import Order, find_order, open_orders_of

SOURCE = "district"
"""The source of a city's case that a district asked for."""
Pairs = Iterator[tuple[Stored, Draft]]
ENDS = {
    "closed": "done", "forced_closed": "done", "rejected": "returned", "cancelled": "returned", "taken_over": "returned",
    "merged": "answered",
}  # fmt: skip
"""What the end of a district's case answers to the order that handed it down."""
MERGED = "本案已并入案卷 {into}，随其办理：{opinion}"
"""What a district answers when the case is merged into another one; when that one ends, its end is told."""
TAKEN: dict[str, Closing] = {"take_answer": "done", "take_back": "taken_back"}
"""How a step of the city's case ends the order."""


def link_cases(node: NodeContext, batch: Sequence[Stored]) -> Iterable[tuple[Stored, Draft]]:
    """On ``case.opened``: this node's case is linked with the other tier's; a district says that it accepted."""
    for stored in batch:
        if stored.entry is None or node.role == "edge":
            continue
        opened = body_of(stored.entry, CaseOpened)
        report = opened.report or ""
        if report.startswith("order:"):
            yield from _ordered(node, stored, opened.number, report)
        elif report.startswith("report:") and report.endswith(f":{SOURCE}"):
            yield from _escalated(node, stored, opened)


def _ordered(node: NodeContext, stored: Stored, number: str, subject: str) -> Pairs:
    try:
        order = find_order(node, subject.rpartition(":")[2])
    except NotFound:
        return
    mine = stored.origin == node.code
    if order.kind == "hand_down" and stored.origin == order.district:
        other, here, kind = (order.case, number, "handed_down") if mine else (number, order.case, "handed_down")
    elif order.kind == "take_over" and stored.origin == order.city:
        other, here, kind = (
            (order.district_case, number, "taken_over") if mine else (number, order.district_case, "taken_over")
        )
    else:
        return
    yield from _link(node, stored, here, other, kind)  # type: ignore[arg-type]
    if mine and order.kind == "hand_down":
        yield stored, answer_draft(node, order, "accepted", number, "", None)


def _escalated(node: NodeContext, stored: Stored, opened: CaseOpened) -> Pairs:
    """The city's case of an ask: the report's id is ``<district>-<ask id>``."""
    district, _, ask_id = (opened.report_id or "").partition("-")
    asked = _ask(node, district, ask_id)
    if asked is None:
        return
    if stored.origin == node.code:
        yield from _link(node, stored, opened.number, asked, "escalated")
    elif stored.origin == node.parent and district == node.code:
        yield from _link(node, stored, asked, opened.number, "escalated")


def _link(node: NodeContext, stored: Stored, here: str | None, other: str | None, kind: LinkKind) -> Pairs:
    """The link of this node's own case ``here`` with ``other``; nothing where the case is another node's."""
    if here is not None and other is not None and here.startswith(f"{node.code}-"):
        body = CaseLinked(other, kind)
        yield stored, Draft("case.linked", f"case:{here}", body, audience_of(node), by=maker(node))


def register_asks(node: NodeContext, batch: Sequence[Stored]) -> Iterable[tuple[Stored, Draft]]:
    """On ``order.asked``: the city writes down the report that a case of its own will come from."""
    for stored in batch:
        if node.role != "city" or stored.entry is None:
            continue
        asked = body_of(stored.entry, OrderAsked)
        state = asked.case_state
        report_id = f"{stored.origin}-{asked.ask_id}"
        place = Place(state.lon_e7, state.lat_e7, "point", state.grid, state.grid_version)
        body = ReportRegistered(
            report_id, SOURCE, state.kind, state.category, place, "", state.reported_at, _its_own(node, asked), None,
            stored.entry.actor or stored.origin,
        )  # fmt: skip
        subject = report_subject(node.code, report_id, SOURCE)
        yield stored, Draft("report.registered", subject, body, audience_of(node), by=maker(node), expect=0)


def _its_own(node: NodeContext, asked: OrderAsked) -> list[Attachment]:
    """What an ask brings along, without what is no evidence of the district's case: the city vouches for what it names."""
    with node.store.reader() as tx:
        subjects = [ask_subject(asked.case.partition("-")[0], asked.ask_id)]
        own = {one.blob for one in evidence_of(tx, subjects, vouchers_of(node.code, node.parent))}
    return [one for one in asked.case_state.attachments if one.blob in own]


def answer_ended(node: NodeContext, batch: Sequence[Stored]) -> Iterable[tuple[Stored, Draft]]:
    """On a step, a granted request, a merge: a district's case that was handed down has ended, so its order is answered.

    The end of a case is also that of the cases merged into it.
    """
    for stored in batch:
        entry = stored.entry
        if entry is None or stored.origin != node.code:
            continue
        said = _ended(entry)
        number = entry.subject.removeprefix("case:")
        if said is None or node.role != "district":
            continue
        answer, opinion = said
        who = Actor(entry.actor, "") if entry.actor is not None else None
        for one in (number, *_merged_into(node, number)):
            order = _order_of(node, one)
            if order is not None and order.closed_at is None:
                yield stored, answer_draft(node, order, answer, one, opinion, who)


def _ended(entry: Entry) -> tuple[str, str] | None:
    """The answer and the words of an entry that ends a case, None for another one."""
    if entry.kind == "case.stepped":
        step = body_of(entry, CaseStepped)
        state, final, opinion = step.state, step.final, step.opinion
    elif entry.kind == "case.merged":
        merged = body_of(entry, CaseMerged)
        state, final = merged.effect.state, merged.effect.final
        opinion = MERGED.format(into=merged.into, opinion=merged.opinion)[:MOST_OPINION]
    else:
        decided = body_of(entry, CaseRequestDecided)
        if decided.effect is None:
            return None
        state, final, opinion = decided.effect.state, decided.effect.final, decided.opinion
    return (ENDS[state], opinion) if final and state in ENDS else None


def _merged_into(node: NodeContext, number: str) -> list[str]:
    """Cases that are merged into this one now."""
    row = table(CaseLinkRow).c
    query = select(row.other).where(row.number == number, row.kind == "merged", row.live == 1).order_by(row.other)
    with node.store.reader() as tx:
        return list(tx.execute(query).scalars())


def _order_of(node: NodeContext, number: str) -> Order | None:
    """The order that handed a case down to this district."""
    row = table(CaseRow).c
    with node.store.reader() as tx:
        subject = tx.execute(select(row.report_subject).where(row.number == number)).scalar()
    if subject is None or not subject.startswith("order:"):
        return None
    try:
        order = find_order(node, subject.rpartition(":")[2], node.code)
    except NotFound:
        return None
    return order if order.kind == "hand_down" else None


def close_taken(node: NodeContext, batch: Sequence[Stored]) -> Iterable[tuple[Stored, Draft]]:
    """On a step of the city's case: taking the answer, or the case back, ends the order that handed it down."""
    for stored in batch:
        entry = stored.entry
        if entry is None or stored.origin != node.code or node.role != "city" or entry.kind != "case.stepped":
            continue
        body = body_of(entry, CaseStepped)
        if body.step not in TAKEN:
            continue
        number = entry.subject.removeprefix("case:")
        for order in open_orders_of(node, number):
            if order.kind == "hand_down" and order.case == number and order.issued_at < entry.at:
                ask = CloseAsk(order.order_id, order.district, TAKEN[body.step], body.opinion)
                who = Actor(entry.actor, body.post) if entry.actor is not None else None
                yield stored, close_draft(node, order, ask, who)


def _ask(node: NodeContext, district: str, ask_id: str) -> str | None:
    """The district's case that an ask is about."""
    row = table(OrderAskRow).c
    with node.store.reader() as tx:
        return tx.execute(select(row.case).where(row.district == district, row.ask_id == ask_id)).scalar()
