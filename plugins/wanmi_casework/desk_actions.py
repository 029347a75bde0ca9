"""Admin actions of the desk, for the CLI and the demo: the same asks as over HTTP, with the actor named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

import msgspec

from wanmi.case_kinds import Limit
from wanmi.cases import Case
from wanmi.errors import BadInput
from wanmi.hookspecs import Actor
from wanmi.kinds import Attachment
from wanmi.registry import AdminResult, NodeContext, Progress
from wanmi_casework.desk import CaseDesk, Said
from wanmi_casework.desk_split import Part, split_case
from wanmi_casework.desk_timer import DeskTimer

T = TypeVar("T", bound=msgspec.Struct)
Items = Iterator[Progress | AdminResult]


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every action on a case names: the case, who does it under which post, what they say."""

    number: str
    actor: str
    post: str
    unit: str | None = None
    opinion: str = ""
    expect: int | None = None
    fields: dict[str, str | int] = {}
    attachments: list[Attachment] = []
    key: str = ""

    @property
    def who(self) -> Actor:
        return Actor(self.actor, self.post)

    @property
    def said(self) -> Said:
        return Said(self.unit, self.opinion, self.expect, self.fields, self.attachments, self.key)


class _Step(_Asked, frozen=True, kw_only=True):
    step: str
    department: str | None = None
    collector: str | None = None
    limit: Limit | None = None
    reason: str | None = None


class _Request(_Asked, frozen=True, kw_only=True):
    what: str
    until: int | None = None
    id: str = ""


class _Decision(_Asked, frozen=True, kw_only=True):
    request: str
    granted: bool


class _Other(_Asked, frozen=True, kw_only=True):
    other: str


class _Split(_Asked, frozen=True, kw_only=True):
    parts: list[Part]


class _Number(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: str


def step(node: NodeContext, args: Mapping[str, Any]) -> Items:
    """``case.step``: {number, step, actor, post, unit?, opinion?, department?, collector?, limit?, attachments? …}."""
    ask = _read(args, _Step)
    yield shown(
        CaseDesk(node).step(
            ask.number, ask.step, ask.who, ask.said, department=ask.department, collector=ask.collector,
            limit=ask.limit, reason=ask.reason,
        )
    )  # fmt: skip


def request(node: NodeContext, args: Mapping[str, Any]) -> Items:
    """``case.request``: {number, what, actor, post, unit?, opinion?, until?, id?}."""
    ask = _read(args, _Request)
    yield shown(CaseDesk(node).request(ask.number, ask.what, ask.who, ask.said, until=ask.until, id=ask.id))


def decide(node: NodeContext, args: Mapping[str, Any]) -> Items:
    """``case.decide``: {number, request, granted, actor, post, opinion?}."""
    ask = _read(args, _Decision)
    yield shown(CaseDesk(node).decide_request(ask.number, ask.request, ask.granted, ask.who, ask.said))


def resume(node: NodeContext, args: Mapping[str, Any]) -> Items:
    """``case.resume``: {number, actor, post, opinion}."""
    ask = _read(args, _Asked)
    yield shown(CaseDesk(node).resume(ask.number, ask.who, ask.said))


def merge(node: NodeContext, args: Mapping[str, Any]) -> Items:
    """``case.merge``: {number, other, actor, post, opinion}."""
    ask = _read(args, _Other)
    yield shown(CaseDesk(node).merge(ask.number, ask.other, ask.who, ask.said))


def unmerge(node: NodeContext, args: Mapping[str, Any]) -> Items:
    """``case.unmerge``: {number, actor, post, opinion}."""
    ask = _read(args, _Asked)
    yield shown(CaseDesk(node).unmerge(ask.number, ask.who, ask.said))


def link(node: NodeContext, args: Mapping[str, Any]) -> Items:
    """``case.link``: {number, other, actor, post}."""
    ask = _read(args, _Other)
    yield shown(CaseDesk(node).link(ask.number, ask.other, ask.who, ask.said))


def split(node: NodeContext, args: Mapping[str, Any]) -> Items:
    """``case.split``: {number, parts: [{kind, category, component?}], actor, post, opinion}."""
    ask = _read(args, _Split)
    cases = split_case(CaseDesk(node), ask.number, ask.parts, ask.who, ask.said)
    yield {"cases": [shown(case) for case in cases]}


def can(node: NodeContext, args: Mapping[str, Any]) -> Items:
    """``case.can``: {number, actor, post, unit?}: what may be done now, and why not."""
    ask = _read(args, _Asked)
    yield {"can": [asdict(may) for may in CaseDesk(node).may(ask.number, ask.who, ask.unit)]}


def show(node: NodeContext, args: Mapping[str, Any]) -> Items:
    """``case.show``: {number}: the case as it stands."""
    yield shown(CaseDesk(node).case(_read(args, _Number).number))


def tick(node: NodeContext, _args: Mapping[str, Any]) -> Items:
    """``case.tick``: write what is due now instead of waiting for the timer."""
    yield {"entries": DeskTimer(CaseDesk(node)).tick()}


ACTIONS = {
    "case.step": (step, "take a step with a case"),
    "case.request": (request, "ask for a side flow of a case"),
    "case.decide": (decide, "grant or refuse a request"),
    "case.resume": (resume, "end a suspension before its date"),
    "case.merge": (merge, "merge a case into another"),
    "case.unmerge": (unmerge, "undo a merge"),
    "case.link": (link, "link two cases"),
    "case.split": (split, "split a case into linked ones"),
    "case.can": (can, "what may be done with a case now, and why not"),
    "case.show": (show, "a case as it stands"),
    "case.tick": (tick, "write what is due now"),
}


def shown(case: Case) -> AdminResult:
    """A case as plain values."""
    return {
        "number": case.number,
        "version": case.version,
        "stage": case.stage,
        "state": case.state,
        "final": case.final,
        "department": case.department,
        "clock": case.clock,
        "deadline": case.deadline,
        "until": case.until,
        "merged_into": case.merged_into,
        "counts": dict(case.counts),
        "requests": [{"id": one.id, "what": one.what, "state": one.state} for one in case.requests],
        "links": [{"other": one.other, "kind": one.kind, "live": one.live} for one in case.links],
    }


def _read(args: Mapping[str, Any], form: type[T]) -> T:
    try:
        return msgspec.convert(dict(args), form, strict=True)
    except msgspec.ValidationError as error:
        raise BadInput(f"arguments: {error}") from error
