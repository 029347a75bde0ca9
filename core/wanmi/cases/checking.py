"""What does not hold in a step table, told in sentences a city's administrator can act on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from wanmi.cases.guards import GUARDS, PROVEN
from wanmi.cases.limiting import LONGEST_S, length_s
from wanmi.cases.stages import FIRST_STATE, STAGES
from wanmi.cases.table import ACTS, AnswerRule, RequestRule, Rule, Step
from wanmi.errors import BadInput

if TYPE_CHECKING:
    from wanmi.cases.table import StepTable

SETTABLE = frozenset({"department", "collector", "limit"})
CLEARABLE = frozenset({"department", "collector"})


def problems_of(table: StepTable) -> list[str]:
    """Everything that is wrong with a table; empty when a case can be worked by it."""
    found = [*_names(table), *_limits(table), *_rules(table), *_targets(table), *_answers(table)]
    return found or [*_reach(table), *_ends(table)]


def _names(table: StepTable) -> Iterator[str]:
    stages = {stage.id for stage in STAGES}
    for name, state in table.states.items():
        if state.stage not in stages:
            yield f"state {name}: stage {state.stage!r} is not one of {', '.join(sorted(stages))}"
        if len(name) > 20:
            yield f"state {name}: at most 20 characters"
    if not table.states.get(FIRST_STATE) or not table.states[FIRST_STATE].start:
        yield f"state {FIRST_STATE}: must be there with start = true; reports open cases in it"
    missing = [name for name in ACTS if name not in table.acts]
    if missing:
        yield f"acts: {', '.join(missing)} missing"


def _all_rules(table: StepTable) -> Iterator[tuple[str, Rule]]:
    yield from ((f"step {name}", step) for name, step in table.steps.items())
    yield from ((f"request {name}", rule) for name, rule in table.requests.items())
    yield from ((f"act {name}", act) for name, act in table.acts.items())


def _rules(table: StepTable) -> Iterator[str]:
    for where, rule in _all_rules(table):
        yield from _posts(table, where, rule.posts)
        yield from (f"{where}: guard {guard!r} is not known; there are {', '.join(GUARDS)}" for guard in rule.guards if guard not in GUARDS)  # fmt: skip
        yield from _clocks(table, where, rule)
        yield from _proven(where, rule)
        if isinstance(rule, RequestRule):
            yield from _posts(table, f"{where}, approvers", rule.approvers)
            yield from _numbers(where, rule)
            yield from (f"{where}: cannot clear {what!r}" for what in rule.clears if what not in CLEARABLE)
        if isinstance(rule, Step):
            yield from (f"{where}: cannot set {what!r}" for what in rule.sets if what not in SETTABLE)


def _posts(table: StepTable, where: str, posts: Iterable[str]) -> Iterator[str]:
    """At least one post, all known. A department stands on the command axis and never where closing is decided."""
    named = list(posts)
    if not named:
        yield f"{where}: no post may take it; name at least one"
    unknown = [post for post in named if post not in table.posts]
    if unknown:
        yield f"{where}: posts {', '.join(unknown)} are not in [posts]"


def _clocks(table: StepTable, where: str, rule: Rule) -> Iterator[str]:
    try:
        effects = rule.effects(0)
    except BadInput as error:
        yield f"{where}: {error}"
        return
    for effect in effects:
        if effect.clock not in table.clocks:
            yield f"{where}: clock {effect.clock!r} is not in [clocks]"


def _limits(table: StepTable) -> Iterator[str]:
    for name, clock in table.clocks.items():
        for limit in (clock.limit, clock.most):
            try:
                if limit is not None and length_s(limit) > LONGEST_S:
                    yield f"clock {name}: no clock of a case runs longer than ten years; take a shorter limit"
            except BadInput as error:
                yield f"clock {name}: {error}"
        if clock.most_percent < 0:
            yield f"clock {name}: most_percent is 0 (no bound) or more"
        if not 0 < clock.yellow_after < 100:
            yield f"clock {name}: yellow_after {clock.yellow_after}; the light turns yellow at 1 to 99 percent of the limit"


def _proven(where: str, rule: Rule) -> Iterator[str]:
    if "order" in rule.requires and not PROVEN.intersection(rule.guards):
        yield f"{where}: names an order that nothing looks up; add one of the guards {', '.join(sorted(PROVEN))}"
    if "order" not in rule.requires and PROVEN.intersection(rule.guards):
        yield f"{where}: looks up an order that it does not ask for; add order to requires"


def _numbers(where: str, rule: RequestRule) -> Iterator[str]:
    if rule.reviewers < 1 or rule.expires_hours < 1 or rule.max_days < 1:
        yield f"{where}: reviewers, expires_hours and max_days are at least 1"
    if "until" in rule.requires and not rule.max_granted and not rule.max_made:
        yield f"{where}: could stop the clock again and again without end; say max_granted or max_made"


def _targets(table: StepTable) -> Iterator[str]:
    steps: list[tuple[str, Step | RequestRule]] = [(f"step {name}", step) for name, step in table.steps.items()]
    for where, rule in [*steps, *((f"request {name}", rule) for name, rule in table.requests.items())]:
        named = [*rule.from_, *([rule.to] if rule.to else [])]
        yield from (f"{where}: state {state!r} is not in [states]" for state in named if state not in table.states)
        if not rule.from_:
            yield f"{where}: from no state"
    merge = table.acts.get("merge")
    if merge is not None and (merge.to not in table.states or not table.states[merge.to].final):
        yield "act merge: `to` must name a final state"
    yield from _own_work(table)


def _answers(table: StepTable) -> Iterator[str]:
    """Steps and posts of terminals' answers: those that there are, decided on by posts of the supervision axis."""
    for kind, rule in table.answers.items():
        where = f"answer {kind}"
        yield from _posts(table, where, rule.posts)
        yield from (f"{where}: step {step!r} is not in [steps]" for step in _steps_of(rule) if step not in table.steps)
        if any(table.axis(post) == "command" for post in rule.posts):
            yield f"{where}: the command axis cannot decide on what a collector saw; name posts of the supervision axis"


