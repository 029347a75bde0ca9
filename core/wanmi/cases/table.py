"""The table of steps (data, ``steps.toml`` of a profile): states, steps, requests, posts, clocks. Pure.

A city changes it; ``StepTable.check`` says what does not hold. Cases keep the version they were opened under.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Literal, TypeVar

import msgspec

from wanmi.case_kinds import Axis, ClockAct, ClockEffect, Limit, RequestKind
from wanmi.codes.resources import Lang, folder_named
from wanmi.errors import BadInput, NotFound

FILE = "steps.toml"
_T = TypeVar("_T")


class _Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    zh: str
    en: str


class PostRule(_Named, frozen=True):
    """A post and the axis that it stands on."""

    axis: Axis


class ClockRule(_Named, frozen=True):
    """A clock; ``limit`` null: whoever starts it says the limit (category, place and time decide).

    A limit that a person gives is at most ``most``, and at most ``most_percent`` of the category's (0: of any length).
    The light is green up to ``yellow_after`` percent of the limit. ``rule_zh``, ``rule_en`` and ``source`` tell what it
    counts and who says so (``StepTable.clock_told``); tables of earlier versions have none.
    """

    limit: Limit | None = None
    most: Limit | None = None
    most_percent: int = 0
    yellow_after: int = 80
    rule_zh: str = ""
    rule_en: str = ""
    source: str = ""


class State(_Named, frozen=True):
    """A state. A case may be opened in a ``start`` state; a ``final`` one is the end; in a ``paused`` one it waits."""

    stage: str
    start: bool = False
    final: bool = False
    paused: bool = False


class Rule(_Named, frozen=True, kw_only=True):
    """What steps, requests and acts have in common: who may, when, what must be said, what it does to clocks.

    ``requires`` names opinion, department, collector, photo, photo_before, photo_after, until, or an own field.
    ``clocks`` are pairs such as ``start department``; ``counts`` are counters that go up by one.
    """

    posts: list[str]
    guards: list[str] = []
    requires: list[str] = []
    clocks: list[str] = []
    counts: list[str] = []

    def effects(self, at: int = 0) -> list[ClockEffect]:
        """``clocks`` as data, all at one instant (µs UTC); BadInput for a pair that is none."""
        return [_effect(pair, at) for pair in self.clocks]


class Step(Rule, frozen=True, kw_only=True):
    """One step: from any of ``from_`` to ``to``. ``sets`` names what the actor may set beside what is required.

    ``same_department``: whether the clock that the step starts goes on where it dispatches to the department that has
    the case already, or that gave it back without an answer. ``earlier_department``: whether it goes on for a department
    that had the case before another one and gave it up without an answer, with the time that it used itself; a limit
    that is given it with a reason starts anew.
    """

    from_: list[str] = msgspec.field(name="from")
    to: str
    results: list[str] = []
    sets: list[str] = []
    same_department: Literal["anew", "goes_on"] = "anew"
    earlier_department: Literal["anew", "goes_on"] = "anew"

    @property
    def starts(self) -> str | None:
        """The clock that the step starts, if any."""
        return next((effect.clock for effect in self.effects() if effect.what == "start"), None)


class RequestRule(Rule, frozen=True, kw_only=True):
    """A side flow: asked by ``posts`` in ``from_``, granted by ``reviewers`` different people of ``approvers``.

    ``to`` null: the state stays. ``max_granted`` and ``max_made`` are per case, 0 means any number.
    """

    from_: list[str] = msgspec.field(name="from")
    approvers: list[str]
    reviewers: int = 1
    expires_hours: int = 72
    max_granted: int = 0
    max_made: int = 0
    max_days: int = 366
    to: str | None = None
    clears: list[str] = []
    refused_counts: list[str] = []


class Act(Rule, frozen=True, kw_only=True):
    """What is done to cases beside the steps: resume, link, split, merge, unmerge."""

    to: str | None = None


class AnswerStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The step that an answer takes, with what it says there in the collector's place."""

    step: str
    fields: dict[str, str | int] = {}
    opinion: str = ""


class AnswerRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a terminal's answer to a task does to its case. ``send`` is the step that sends the case with the task.

    An answer takes its step by itself when the terminal's presence was judged to be one of ``presence``; any other
    one waits until one of ``posts`` decides. ``confirmed``: all of them wait. A result without a step waits too.
    """

    send: str
    posts: list[str]
    presence: tuple[Literal["fine", "doubtful", "absent"], ...] = ("fine",)
    confirmed: bool = False
    yes: AnswerStep | None = None
    no: AnswerStep | None = None
    unclear: AnswerStep | None = None

    def step_for(self, result: Literal["yes", "no", "unclear"]) -> AnswerStep | None:
        """The step of a result, None where a person has to say what follows."""
        return {"yes": self.yes, "no": self.no, "unclear": self.unclear}[result]


AnswerKind = Literal["verify", "check"]
ACTS = ("resume", "link", "split", "merge", "unmerge")


class StepTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A version of the table. ``digest`` is the hex SHA-256 of its file."""

    name: str
    version: str
    verify_sources: list[str] = []
    posts: dict[str, PostRule]
    clocks: dict[str, ClockRule]
    states: dict[str, State]
    steps: dict[str, Step]
    requests: dict[RequestKind, RequestRule]
    acts: dict[str, Act]
    answers: dict[AnswerKind, AnswerRule] = {}
    digest: str = ""

    @classmethod
    def load(cls, name: str = "cjt-2007") -> StepTable:
        """The table shipped with the profile of that name, read and checked once."""
        return _load(name)

    @classmethod
    def parse(cls, text: str) -> StepTable:
        """The table in a TOML text; BadInput says what does not fit. ``check`` looks further."""
        try:
            table = msgspec.toml.decode(text, type=cls, strict=True)
        except (msgspec.DecodeError, ValueError) as error:
            raise BadInput(f"step table: {error}") from error
        return msgspec.structs.replace(table, digest=sha256(text.encode()).hexdigest())

    def check(self) -> list[str]:
        """What does not hold: unreachable states, steps without posts, dead ends, unknown names. Empty is good."""
        from wanmi.cases.checking import problems_of

        return problems_of(self)

    def state(self, name: str) -> State:
        """The state of that name; NotFound otherwise."""
        return _found(self.states, "state", name, self.name)

    def step(self, name: str) -> Step:
        """The step of that name; NotFound names those there are."""
        return _found(self.steps, "step", name, self.name)

    def request(self, what: str) -> RequestRule:
        """The request of that kind; NotFound names those there are."""
        return _found({str(key): rule for key, rule in self.requests.items()}, "request", what, self.name)

    def act(self, name: str) -> Act:
        """The act of that name; NotFound otherwise."""
        return _found(self.acts, "act", name, self.name)

    def axis(self, post: str) -> Axis | None:
        """The axis of a post, None for a post that the table does not know."""
        rule = self.posts.get(post)
        return None if rule is None else rule.axis

    def department_clocks(self) -> frozenset[str]:
        """The clocks of departments: those that steps start which dispatch to one."""
        starts = (step.starts for step in self.steps.values() if "department" in step.requires)
        return frozenset(clock for clock in starts if clock is not None)

    def clock_told(self, clock: str) -> tuple[str, str]:
        """What a clock counts, in Chinese and in English: the table's words, else what starts and stops it."""
        rule = self.clocks[clock]
        return rule.rule_zh or self._clock_moves(clock, "zh"), rule.rule_en or self._clock_moves(clock, "en")

    def _clock_moves(self, clock: str, lang: Lang) -> str:
        """Which steps start the clock and which stop it, by their names; empty where none does."""
        comma, semicolon = ("、", "；") if lang == "zh" else (", ", "; ")
        told = []
        for what, (zh, en) in {"start": ("开始计时：", "started by "), "stop": ("停止计时：", "stopped by ")}.items():
            steps = [step for step in self.steps.values() if f"{what} {clock}" in step.clocks]
            if steps:
                told.append(
                    (zh if lang == "zh" else en) + comma.join(step.zh if lang == "zh" else step.en for step in steps)
                )
        return semicolon.join(told)

    def steps_from(self, state: str) -> list[str]:
        """Names of the steps that lead out of a state, in the order of the table."""
        return [name for name, step in self.steps.items() if state in step.from_]

    def requests_in(self, state: str) -> list[str]:
        """Names of the requests that can be made in a state."""
        return [name for name, rule in self.requests.items() if state in rule.from_]


def _found(among: Mapping[str, _T], what: str, name: str, table: str) -> _T:
    if name not in among:
        raise NotFound(f"{what} {name!r}: the step table {table} has {', '.join(among) or 'none'}")
    return among[name]


def _effect(pair: str, at: int) -> ClockEffect:
    try:
        what, clock = pair.split()
        return ClockEffect(clock, msgspec.convert(what, ClockAct), at)
    except (ValueError, msgspec.ValidationError) as error:
        raise BadInput(f"step table: clocks {pair!r} is not such as 'start department'") from error


@cache
def _load(name: str) -> StepTable:
    path = folder_named(name) / FILE
    if not path.is_file():
        raise NotFound(f"profile {name}: has no {FILE}; copy that of cjt-2007 and change it")
    table = StepTable.parse(path.read_text(encoding="utf-8"))
    problems = table.check()
    if problems:
        raise BadInput(f"profile {name}, {FILE}: {'; '.join(problems)}")
    return table
