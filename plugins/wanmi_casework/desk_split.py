"""Splitting a case (拆分): what is really several things becomes several cases, linked both ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
from sqlalchemy import func, select

from wanmi.case_kinds import CaseLinked
from wanmi.cases import FIRST_STAGE, FIRST_STATE, Case, Decision, LinkAsk, StepTable, decide_link
from wanmi.codes import CaseKind, CaseNumber, Profile, local_date
from wanmi.errors import BadInput, NotAllowed
from wanmi.hookspecs import Actor
from wanmi.kinds import CaseActor, CaseOpened
from wanmi.models import CaseRow, table
from wanmi.query.known import known_of
from wanmi.registry import Draft
from wanmi_casework.desk import NOTHING, CaseDesk, Said, ask_key, who_asks

MOST = 10
"""Parts of one split."""
MOST_CODE = 40
"""Characters of a component's code; the longest catalogue has 17."""


@dataclass(frozen=True)
class Part:
    """What a part of a split is about; place, report and photos are those of the case."""

    kind: CaseKind
    category: str
    component: str | None = None


def split_case(desk: CaseDesk, number: str, parts: Sequence[Part], actor: Actor, said: Said = NOTHING) -> list[Case]:
    """Open a linked case for each part; the case itself goes on. Answers the new cases."""
    if not 1 <= len(parts) <= MOST:
        raise BadInput(f"case {number}: a split has 1 to {MOST} parts")
    for part in parts:
        if len(part.component or "") > MOST_CODE:
            raise BadInput(f"case {number}: a part's component has at most {MOST_CODE} characters")
    ask = LinkAsk(**who_asks(actor, said), other=";".join(f"{p.kind} {p.category}" for p in parts), kind="split")

    def drafts(_fresh: bool) -> list[Draft]:
        case = desk.own(number)
        known = replace(ask, known=known_of(desk.node, ask, case))
        return _drafts(desk, case, desk.table(case), parts, known)

    made = desk.once(ask_key(ask, number, said.key), drafts)
    subjects = [subject for subject, version in made.pairs if version == 1]
    return [desk.case(subject.removeprefix("case:")) for subject in subjects]


def _drafts(desk: CaseDesk, case: Case, steps: StepTable, parts: Sequence[Part], ask: LinkAsk) -> list[Draft]:
    if case.final:
        raise NotAllowed(f"case {case.number}: it is {case.state}; open a case anew and link it instead")
    now = desk.node.clock.now()
    day = local_date(now).strftime("%Y%m%d")
    profile = desk.profile(case)
    first = _last_of_day(desk, day) + 1
    drafts: list[Draft] = []
    for n, part in enumerate(parts):
        body = _part(case, part, _number(desk, part, now, first + n, profile), day, first + n)
        body = msgspec.structs.replace(body, actors=_actors(case, ask, steps))
        drafts += _pair(desk, case, steps, body, ask, n)
    return drafts


def _number(desk: CaseDesk, part: Part, now: int, day_seq: int, profile: Profile) -> str:
    profile.category(
        part.kind, part.category
    )  # as for a report: nobody routes or limits what the catalogue does not hold
    return str(CaseNumber.of(desk.node.code, part.kind, part.category, now, day_seq, profile=profile))


def _pair(desk: CaseDesk, case: Case, steps: StepTable, body: CaseOpened, ask: LinkAsk, n: int) -> list[Draft]:
    """The part's opening with its link to the case, and the case's link to it."""
    link = decide_link(steps, case, replace(ask, other=body.number, expect=None if n else ask.expect), "split")
    back = CaseLinked(case.number, "split", ask.post, steps.axis(ask.post), ask.opinion)
    return [
        desk.draft(Decision(body.number, "case.opened", body, 0), ask.actor),
        desk.draft(Decision(body.number, "case.linked", back, 1), ask.actor),
        desk.draft(replace(link, expect=link.expect + n), ask.actor),
    ]


def _actors(case: Case, ask: LinkAsk, steps: StepTable) -> list[CaseActor]:
    """Who acted on the case, and who splits it: they stay on their axis in its parts."""
    axis = steps.axis(ask.post)
    mine = [(ask.actor, axis)] if axis is not None else []
    return [CaseActor(who, on) for who, on in dict.fromkeys([*case.actors, *mine])]


def _part(case: Case, part: Part, number: str, day: str, day_seq: int) -> CaseOpened:
    return msgspec.structs.replace(
        case.opened, number=number, day=day, day_seq=day_seq, kind=part.kind, category=part.category,
        component=part.component, stage=FIRST_STAGE, state=FIRST_STATE, similar=[],
    )  # fmt: skip


def _last_of_day(desk: CaseDesk, day: str) -> int:
    row = table(CaseRow).c
    query = select(func.coalesce(func.max(row.day_seq), 0)).where(row.owner == desk.node.code, row.day == day)
    with desk.node.store.reader() as connection:
        return int(connection.execute(query).scalar_one())