def _steps_of(rule: AnswerRule) -> list[str]:
    return [rule.send, *(one.step for one in (rule.yes, rule.no, rule.unclear) if one is not None)]


def _own_work(table: StepTable) -> Iterator[str]:
    """A department, or anybody of the command axis, never ends a case by itself, nor judges its own work or asks.

    What an order of the city proves is the city's end of it, not that of whoever takes the step.
    """
    for name, step in table.steps.items():
        if not _commanding(table, step.posts) or PROVEN.intersection(step.guards):
            continue
        if _is_final(table, step.to):
            yield f"step {name}: the command axis cannot end a case; give it to a post of the supervision axis"
        elif all(_stage(table, state) == "close" for state in (*step.from_, step.to)):
            yield f"step {name}: the command axis cannot judge its own work; give it to a post of the supervision axis"
    for what, rule in table.requests.items():
        yield from _own_asks(table, f"request {what}", rule)


def _own_asks(table: StepTable, where: str, rule: RequestRule) -> Iterator[str]:
    deciding = _commanding(table, rule.approvers)
    ends = _is_final(table, rule.to) or any(_is_final(table, state) for state in rule.from_)
    if deciding and ends:
        yield f"{where}: {deciding[0]} of the command axis cannot decide on the end of a case; name posts of the supervision axis"
    both = [post for post in deciding if post in rule.posts]
    if both:
        yield f"{where}: {both[0]} would decide on its own kind of request; name other approvers"


def _commanding(table: StepTable, posts: Iterable[str]) -> list[str]:
    return [post for post in posts if table.axis(post) == "command"]


def _is_final(table: StepTable, state: str | None) -> bool:
    return state in table.states and table.states[state].final


def _stage(table: StepTable, state: str) -> str | None:
    return table.states[state].stage if state in table.states else None


def _moves(table: StepTable) -> list[tuple[str, str]]:
    moves = [(state, step.to) for step in table.steps.values() for state in step.from_]
    for rule in table.requests.values():
        moves += [(state, rule.to) for state in rule.from_ if rule.to is not None]
        if rule.to is not None and table.states[rule.to].paused:
            moves += [(rule.to, state) for state in rule.from_]
    merge = table.acts["merge"].to
    moves += [(name, merge) for name, state in table.states.items() if merge and not state.final]
    return moves


def _spread(begin: Iterable[str], moves: Iterable[tuple[str, str]]) -> set[str]:
    reached, pairs = set(begin), list(moves)
    while True:
        more = {to for origin, to in pairs if origin in reached} - reached
        if not more:
            return reached
        reached |= more


def _reach(table: StepTable) -> Iterator[str]:
    reached = _spread((name for name, state in table.states.items() if state.start), _moves(table))
    for name in table.states:
        if name not in reached:
            yield f"state {name}: no step leads to it; add one or take the state out"


def _ends(table: StepTable) -> Iterator[str]:
    merge = table.acts["merge"].to
    ends = [name for name, state in table.states.items() if state.final]
    back = _spread((end for end in ends if end != merge), [(to, origin) for origin, to in _moves(table)])
    for name, state in table.states.items():
        if not state.final and name not in back:
            yield f"state {name}: a dead end; no way leads from it to a final state"
        if state.final and table.steps_from(name):
            yield f"state {name}: is final, but steps lead out of it ({', '.join(table.steps_from(name))}); use a request"
