"""Why somebody may not, told so that they know what they may do instead. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from wanmi.case_kinds import Axis
from wanmi.cases.asking import Ask, Asked, RequestAsk
from wanmi.cases.case import Case, Done
from wanmi.cases.guards import GUARDS
from wanmi.cases.table import Rule, StepTable
from wanmi.errors import BadInput, Conflict, NotAllowed

_LOCAL = timezone(timedelta(hours=8))
"""Asia/Shanghai has no summer time: for messages only."""
_MOST_OPINION = 2000
_MOST_WORDS = 500
"""Characters of a reason, or of a field's value."""
_MOST_NAME = 60
"""Characters of a field's name, or of a department's, a collector's or a case's code."""
_MOST_FIELDS = 30


def refuse_old_version(table: StepTable, case: Case, asked: Asked) -> None:
    """Conflict that names what others did since the version that was looked at."""
    if asked.expect is None or asked.expect == case.version:
        return
    since = [done for done in case.history if done.version > asked.expect]
    told = "; ".join(tell_done(table, done) for done in since[-5:]) or "nobody wrote that version"
    raise Conflict(
        f"case {case.number}: it is at version {case.version}, you looked at {asked.expect}: {told}; look at it again"
    )


def tell_done(table: StepTable, done: Done) -> str:
    """``p-1f (dispatcher) did dispatch at 2026-11-24 14:03:05``."""
    step = table.steps.get(done.what)
    name = f"{done.what} ({step.zh})" if step is not None else done.what
    who = f"{done.actor or 'the node'}{f' ({done.post})' if done.post else ''}"
    at = datetime.fromtimestamp(done.at // 1_000_000, _LOCAL).strftime("%Y-%m-%d %H:%M:%S")
    return f"{who} did {name} at {at}"


def wrong_state(table: StepTable, case: Case, to: str) -> NotAllowed:
    """The case is in a state that the step does not lead out of; says what may be done."""
    return NotAllowed(f"case {case.number}: cannot go from {case.state} to {to}; {what_now(table, case)}")


def what_now(table: StepTable, case: Case) -> str:
    """What may be done with the case as it stands, as a piece of a sentence."""
    if case.merged_into is not None:
        return f"it is merged into {case.merged_into}; undo the merge first"
    if table.states[case.state].paused:
        return "it is suspended; resume it first"
    requests = table.requests_in(case.state)
    if "reopen" in requests:
        return "reopen it first"
    steps = table.steps_from(case.state)
    if steps or requests:
        return f"from {case.state} it can be: {', '.join([*steps, *(f'request {name}' for name in requests)])}"
    return f"{case.state} is the end of it; open another case and link it"


def refuse_post(table: StepTable, case: Case, posts: list[str], asked: Asked, what: str) -> None:
    """NotAllowed unless the post is among ``posts`` and the actor stays on one axis of this case."""
    if not asked.actor:
        raise BadInput(f"case {case.number}: {what} needs somebody who does it")
    if asked.post not in posts:
        may = ", ".join(f"{post} ({table.posts[post].zh})" for post in posts if post in table.posts)
        raise NotAllowed(f"case {case.number}: {what} is not for the post {asked.post}; it is for: {may}")
    axis = table.axis(asked.post)
    other: Axis = "command" if axis == "supervision" else "supervision"
    if axis is not None and other in case.axes_of(*asked.human):
        raise NotAllowed(
            f"case {case.number}: {asked.actor}{_as(case, asked, other)} has acted on its {other} axis and may not act on "
            f"{axis}; "
            f"somebody else with one of the posts {', '.join(posts)} must do it"
        )
    if axis == "supervision" and asked.unit is not None and asked.unit in case.departments:
        raise NotAllowed(
            f"case {case.number}: department {asked.unit} handles it, so nobody of it may supervise it ({what}); "
            "somebody of another unit must"
        )


def _as(case: Case, asked: Asked, axis: Axis) -> str:
    """Under which other id they acted."""
    if axis in case.axes_of(asked.actor):
        return ""
    return f" (as {', '.join(sorted(who for who in asked.known.also if axis in case.axes_of(who)))})"


def refuse_guards(table: StepTable, case: Case, rule: Rule, asked: Asked, now: int, what: str) -> None:
    """NotAllowed with the reason of the first guard that does not let pass."""
    for name in rule.guards:
        why = GUARDS[name](table, case, asked, now)
        if why is not None:
            raise NotAllowed(f"case {case.number}: cannot {what}: {why}")


def refuse_missing(case: Case, rule: Rule, asked: Asked, what: str) -> None:
    """BadInput that names every required field that is missing."""
    missing = list(_missing(case, rule, asked))
    if missing:
        raise BadInput(f"case {case.number}: {what} needs {', '.join(missing)}")
    for told, length, most in _lengths(asked):
        if length > most:
            raise BadInput(f"case {case.number}: {told} has at most {most} characters")
    if len(asked.fields) > _MOST_FIELDS:
        raise BadInput(f"case {case.number}: {what} has at most {_MOST_FIELDS} fields")


def _lengths(asked: Asked) -> Iterator[tuple[str, int, int]]:
    """What free text is called, how long it is, and how long it may be."""
    yield "an opinion", len(asked.opinion), _MOST_OPINION
    for name, value in asked.fields.items():
        yield f"the name of field {name[:_MOST_NAME]!r}", len(name), _MOST_NAME
        yield f"field {name!r}", len(str(value)), _MOST_WORDS
    if isinstance(asked, Ask):
        yield "a reason", len(asked.reason or ""), _MOST_WORDS
        yield "a department's code", len(asked.department or ""), _MOST_NAME
        yield "a collector's id", len(asked.collector or ""), _MOST_NAME


def _missing(case: Case, rule: Rule, asked: Asked) -> Iterator[str]:
    photos = sum(one.role == "photo" for one in asked.attachments)
    before = sum(one.role == "photo" for one in case.opened.attachments)
    there = {
        "opinion": bool(asked.opinion.strip()),
        "photo": photos > 0,
        "photo_after": photos > 0,
        "photo_before": before > 0,
        "department": isinstance(asked, Ask) and bool(asked.department),
        "collector": isinstance(asked, Ask) and bool(asked.collector),
        "reason": isinstance(asked, Ask) and bool(asked.reason),
        "until": isinstance(asked, RequestAsk) and asked.until is not None,
    }
    told = {"photo_before": "photo_before (with the report)", "photo_after": "photo_after (attached now)"}
    for name in rule.requires:
        if not there.get(name, bool(asked.fields.get(name))):
            yield told.get(name, name)
