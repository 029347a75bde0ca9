"""What a terminal's answer does to its case: the reactor `casework.move_by_answer`, and the person who decides otherwise.

An answer that may be believed takes the step that the case's own step table names (``[answers]``), as if the terminal's
holder had taken it at a desk: every rule of the desk holds. Any other one is kept, shown, and waits for a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec
from sqlalchemy import select

from wanmi.case_kinds import CaseStepped
from wanmi.cases import Ask, Asked, Case, Decision, StepTable
from wanmi.cases.refusing import refuse_missing, refuse_post, tell_done, what_now
from wanmi.cases.table import AnswerRule, AnswerStep
from wanmi.entries import EVERYONE
from wanmi.errors import BadInput, Conflict, NotFound, WanmiError
from wanmi.hookspecs import Actor
from wanmi.journal import body_of
from wanmi.models import TerminalRow, table
from wanmi.registry import Draft, NodeContext, Stored
from wanmi.reports.bodies import Outcome, TaskJudged, TaskWeighed, Why, task_subject
from wanmi_casework.desk import CaseDesk

NAME = "casework.move_by_answer"
COLLECTOR = "collector"
"""The post under which a terminal's holder answers."""
MOST_TOLD = 1000
"""Characters of an explanation."""


@dataclass(frozen=True)
class Weighed:
    """What an answer comes to: ``decision`` is the step, where it may be taken; ``told`` explains what holds it up."""

    outcome: Outcome
    why: Why = ""
    told: str = ""
    step: str | None = None
    decision: Decision | None = None


class AnswerMover:
    """Decides on answers, one node's; what it keeps is the node's desk."""

    def __init__(self) -> None:
        self._desk: CaseDesk | None = None

    def decide(self, node: NodeContext, batch: Sequence[Stored]) -> Iterator[tuple[Stored, Draft]]:
        """The step of each believed answer, and for every answer an entry that says what became of it."""
        if node.role != "district":
            return
        desk = self._desk = self._desk or CaseDesk(node)
        ahead: dict[str, Case] = {}
        for stored in batch:
            if stored.entry is None or stored.origin != node.code:
                continue
            judged = body_of(stored.entry, TaskJudged)
            if judged.case is not None:
                yield from ((stored, draft) for draft in _drafts(desk, judged, judged.case, ahead))


def _drafts(desk: CaseDesk, judged: TaskJudged, number: str, ahead: dict[str, Case]) -> Iterator[Draft]:
    """``ahead``: cases as earlier answers of the same batch will have left them."""
    try:
        case = ahead.get(number) or desk.own(number)
    except WanmiError as error:
        yield weighed_draft(desk.node, judged, number, Weighed("waits", "no_case", str(error)))
        return
    actor = holder_of(desk.node, judged.terminal)
    weighed = weigh(desk, case, judged, actor)
    if weighed.decision is not None:
        yield desk.draft(weighed.decision, actor)
        ahead[number] = _after(case, weighed.decision)
    yield weighed_draft(desk.node, judged, number, weighed)


def weigh(desk: CaseDesk, case: Case, judged: TaskJudged, actor: str, by: Actor | None = None) -> Weighed:
    """What the answer comes to as the case stands; ``by`` is who decided that it counts, None: nobody yet."""
    steps = desk.table(case)
    rule = steps.answers.get(judged.kind) if judged.kind != "survey" else None
    move = rule.step_for(judged.result) if rule is not None else None
    if rule is None or move is None:
        told = f"the step table {steps.name} says no step for the answer {judged.result} to a {judged.kind} task"
        return Weighed("waits", "no_step", told)
    if case.state not in steps.step(move.step).from_:
        return Weighed("late", "moved_on", moved_on(steps, case, move), move.step)
    held = _held_up(rule, judged) if by is None else None
    if held is not None:
        return replace(held, step=move.step)
    try:
        return Weighed("moved", step=move.step, decision=desk.decision(case, answer_ask(move, judged, actor, by)))
    except WanmiError as error:
        return Weighed("waits", "refused", str(error), move.step)


def _held_up(rule: AnswerRule, judged: TaskJudged) -> Weighed | None:
    """Why a person has to look first, None when nobody need."""
    seen = judged.presence
    if judged.withdrawn:
        return Weighed("waits", "withdrawn", f"task {judged.task_id} was withdrawn before it was answered")
    if seen.grade not in rule.presence:
        doubts = ", ".join(seen.reasons) or "no doubt named"
        told = f"{judged.terminal} is judged {seen.grade} ({doubts}; {seen.distance_m} m from the place)"
        return Weighed("waits", "presence", told)
    if rule.confirmed:
        return Weighed("waits", "confirm", "the step table has every answer confirmed by a person")
    return None


