"""The desk: staff's asks on a node's own cases become entries, each decided on the case as it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from typing import Any

import msgspec
import orjson
from sqlalchemy.exc import IntegrityError

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
    may_now,
)
from wanmi.codes import Profile
from wanmi.entries import EVERYONE
from wanmi.errors import BadInput, Conflict, NotAllowed, WanmiError
from wanmi.hookspecs import Actor
from wanmi.ids import ulid
from wanmi.kinds import Attachment
from wanmi.profiles import ProfileStore
from wanmi.registry import Draft, NodeContext, Stored
from wanmi.workdays import CalendarKeeper
from wanmi_casework.desk_keys import AskKey, earlier_answer, remember
from wanmi_casework.desk_shelf import CaseShelf
from wanmi_casework.desk_time import DeskTiming
from wanmi_casework.routing import refuse_contested, suggest
from wanmi_casework.settings import CaseworkSettings

TRIES = 5


@dataclass(frozen=True)
class Said:
    """What comes with any ask: for which unit, in which words, with what attached; ``expect`` the version looked at.

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
class Made:
    """What an ask made: (subject, version) pairs, and the entries unless it made them earlier under the same key."""

    pairs: tuple[tuple[str, int], ...]
    stored: tuple[Stored, ...] = ()


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
        self._profiles = ProfileStore(node, node.settings.section("casework", CaseworkSettings).profile)
        self._calendar = CalendarKeeper(node)
        self._shelf = CaseShelf(node)
        self._by = f"casework@{node.registry.plugins.get('casework', '0')}"
        self._audience = (node.parent,) if node.parent is not None else EVERYONE

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
        return may_now(self.table(case), case, Ask(actor.id, actor.post, unit), self.node.clock.now())

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
        return self._do(number, ask, said.key, lambda case, table: [self._step(case, table, ask)])

    def request(
        self, number: str, what: str, actor: Actor, said: Said = NOTHING, *, until: int | None = None, id: str = ""
    ) -> Case:
        """Ask for a side flow; the new request is the case's last one. ``id`` may be made by the client."""
        ask = RequestAsk(**who_asks(actor, said), id=id, what=what, until=until)
        made = replace(ask, id=id or ulid(self.node.clock.now(), self.node.ids))
        return self._do(number, ask, said.key, lambda case, table: [decide_request(table, case, made, self._now())])

    def decide_request(self, number: str, request: str, granted: bool, actor: Actor, said: Said = NOTHING) -> Case:
        """Grant or refuse a request, as one of its reviewers."""
        ask = ReviewAsk(**who_asks(actor, said), id=request, granted=granted)
        return self._do(
            number, ask, said.key,
            lambda case, table: [decide_review(table, case, ask, self._now(), self.timing(table))],
        )  # fmt: skip

    def resume(self, number: str, actor: Actor, said: Said = NOTHING) -> Case:
        """End a suspension before its date."""
        ask = Asked(**who_asks(actor, said))
        return self._do(
            number, ask, said.key,
            lambda case, table: [decide_resume(table, case, ask, self._now(), self.timing(table))],
        )  # fmt: skip

    def merge(self, number: str, into: str, actor: Actor, said: Said = NOTHING) -> Case:
        """Merge a case into another one of this node; ``unmerge`` undoes it."""
        ask = LinkAsk(**who_asks(actor, said), other=into, kind="merged")
        return self._do(
            number, ask, said.key,
            lambda case, table: decide_merge(table, case, self.own(into), ask, self._now(), self.timing(table)),
        )  # fmt: skip

    def unmerge(self, number: str, actor: Actor, said: Said = NOTHING) -> Case:
        """Undo a merge: the case stands where it stood."""
        ask = LinkAsk(**who_asks(actor, said), kind="merged")

        def deciding(case: Case, table: StepTable) -> list[Decision]:
            into = self.own(case.merged_into) if case.merged_into else case
            return decide_unmerge(table, case, into, ask, self._now(), self.timing(table))

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
        if key is None:
            return self.node.journal.append(*drafts).result()
        at = self._now()
        return self.node.journal.append(*drafts, also=lambda tx, made: remember(tx, key, made, at)).result()

    def draft(self, decision: Decision, actor: str | None) -> Draft:
        """A decision as the entry to append."""
        return Draft(
            decision.kind, f"case:{decision.number}", decision.body, self._audience, actor, by=self._by,
            expect=decision.expect,
        )  # fmt: skip

    def once(self, ask: AskKey, deciding: Callable[[bool], list[Draft]]) -> Made:
        """Write what ``deciding`` drafts, or answer what the same ask made before.

        ``deciding(fresh)`` may first work on what is at hand; who is refused or beaten by another writer then is asked
        again on the case as it is: an ask that named the version it looked at is told who was first.
        """
        if ask.key:
            ask.check()
        for attempt in range(1, TRIES + 1):
            earlier = earlier_answer(self.node.store, ask) if ask.key else None
            if earlier is not None:
                return Made(tuple(earlier))
            try:
                stored = self.append(deciding(attempt > 1), ask if ask.key else None)
            except (WanmiError, IntegrityError) as error:
                if attempt == TRIES or (attempt > 1 and isinstance(error, WanmiError) and not is_race(error)):
                    raise
                continue
            pairs = tuple((one.entry.subject, one.entry.version) for one in stored if one.entry is not None)
            return Made(pairs, tuple(stored))
        raise Conflict("the case changes faster than it can be worked; look at it again")

    def _do(self, number: str, ask: Asked, key: str, deciding: Callable[[Case, StepTable], list[Decision]]) -> Case:
        worked: list[Case] = []

        def drafts(fresh: bool) -> list[Draft]:
            worked[:] = [self.own(number, fresh=fresh)]
            return [self.draft(one, ask.actor) for one in deciding(worked[0], self.table(worked[0]))]

        made = self.once(ask_key(ask, number, key), drafts)
        if made.stored:
            return self._shelf.after(worked[0], made.stored)
        subject = f"case:{number}"
        return self.case(number, next(version for one, version in reversed(made.pairs) if one == subject))

    def decision(self, case: Case, ask: Ask) -> Decision:
        """A step that may be taken, to be written together with something else."""
        return self._step(case, self.table(case), ask)

    def _step(self, case: Case, table: StepTable, ask: Ask) -> Decision:
        return decide(table, case, self._completed(case, table, ask), self._now(), self.timing(table))

    def _completed(self, case: Case, table: StepTable, ask: Ask) -> Ask:
        """What routing suggests where the actor left it out, department and limit, and which rules said so."""
        step = table.step(ask.step)
        no_department = "department" in step.requires and ask.department is None
        no_limit = "limit" in step.sets and ask.limit is None
        if not no_department and not no_limit:
            return ask
        route = suggest(self.node, case.opened, self._now())
        if no_department and route.contested and case.state in step.from_ and ask.post in step.posts:
            refuse_contested(self.node, case.number, route, ask.actor)
        said: dict[str, str | int] = {}
        if no_department and route.department is not None:
            ask = replace(ask, department=route.department)
            said |= {"rule": route.rule or "", "routing": route.version}
            said |= {"arbitrated": route.arbitrated} if route.arbitrated is not None else {}
        if no_limit and route.limit is not None:
            ask = replace(ask, limit=Limit(route.limit.value, route.limit.unit))
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
        return self.node.clock.now()


def ask_key(ask: Asked, number: str, key: str) -> AskKey:
    """The key of an ask, with what was asked; BadInput for text or numbers that no entry can hold."""
    said = {one.name: msgspec.to_builtins(getattr(ask, one.name)) for one in fields(ask)}
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


def is_race(error: WanmiError) -> bool:
    """Whether the journal refused because another entry came in between (then it is decided anew)."""
    return isinstance(error, Conflict) and "somebody else wrote first" in str(error)


def _tried(number: str, work: Callable[[str], Case]) -> BulkResult:
    try:
        return BulkResult(number, work(number), None)
    except WanmiError as error:
        return BulkResult(number, None, error)
