"""The ledger and what was refused, as the API and the command line show them. Times µs UTC."""

from __future__ import annotations

from dataclasses import dataclass

from wanmi.errors import Conflict, LinkError
from wanmi.registry import NodeContext
from wanmi_edge.appliance import Edge
from wanmi_edge.retrying import RefusedItem, find_refused, list_refused, why_not_again
from wanmi_edge.tally import WORDS, Tally, read_tally

RETRY_SECONDS = 20.0
"""How long a second look may take: the intake looks between two batches."""


@dataclass(frozen=True)
class TallyView:
    """``taken`` = ``delivered`` + ``waiting`` + ``refused`` + ``missing``; missing is 0 unless something is gone."""

    what: str
    zh: str
    en: str
    taken: int
    delivered: int
    waiting: int
    refused: int
    missing: int


@dataclass(frozen=True)
class LedgerView:
    """The edge's ledger; ``junk``: messages that nobody proved to have sent, which were never taken in."""

    as_of: int
    holds: bool
    kinds: list[TallyView]
    junk: int


@dataclass(frozen=True)
class RefusedView:
    """Something that was not taken in; ``retry``: a second look takes it in now, else ``why_not``."""

    id: str
    what: str
    at: int
    topic: str
    terminal: str | None
    report_id: str | None
    reason: str
    zh: str
    en: str
    advice_zh: str
    advice_en: str
    detail: str
    size: int
    sample: str
    retry: bool
    why_not: str


def view_ledger(node: NodeContext, edge: Edge) -> LedgerView:
    """The ledger now."""
    kinds = [_view_tally(one) for one in read_tally(node)]
    junk = edge.intake.junk_seen if edge.intake is not None else 0
    return LedgerView(node.clock.now(), not any(one.missing for one in kinds), kinds, junk)


def _view_tally(one: Tally) -> TallyView:
    return TallyView(one.what, *WORDS[one.what], one.taken, one.delivered, one.waiting, one.refused, one.missing)


def view_refused(node: NodeContext, edge: Edge, limit: int, before: str) -> list[RefusedView]:
    """What was refused, the newest first."""
    return [_view(node, edge, item) for item in list_refused(node, limit, before)]


def retry_refused(node: NodeContext, edge: Edge, id: str) -> str:
    """Have the intake look again: ``taken``. Conflict says why it is still refused; NotFound, LinkError (not running)."""
    item = find_refused(node, id)
    if edge.judge is None:
        raise LinkError("the intake does not run: start the node, then retry")
    if why_not := why_not_again(node, edge.judge, item):
        raise Conflict(f"{id}: {why_not}")
    try:
        outcome = edge.retries.ask(item).result(RETRY_SECONDS)
    except TimeoutError:
        raise LinkError(f"{id}: the intake has not looked at it within {RETRY_SECONDS:g} s; see its health") from None
    if outcome != "taken":
        raise Conflict(f"{id}: still refused: {outcome}")
    return outcome


def _view(node: NodeContext, edge: Edge, item: RefusedItem) -> RefusedView:
    why_not = "the intake does not run"
    if edge.judge is not None:
        why_not = why_not_again(node, edge.judge, item)
    sample = (item.payload or b"")[:1024].decode("utf-8", "replace")
    return RefusedView(
        item.id, item.what, item.at, item.topic, item.terminal, item.report_id, item.reason, item.text("zh"), item.text("en"),
        item.advice("zh"), item.advice("en"), item.detail, item.size, sample, not why_not, why_not,
    )  # fmt: skip
