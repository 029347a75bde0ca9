"""Checks steps.toml: the table's own check, and that it goes with the rest of the profile."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator

import msgspec

from wanmi.cases.table import Act, AnswerRule, ClockRule, PostRule, RequestRule, State, Step, StepTable
from wanmi.codes.resources import Toml
from wanmi.errors import BadInput
from wanmi.profiles.check_words import table_at
from wanmi.profiles.findings import Finding, text_of, toml_line
from wanmi.profiles.packing import Files

__all__ = ["STEPS", "check_steps", "unheld_posts"]

STEPS = "steps.toml"
_NAMED = re.compile(r"(step|request|answer|act|state|clock|post) ([\w-]+)")
_THINGS = {
    "posts": PostRule,
    "clocks": ClockRule,
    "states": State,
    "steps": Step,
    "requests": RequestRule,
    "acts": Act,
    "answers": AnswerRule,
}


def check_steps(toml: Toml, files: Files) -> Iterator[Finding]:
    """What does not hold in the step table, each with the line of the step, request or state that it names."""
    text = text_of(files, STEPS)
    try:
        table = StepTable.parse(text)
    except BadInput as error:
        found = list(_misfits(text))
        yield from found or [Finding("error", STEPS, None, str(error), "compare with the shipped steps.toml")]
        return
    for problem in table.check():
        what, _, do = problem.partition("; ")
        yield Finding("error", STEPS, _line_of(text, problem), what, do or "correct the table")
    units = table_at(toml, "units")
    for name, clock in table.clocks.items():
        if clock.limit is not None and clock.limit.unit not in units:
            what = f"clock {name}: unit {clock.limit.unit!r}"
            yield Finding("error", STEPS, toml_line(text, "clocks", name), what, f"write one of {', '.join(units)}")
        if not (clock.rule_zh and clock.rule_en and clock.source):
            what = f"clock {name}: does not tell what it counts"
            do = "give rule_zh, rule_en and source; without them a deadline names the steps that start and stop the clock"
            yield Finding("warning", STEPS, toml_line(text, "clocks", name), what, do)
    if table.name != toml.get("name"):
        what = f"name {table.name!r}, though the profile is {toml.get('name')!r}"
        yield Finding("error", STEPS, toml_line(text, "name"), what, "call both the same")


def unheld_posts(files: Files, held: Collection[str]) -> Iterator[Finding]:
    """Posts of the table that nobody can be given: their steps would wait for ever."""
    text = text_of(files, STEPS)
    for post in StepTable.parse(text).posts:
        if post not in held:
            what, do = f"post {post}: nobody can hold it", f"steps are for one of {', '.join(held)}"
            yield Finding("warning", STEPS, toml_line(text, "posts", post), what, do)


def _misfits(text: str) -> Iterator[Finding]:
    """The things whose fields are not what they must be: which step, which request."""
    toml = tomllib.loads(text)
    for table, of in _THINGS.items():
        for name, value in table_at(toml, table).items():
            try:
                msgspec.convert(value, of)
            except msgspec.ValidationError as error:
                line = toml_line(text, table, name)
                yield Finding("error", STEPS, line, f"{table} {name}: {error}", "compare with the shipped steps.toml")


def _line_of(text: str, told: str) -> int | None:
    named = _NAMED.search(told)
    return toml_line(text, f"{named.group(1)}s", named.group(2)) if named else None
