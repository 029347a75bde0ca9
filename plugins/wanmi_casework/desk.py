"""The desk: staff's asks on a node's own cases become entries, each decided on the case as it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from typing import Any, Self, TypeVar

import msgspec
import orjson
from sqlalchemy import Connection

from wanmi.case_kinds import Limit, LinkKind
from wanmi.cases import (
    Ask,
    Asked,
    Case,
    Decision,
    LinkAsk,
    May,
    RequestAsk,
    ReviewAsk,
    StepTable,
    decide,
    decide_link,
    decide_merge,
    decide_request,
    decide_resume,
    decide_review,
    decide_unmerge,
    going_on,
    may_now,
)
from wanmi.cases.table import Step
from wanmi.codes import Profile
from wanmi.entries import EVERYONE
from wanmi.errors import BadInput, NotAllowed, WanmiError
from wanmi.hookspecs import Actor
from wanmi.ids import ulid
from wanmi.kinds import Attachment
from wanmi.profiles import ProfileStore
from wanmi.query.known import known_of
from wanmi.registry import Draft, NodeContext, Stored
from wanmi.workdays import CalendarKeeper
from wanmi_casework.attached import attachable, attached_by, spend
from wanmi_casework.desk_keys import AskKey, remember
from wanmi_casework.desk_rounds import Made, play, play_async, rounds
from wanmi_casework.desk_shelf import CaseShelf
from wanmi_casework.desk_time import DeskTiming
from wanmi_casework.routing import refuse_contested, suggest

A = TypeVar("A", bound=Asked)


@dataclass(frozen=True)
class Said:
    """What comes with any ask: for which unit, in which words, with what attached; ``expect`` the version looked at.

    Of ``attachments`` only the blobs are read (``wanmi_casework.attached``).

    ``key``: an ask with the same key of the same actor is done once; asking again answers the same.
    """

    unit: str | None = None
    opinion: str = ""
    expect: int | None = None
    fields: Mapping[str, str | int] = field(default_factory=dict)
    attachments: Sequence[Attachment] = ()
    key: str = ""


NOTHING = Said()


@dataclass(frozen=True)
class BulkResult:
    """What became of one case of a bulk ask: the case, or why not."""

    number: str
    case: Case | None
    error: WanmiError | None


class CaseDesk:
    """Works this node's own cases. Thread safe: the journal's version check decides who was first."""

    def __init__(self, node: NodeContext) -> None:
        self.node = node
        self._profiles = ProfileStore(node)
        self._calendar = CalendarKeeper(node)
        self._shelf = CaseShelf(node)
        self._by = f"casework@{node.registry.plugins.get('casework', '0')}"
        self._audience = (node.parent,) if node.parent is not None else EVERYONE

    def watching(self) -> Self:
        """For a desk that stays as long as its node: it looks for a new profile only when one came."""
        self._profiles.watching()
        return self

    # -- looking ------------------------------------------------------------------------------------------

    def case(self, number: str, version: int | None = None) -> Case:
        """A case that this node holds, as its owner's entries add up to it (up to a version); NotFound otherwise."""
        return self._shelf.read(number, version)

    def table(self, case: Case) -> StepTable:
        """The step table of the profile version that the case was opened under."""
        return self._profiles.steps(self.profile(case))

    def profile(self, case: Case) -> Profile:
        """The profile version that the case was opened under."""
        return self._profiles.of(case.opened.profile)

    def timing(self, table: StepTable) -> DeskTiming:
        """The clocks by the calendar as it is now."""
        return DeskTiming(table, self._calendar.calendar())

    def may(self, number: str, actor: Actor, unit: str | None = None) -> list[May]:
        """What leads out of the case's state: which of it this actor may do now, and why not."""
        case = self.case(number)
        return may_now(self.table(case), case, self._knowing(Ask(actor.id, actor.post, unit), case), self._now())

    # -- working ------------------------------------------------------------------------------------------

    def step(
        self,
        number: str,
        step: str,
        actor: Actor,
        said: Said = NOTHING,
        *,
        department: str | None = None,
        collector: str | None = None,
        limit: Limit | None = None,
        reason: str | None = None,
    ) -> Case:
        """Take a step. Raises Conflict, NotAllowed, BadInput, NotFound; each says what may be done instead."""
        ask = Ask(
            **who_asks(actor, said), step=step, department=department, collector=collector, limit=limit, reason=reason
        )
        return self.take(number, ask, said.key)

    def take(self, number: str, ask: Ask, key: str = "") -> Case:
        """Take the step that an ask names."""
        return self._do(number, ask, key, self._stepping(ask))

    async def take_async(self, number: str, ask: Ask, key: str = "") -> Case:
        """As ``take``, in the event loop: only the reading of a case and what routing is asked block it shortly."""
        worked = [self.own(number, fresh=False)]
        if ask.attachments or any(_left_out(self.table(worked[0]).step(ask.step), ask)):
            from starlette.concurrency import run_in_threadpool

            return await run_in_threadpool(self.take, number, ask, key)
        drafting = self._drafting(number, ask, self._stepping(ask), worked)
        return self._worked(number, await self.once_async(ask_key(ask, number, key), drafting), worked)

    def request(
        self, number: str, what: str, actor: Actor, said: Said = NOTHING, *, until: int | None = None, id: str = ""
    ) -> Case:
        """Ask for a side flow; the new request is the case's last one. ``id`` may be made by the client."""
        ask = RequestAsk(**who_asks(actor, said), id=id, what=what, until=until)
        made = replace(ask, id=id or ulid(self.node.clock.now(), self.node.ids))
        return self._do(
            number,
            ask,
            said.key,
            lambda case, table: [decide_request(table, case, self._knowing(made, case), self._now())],
        )

    def decide_request(self, number: str, request: str, granted: bool, actor: Actor, said: Said = NOTHING) -> Case:
        """Grant or refuse a request, as one of its reviewers."""
        ask = ReviewAsk(**who_asks(actor, said), id=request, granted=granted)
        return self._do(
            number, ask, said.key,
            lambda case, table: [
                decide_review(table, case, self._knowing(ask, case), self._now(), self.timing(table))
            ],
        )  # fmt: skip

    def resume(self, number: str, actor: Actor, said: Said = NOTHING) -> Case:
        """End a suspension before its date."""
        ask = Asked(**who_asks(actor, said))
        return self._do(
            number, ask, said.key,
            lambda case, table: [
                decide_resume(table, case, self._knowing(ask, case), self._now(), self.timing(table))
            ],
        )  # fmt: skip

    def merge(self, number: str, into: str, actor: Actor, said: Said = NOTHING) -> Case:
        """Merge a case into another one of this node; ``unmerge`` undoes it."""
        ask = LinkAsk(**who_asks(actor, said), other=into, kind="merged")

        def deciding(case: Case, table: StepTable) -> list[Decision]:
            other = self.own(into)
            known = self._knowing(ask, case, other)
            return decide_merge(table, case, other, known, self._now(), self.timing(table))

        return self._do(number, ask, said.key, deciding)

    def unmerge(self, number: str, actor: Actor, said: Said = NOTHING) -> Case:
        """Undo a merge: the case stands where it stood."""
        ask = LinkAsk(**who_asks(actor, said), kind="merged")

        def deciding(case: Case, table: StepTable) -> list[Decision]:
            into = self.own(case.merged_into) if case.merged_into else case
            known = self._knowing(ask, case, into)
            return decide_unmerge(table, case, into, known, self._now(), self.timing(table))

        return self._do(number, ask, said.key, deciding)

    def link(self, number: str, other: str, actor: Actor, said: Said = NOTHING, *, kind: LinkKind = "similar") -> Case:
        """Link a case with another one, known here or not; when it is this node's own, that one is linked back."""
        ask = LinkAsk(**who_asks(actor, said), other=other, kind=kind)
        return self._do(number, ask, said.key, lambda case, table: self._links(case, table, ask))

    def reopen(self, number: str, actor: Actor, said: Said = NOTHING) -> Case:
        """Ask for a closed case to be worked again; a shift leader decides on it."""
        return self.request(number, "reopen", actor, said)

    def bulk(self, numbers: Sequence[str], work: Callable[[str], Case]) -> list[BulkResult]:
        """The same work on many cases: a result per case, one refusal stops no other."""
        return [_tried(number, work) for number in dict.fromkeys(numbers)]

    # -- writing ------------------------------------------------------------------------------------------

    def append(self, drafts: Sequence[Draft], key: AskKey | None = None) -> list[Stored]:
        """Append drafts together, with the key in the same transaction."""
        return self.node.journal.append(*drafts, also=self._also(key, drafts)).result()

    def _also(self, key: AskKey | None, drafts: Sequence[Draft]) -> Callable[[Connection, list[Stored]], None] | None:
        """Keep the key, if there is one, with what was made under it, and use up the receipts of what is attached."""
        kept, blobs, at = key if key is not None and key.key else None, attached_by(drafts), self._now()
        if kept is None and not blobs:
            return None

        def also(tx: Connection, made: list[Stored]) -> None:
            if kept is not None:
                remember(tx, kept, made, at)
            spend(tx, blobs, made)

        return also

    def draft(self, decision: Decision, actor: str | None) -> Draft:
        """A decision as the entry to append."""
        return Draft(
            decision.kind, f"case:{decision.number}", decision.body, self._audience, actor, by=self._by,
            expect=decision.expect,
        )  # fmt: skip

    def once(self, ask: AskKey, deciding: Callable[[bool], list[Draft]]) -> Made:
        """Write what ``deciding(fresh)`` drafts, or answer what the same ask made before (``desk_rounds``)."""
        return play(rounds(self.node.store, ask, deciding), lambda drafts: self.append(drafts, ask))

    async def once_async(self, ask: AskKey, deciding: Callable[[bool], list[Draft]]) -> Made:
        """As ``once``, without a thread that waits for the commit."""
        append = self.node.journal.append_async
        return await play_async(
            rounds(self.node.store, ask, deciding), lambda drafts: append(*drafts, also=self._also(ask, drafts))
        )

    def _do(self, number: str, ask: Asked, key: str, deciding: Callable[[Case, StepTable], list[Decision]]) -> Case:
        worked: list[Case] = []
        made = self.once(ask_key(ask, number, key), self._drafting(number, ask, deciding, worked))
        return self._worked(number, made, worked)

    def _drafting(
        self, number: str, ask: Asked, deciding: Callable[[Case, StepTable], list[Decision]], worked: list[Case]
    ) -> Callable[[bool], list[Draft]]:
        """Drafts of an ask on a case; ``worked`` holds the case that they are decided on, read when it is empty."""

        def drafts(fresh: bool) -> list[Draft]:
            if fresh or not worked:
                worked[:] = [self.own(number, fresh=fresh)]
            return [self.draft(one, ask.actor) for one in deciding(worked[0], self.table(worked[0]))]

        return drafts

    def _worked(self, number: str, made: Made, worked: Sequence[Case]) -> Case:
        """The case after an ask."""
        if made.stored:
            return self._shelf.after(worked[0], made.stored)
        subject = f"case:{number}"
        return self.case(number, next(version for one, version in reversed(made.pairs) if one == subject))

    def decision(self, case: Case, ask: Ask) -> Decision:
        """A step that may be taken, to be written together with something else."""
        return self._step(case, self.table(case), replace(ask, known=known_of(self.node, ask, case)))

    def _stepping(self, ask: Ask) -> Callable[[Case, StepTable], list[Decision]]:
        return lambda case, table: [self._step(case, table, self._knowing(ask, case))]

    def _step(self, case: Case, table: StepTable, ask: Ask) -> Decision:
        return decide(table, case, self._completed(case, table, ask), self._now(), self.timing(table))

    def _knowing(self, ask: A, *cases: Case) -> A:
        """The ask with what this node knows about it, and about what it attaches."""
        attached = attachable(self.node, cases[0], ask.actor, ask.attachments)
        return replace(ask, known=known_of(self.node, ask, *cases), attachments=attached)

    def _completed(self, case: Case, table: StepTable, ask: Ask) -> Ask:
        """What routing suggests where the actor left it out, department and limit, and which rules said so."""
        step = table.step(ask.step)
        no_department, no_limit = _left_out(step, ask)
        if not no_department and ask.limit is None and not no_limit:
            return ask
        route = suggest(self.node, case.opened, self._now())
        if no_department and route.contested and case.state in step.from_ and ask.post in step.posts:
            refuse_contested(self.node, case.number, route, ask.actor)
        said: dict[str, str | int] = {}
        if no_department and route.department is not None:
            ask = replace(ask, department=route.department)
            said |= {"rule": route.rule or "", "routing": route.version}
            said |= {"arbitrated": route.arbitrated} if route.arbitrated is not None else {}
        usual = Limit(route.limit.value, route.limit.unit) if route.limit is not None else None
        if usual is not None:
            ask = replace(ask, known=replace(ask.known, usual=usual))
        if no_limit and usual is not None and going_on(table, case, step, ask) is None:
            ask = replace(ask, limit=usual)
            said |= {"limit_rule": route.limit_rule or "", "routing": route.version}
        return replace(ask, fields={**said, **ask.fields})

    def _links(self, case: Case, table: StepTable, ask: LinkAsk) -> list[Decision]:
        if ask.kind not in ("similar", "split"):
            raise BadInput(f"case {case.number}: links of kind {ask.kind} are made by what they tell of, not by hand")
        mine = decide_link(table, case, ask)
        if ask.other.partition("-")[0] != self.node.code:
            return [mine]
        other = self.own(ask.other)
        back = replace(ask, other=case.number, expect=None)
        if any(link.live and (link.other, link.kind) == (back.other, back.kind) for link in other.links):
            return [mine]
        return [mine, decide_link(self.table(other), other, back)]

    def own(self, number: str, *, fresh: bool = True) -> Case:
        """A case of this very node, read anew or as it is at hand; NotAllowed for another's."""
        case = self._shelf.fresh(number) if fresh else self._shelf.take(number)
        if case.owner != self.node.code:
            raise NotAllowed(
                f"case {number}: it is a case of {case.owner} and keeps its owner; only there it is worked, "
                "an order can ask for it"
            )
        return case

    def _now(self) -> int:
        """Now, but never before what this node wrote last: a clock that was set back makes nothing early."""
        return max(self.node.clock.now(), self.node.journal.last_at)


