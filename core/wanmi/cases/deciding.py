"""Whether a step may be taken, and the entry that takes it. Pure: case, table, ask and time come in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wanmi.case_kinds import CaseStepped, ClockEffect, Effect, Limit
from wanmi.cases.asking import Ask, Decision, Due, Timing
from wanmi.cases.case import Case, Mark, rounds_of
from wanmi.cases.limiting import going_on, refuse_limit
from wanmi.cases.refusing import (
    refuse_guards,
    refuse_missing,
    refuse_old_version,
    refuse_post,
    what_now,
    wrong_state,
)
from wanmi.cases.table import Rule, Step, StepTable
from wanmi.errors import BadInput, NotAllowed, WanmiError


@dataclass(frozen=True)
class Running:
    """The clock after some effects: which one runs with what limit, and when it runs out."""

    clock: str | None
    limit: Limit | None
    deadline: int | None
    warn: int | None


def decide(table: StepTable, case: Case, ask: Ask, now: int, timing: Timing | None = None) -> Decision:
    """The entry that takes the step.

    Raises Conflict (somebody was first), NotAllowed (state, post, axis, guard), BadInput (fields); each explains itself.
    """
    step = table.step(ask.step)
    refuse_old_version(table, case, ask)
    if case.state not in step.from_:
        raise wrong_state(table, case, step.to)
    refuse_post(table, case, step.posts, ask, ask.step)
    refuse_guards(table, case, step, ask, now, ask.step)
    refuse_missing(case, step, ask, ask.step)
    _refuse_fields(case, step, ask)
    refuse_limit(table, case, step, ask)
    return Decision(case.number, "case.stepped", _body(table, case, step, ask, now, timing), case.version)


def _refuse_fields(case: Case, step: Step, ask: Ask) -> None:
    """What the step does not let anybody set, and results that are none."""
    may = {*step.sets, *step.requires}
    given = {"department": ask.department, "collector": ask.collector, "limit": ask.limit}
    for name, value in given.items():
        if value is not None and name not in may:
            raise BadInput(f"case {case.number}: {ask.step} does not set the {name}")
    result = ask.fields.get("result")
    if step.results and result not in step.results:
        raise BadInput(f"case {case.number}: result {result!r} of {ask.step} must be one of {', '.join(step.results)}")


def _body(table: StepTable, case: Case, step: Step, ask: Ask, now: int, timing: Timing | None) -> CaseStepped:
    target = table.states[step.to]
    effects = _effects(table, case, step, ask, instant(case, now))
    department = ask.department if ask.department is not None else case.department
    running = run_clocks(table, case, effects, department, ask.limit, timing)
    return CaseStepped(
        step=ask.step,
        from_state=case.state,
        state=step.to,
        stage=target.stage,
        final=target.final,
        axis=table.axis(ask.post),
        post=ask.post,
        unit=ask.unit,
        opinion=ask.opinion,
        department=department,
        collector=ask.collector if "collector" in (*step.sets, *step.requires) else case.collector,
        clock=running.clock,
        limit=running.limit,
        deadline=running.deadline,
        warn=running.warn,
        clocks=effects,
        counts=list(step.counts),
        fields=dict(ask.fields),
        attachments=list(ask.attachments),
        reason=ask.reason,
        confirmed_by=ask.confirmed_by,
    )


def _effects(table: StepTable, case: Case, step: Step, ask: Ask, at: int) -> list[ClockEffect]:
    """What the step does to clocks; a clock that goes on runs as it did, or resumes."""
    effects = applied(case, step.effects(at))
    clock = step.starts
    if clock is None or going_on(table, case, step, ask) is None:
        return effects
    if case.clock == clock and case.department == ask.department:
        return [effect for effect in effects if effect.clock != clock]
    start = ClockEffect(clock, "start", at)
    return [ClockEffect(clock, "resume", at) if effect == start else effect for effect in effects]


def applied(case: Case, effects: Iterable[ClockEffect]) -> list[ClockEffect]:
    """Those effects that do something: a clock that does not run is not stopped, paused or extended."""
    clock, done = case.clock, []
    for effect in effects:
        if effect.what != "start" and effect.clock != clock:
            continue
        clock = effect.clock if effect.what != "stop" else None
        done.append(effect)
    return done


def instant(case: Case, now: int) -> int:
    """When a decision takes effect: now, but never before what was decided last (a clock may stand still)."""
    return max([now, *(mark.at for mark in case.marks[-1:])])


def run_clocks(
    table: StepTable,
    case: Case,
    effects: Sequence[ClockEffect],
    department: str | None,
    limit: Limit | None,
    timing: Timing | None,
) -> Running:
    """How the clocks stand after the effects, when ``department`` has the case; ``limit`` is given to one that starts.

    A clock that starts takes the given limit or its own one from the table; one that goes on keeps that of its round.
    """
    if not effects:
        return Running(case.clock, case.limit, case.deadline, case.warn)
    last = effects[-1]
    if last.what == "stop":
        return Running(None, None, None, None)
    marks = [Mark(one.clock, one.what, one.at, "", department) for one in effects if one.clock == last.clock]
    now = rounds_of((*case.clock_marks(last.clock), *marks))[-1]
    if last.what == "start":
        running = limit if limit is not None else table.clocks[last.clock].limit
    else:
        running = now.limit or case.limits.get(last.clock, case.limit)
    if running is None:
        return Running(last.clock, None, None, None)
    due: Due | None = timing(now.marks, running) if timing is not None else None
    return Running(last.clock, running, due.deadline if due else None, due.warn if due else None)


@dataclass(frozen=True)
class Change:
    """What brings a case to the state ``to`` (null: it stays), and what else it does."""

    to: str | None
    clocks: Sequence[ClockEffect] = ()
    counts: Sequence[str] = ()
    clears: Sequence[str] = ()
    until: int | None = None


def effect_of(table: StepTable, case: Case, change: Change, timing: Timing | None) -> Effect:
    """The change by value: how the case stands after it."""
    state = change.to if change.to is not None else case.state
    effects = applied(case, change.clocks)
    department = None if "department" in change.clears else case.department
    running = run_clocks(table, case, effects, department, None, timing)
    return Effect(
        from_state=case.state,
        state=state,
        stage=table.states[state].stage,
        final=table.states[state].final,
        department=department,
        collector=None if "collector" in change.clears else case.collector,
        clock=running.clock,
        limit=running.limit,
        deadline=running.deadline,
        warn=running.warn,
        until=change.until,
        clocks=effects,
        counts=list(change.counts),
    )


@dataclass(frozen=True)
class May:
    """Whether an actor may do something now; ``why`` tells why not. ``needs`` are the fields to fill."""

    what: str
    kind: str
    zh: str
    en: str
    allowed: bool
    why: str
    to: str | None
    needs: tuple[str, ...]


def may_now(table: StepTable, case: Case, ask: Ask, now: int) -> list[May]:
    """What leads out of the case's state: every step and request, whether this actor may, and why not.

    Missing fields are no reason: they are told as ``needs``.
    """
    found = []
    for name in table.steps_from(case.state):
        step = table.steps[name]
        why = _why_not(table, case, step.posts, step, ask, now, name)
        found.append(May(name, "step", step.zh, step.en, why is None, why or "", step.to, tuple(step.requires)))
    for name in table.requests_in(case.state):
        rule = table.request(name)
        why = _why_not(table, case, rule.posts, rule, ask, now, name)
        found.append(May(name, "request", rule.zh, rule.en, why is None, why or "", rule.to, tuple(rule.requires)))
    return found


def _why_not(table: StepTable, case: Case, posts: list[str], rule: Rule, ask: Ask, now: int, name: str) -> str | None:
    try:
        refuse_post(table, case, posts, ask, name)
        refuse_guards(table, case, rule, ask, now, name)
    except WanmiError as error:
        return str(error)
    return None


def refuse_final(table: StepTable, case: Case, what: str) -> None:
    """NotAllowed for a case that is over."""
    if case.final:
        raise NotAllowed(f"case {case.number}: it is {case.state}, so it cannot {what}; {what_now(table, case)}")