def answer_ask(move: AnswerStep, judged: TaskJudged, actor: str, by: Actor | None = None) -> Ask:
    """The ask of the terminal's holder: the answer's photos and sealed remark come along, the task is named."""
    return Ask(
        actor, COLLECTOR, opinion=move.opinion, fields={**move.fields, "task": judged.task_id},
        attachments=tuple(judged.attachments), step=move.step, confirmed_by=by.id if by is not None else None,
    )  # fmt: skip


def moved_on(steps: StepTable, case: Case, move: AnswerStep) -> str:
    """What happened to the case meanwhile, and what may be done now."""
    last = tell_done(steps, case.history[-1])
    return f"{move.step} came late: the case is {case.state} ({last}); {what_now(steps, case)}"


def holder_of(node: NodeContext, terminal: str) -> str:
    """The person who carries the terminal, by the district's admission; the terminal itself where nobody is named."""
    row = table(TerminalRow).c
    query = select(row.holder).where(row.district == node.code, row.terminal == terminal)
    with node.store.reader() as tx:
        return tx.execute(query).scalar() or terminal


def weighed_draft(
    node: NodeContext, judged: TaskJudged, case: str, weighed: Weighed, by: Actor | None = None, opinion: str = ""
) -> Draft:
    """The entry that says what became of an answer."""
    body = TaskWeighed(
        judged.task_id, case, judged.answer, weighed.outcome, weighed.why, weighed.told[:MOST_TOLD], weighed.step,
        by.post if by is not None else None, opinion,
    )  # fmt: skip
    maker = f"casework@{node.registry.plugins.get('casework', '0')}"
    actor = by.id if by is not None else None
    return Draft("task.weighed", task_subject(node.code, judged.task_id), body, EVERYONE, actor, by=maker)


def decide_answer(desk: CaseDesk, task_id: str, accepted: bool, actor: Actor, opinion: str) -> None:
    """A person says whether an answer that waits counts. Accepted, it takes its step in the same transaction.

    Raises NotFound, Conflict (decided already), NotAllowed (post, axis, the case moved on), BadInput (no words).
    """
    node = desk.node
    judged, last, version = answer_that_waits(node, task_id)
    case = desk.own(last.case)
    steps = desk.table(case)
    rule = steps.answers.get(judged.kind) if judged.kind != "survey" else None
    ask = Asked(actor.id, actor.post, opinion=opinion)
    refuse_post(
        steps, case, rule.posts if rule is not None else ["operator", "shift_leader"], ask, "decide on an answer"
    )
    refuse_missing(case, steps.act("merge"), ask, "decide on an answer")
    drafts = []
    weighed = Weighed("set_aside", last.why, last.told, last.step)
    if accepted:
        holder = holder_of(node, judged.terminal)
        found = weigh(desk, case, judged, holder, actor)
        if found.decision is None:
            raise Conflict(f"task {task_id}: its answer cannot be accepted: {found.told}; set it aside instead")
        weighed = replace(found, outcome="accepted", why=last.why, told=last.told)
        drafts.append(desk.draft(found.decision, holder))
    said = weighed_draft(node, judged, case.number, weighed, actor, opinion)
    node.journal.append(*drafts, msgspec.structs.replace(said, expect=version)).result()


def answer_that_waits(node: NodeContext, task_id: str) -> tuple[TaskJudged, TaskWeighed, int]:
    """The judged answer of a task of this district that waits for a person, and the version of its subject."""
    entries = [one.entry for one in node.journal.subject(task_subject(node.code, task_id)) if one.entry is not None]
    if not entries:
        raise NotFound(f"task {task_id}: {node.code} sent no such task")
    weighed = [one for one in entries if one.kind == "task.weighed"]
    if not weighed:
        raise Conflict(f"task {task_id}: there is no answer to decide on")
    last = body_of(weighed[-1], TaskWeighed)
    if last.outcome != "waits":
        who = f" by {weighed[-1].actor}" if weighed[-1].actor else ""
        raise Conflict(f"task {task_id}: its answer does not wait, it was {last.outcome}{who}")
    judged = next(body_of(one, TaskJudged) for one in entries if one.kind == "task.judged")
    return judged, last, entries[-1].version


def _after(case: Case, decision: Decision) -> Case:
    body = decision.body
    if not isinstance(body, CaseStepped):
        raise BadInput(f"case {case.number}: {decision.kind} is no step")
    return replace(case, state=body.state, version=case.version + 1, collector=body.collector, final=body.final)