def ask_key(ask: Asked, number: str, key: str) -> AskKey:
    """The key of an ask, with what was asked; BadInput for text or numbers that no entry can hold."""
    said = {one.name: msgspec.to_builtins(getattr(ask, one.name)) for one in fields(ask) if one.name != "known"}
    try:
        raw = orjson.dumps([number, type(ask).__name__, said], option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise BadInput(f"case {number}: what was said cannot be kept: {error}") from error
    if b"\\u0000" in raw:
        raise BadInput(f"case {number}: what was said holds a NUL character; take it out")
    return AskKey(ask.actor, key, sha256(raw).hexdigest())


def who_asks(actor: Actor, said: Said) -> dict[str, Any]:
    """The fields that every ask has."""
    return {
        "actor": actor.id,
        "post": actor.post,
        "unit": said.unit,
        "opinion": said.opinion,
        "expect": said.expect,
        "fields": dict(said.fields),
        "attachments": tuple(said.attachments),
    }


def _left_out(step: Step, ask: Ask) -> tuple[bool, bool]:
    """Whether routing is asked for the department, for the limit."""
    return "department" in step.requires and ask.department is None, "limit" in step.sets and ask.limit is None


def _tried(number: str, work: Callable[[str], Case]) -> BulkResult:
    try:
        return BulkResult(number, work(number), None)
    except WanmiError as error:
        return BulkResult(number, None, error)
