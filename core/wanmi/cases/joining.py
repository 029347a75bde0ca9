"""Cases that belong together: links, merges that can be undone, splits. Pure."""

from __future__ import annotations

import re

from wanmi.case_kinds import CaseLinked, CaseMerged, CaseUnlinked, CaseUnmerged, ClockEffect
from wanmi.cases.asking import Asked, Decision, LinkAsk, Timing
from wanmi.cases.case import Case
from wanmi.cases.deciding import Change, effect_of, instant, refuse_final
from wanmi.cases.refusing import refuse_missing, refuse_old_version, refuse_post
from wanmi.cases.table import StepTable
from wanmi.errors import BadInput, Conflict, NotAllowed

_NUMBER = re.compile(r"[0-9]{6,10}-[0-9A-Za-z]{1,20}-[0-9]{8}-[0-9]{4,12}")


def decide_link(table: StepTable, case: Case, ask: LinkAsk, act: str = "link") -> Decision:
    """The entry that links another case (known here or not) with this one."""
    rule = table.act(act)
    refuse_old_version(table, case, ask)
    refuse_post(table, case, rule.posts, ask, act)
    refuse_missing(case, rule, ask, act)
    if not _NUMBER.fullmatch(ask.other):
        raise BadInput(f"case {case.number}: {ask.other[:60]!r} is no case number")
    if ask.other == case.number:
        raise BadInput(f"case {case.number}: a case is not linked with itself")
    if any(link.live and (link.other, link.kind) == (ask.other, ask.kind) for link in case.links):
        raise Conflict(f"case {case.number}: it is linked with {ask.other} ({ask.kind}) already")
    return _linked(table, case, ask, ask.other, ask)


def _linked(table: StepTable, case: Case, ask: Asked, other: str, how: LinkAsk) -> Decision:
    body = CaseLinked(other, how.kind, ask.post, table.axis(ask.post), ask.opinion)
    return Decision(case.number, "case.linked", body, case.version)


def decide_merge(
    table: StepTable, case: Case, into: Case, ask: LinkAsk, now: int, timing: Timing | None = None
) -> list[Decision]:
    """The entries that merge ``case`` into ``into`` (both of one owner), to be written together.

    Nothing is lost: the case keeps its entries, its clocks pause, and ``decide_unmerge`` undoes it.
    """
    rule = table.act("merge")
    refuse_old_version(table, case, ask)
    for one in (case, into):
        refuse_final(table, one, "be merged")
        refuse_post(table, one, rule.posts, ask, "merge")
    refuse_missing(case, rule, ask, "merge")
    _refuse_merge(table, case, into)
    clocks = [ClockEffect(case.clock, "pause", instant(case, now))] if case.clock else []
    effect = effect_of(table, case, Change(rule.to, clocks, ["merged"]), timing)
    body = CaseMerged(into.number, ask.post, table.axis(ask.post), ask.opinion, effect)
    return [
        Decision(case.number, "case.merged", body, case.version),
        _linked(table, into, ask, case.number, LinkAsk(ask.actor, ask.post, kind="merged")),
    ]


def _refuse_merge(table: StepTable, case: Case, into: Case) -> None:
    if case.number == into.number:
        raise BadInput(f"case {case.number}: a case is not merged into itself")
    if case.owner != into.owner:
        raise NotAllowed(
            f"case {case.number}: {into.number} is a case of {into.owner}; a node merges only its own, link them instead"
        )
    if case.merged_here():
        raise NotAllowed(
            f"case {case.number}: {', '.join(case.merged_here())} is merged into it; undo that, or merge the other way"
        )
    if table.states[case.state].paused:
        raise NotAllowed(f"case {case.number}: it is suspended; resume it first")
    if case.open_requests():
        waiting = ", ".join(f"{one.what} ({one.id})" for one in case.open_requests())
        raise NotAllowed(f"case {case.number}: decide on its requests first: {waiting}")


def decide_unmerge(
    table: StepTable, case: Case, into: Case, ask: Asked, now: int, timing: Timing | None = None
) -> list[Decision]:
    """The entries that undo a merge: the case stands where it stood, its clock goes on."""
    rule = table.act("unmerge")
    refuse_old_version(table, case, ask)
    if case.merged_into is None or case.held is None:
        raise NotAllowed(f"case {case.number}: it is {case.state}, not merged into another; there is nothing to undo")
    refuse_post(table, case, rule.posts, ask, "unmerge")
    refuse_post(table, into, rule.posts, ask, "unmerge")
    refuse_missing(case, rule, ask, "unmerge")
    clocks = [ClockEffect(case.clock, "resume", instant(case, now))] if case.clock else []
    effect = effect_of(table, case, Change(case.held, clocks, ["unmerged"]), timing)
    axis = table.axis(ask.post)
    return [
        Decision(case.number, "case.unmerged", CaseUnmerged(case.merged_into, ask.post, axis, ask.opinion, effect), case.version),
        Decision(into.number, "case.unlinked", CaseUnlinked(case.number, "merged", ask.post, axis, ask.opinion), into.version),
    ]  # fmt: skip
