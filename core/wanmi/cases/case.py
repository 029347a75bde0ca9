"""A case (案卷) as its entries add up to it, and what belongs to it: requests, links, marks of clocks. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, NamedTuple

from wanmi.case_kinds import Axis, ClockAct, Limit, LinkKind, RequestKind
from wanmi.kinds import CaseOpened

RequestState = Literal["open", "granted", "refused", "expired"]


class Mark(NamedTuple):
    """Something that happened to a clock: its name, what, when (µs UTC), and the entry's kind or step that did it.

    ``department`` has the case after it, ``limit`` is that of the clock which runs then.
    """

    name: str
    what: ClockAct
    at: int
    source: str
    department: str | None = None
    limit: Limit | None = None


class Round(NamedTuple):
    """A clock from a start on (``n`` counts them from 1), and the department that had the case then."""

    n: int
    department: str | None
    marks: tuple[Mark, ...]

    @property
    def limit(self) -> Limit | None:
        """What it was started with; None for a clock that takes the table's."""
        return self.marks[0].limit


def round_numbers(marks: Sequence[Mark]) -> list[int]:
    """The round that each mark of one clock belongs to.

    A start begins one. A clock that was stopped and goes on does so in the round that the mark's department began last:
    nobody takes over the time that another one used.
    """
    began: list[str | None] = []
    numbers: list[int] = []
    for n, mark in enumerate(marks):
        if mark.what == "start" or not began:
            began.append(mark.department)
            numbers.append(len(began))
        elif mark.what == "resume" and marks[n - 1].what == "stop" and mark.department in began:
            numbers.append(max(at for at, department in enumerate(began, 1) if department == mark.department))
        else:
            numbers.append(numbers[-1])
    return numbers


def rounds_of(marks: Sequence[Mark]) -> list[Round]:
    """The rounds of one clock; the one that moved last is the last one."""
    rounds: dict[int, Round] = {}
    for n, mark in zip(round_numbers(marks), marks, strict=True):
        one = rounds.pop(n, Round(n, mark.department, ()))
        rounds[n] = one._replace(marks=(*one.marks, mark))
    return list(rounds.values())


class Late(NamedTuple):
    """A clock that ran past its deadline (µs UTC), and the department that had the case then; told or not."""

    clock: str
    deadline: int
    department: str | None


@dataclass(frozen=True)
class Done:
    """Who did what when, one a version: ``what`` is a step's name or an entry kind."""

    version: int
    at: int
    what: str
    actor: str | None
    post: str | None


@dataclass(frozen=True)
class Review:
    """One reviewer's answer to a request."""

    actor: str | None
    post: str
    granted: bool
    at: int


@dataclass(frozen=True)
class Request:
    """A request for a side flow: never a flag, never deleted."""

    id: str
    what: RequestKind
    state: RequestState
    actor: str | None
    post: str
    unit: str | None
    made_at: int
    until: int | None
    expires: int
    approvers: tuple[str, ...]
    reviewers: int
    reviews: tuple[Review, ...] = ()
    decided_at: int | None = None


@dataclass(frozen=True)
class Link:
    """Another case that this one belongs with; ``live`` until it is undone."""

    other: str
    kind: LinkKind
    at: int
    live: bool = True


@dataclass(frozen=True)
class Case:
    """A case as its entries add up to it; times µs UTC, coordinates 1e-7 degree WGS-84.

    ``actors`` are (who, axis) of everybody who acted; ``departments`` are those it was ever dispatched to.
    ``clock`` is the clock that runs (or is paused) with its ``limit`` and ``deadline``; ``warn`` is when its light turns yellow.
    ``limits`` are those that each clock ran with last. ``last_department`` has or had it last. ``held`` is the state to go back to from a suspension or a merge.
    """

    number: str
    owner: str
    opened: CaseOpened
    opened_at: int
    stage: str
    state: str
    version: int
    changed_at: int
    final: bool = False
    department: str | None = None
    departments: tuple[str, ...] = ()
    last_department: str | None = None
    collector: str | None = None
    clock: str | None = None
    limit: Limit | None = None
    deadline: int | None = None
    warn: int | None = None
    until: int | None = None
    held: str | None = None
    merged_into: str | None = None
    filed_at: int | None = None
    closed_at: int | None = None
    actors: tuple[tuple[str, Axis], ...] = ()
    counts: MappingProxyType[str, int] = field(default_factory=lambda: MappingProxyType({}))
    fields: MappingProxyType[str, str | int] = field(default_factory=lambda: MappingProxyType({}))
    requests: tuple[Request, ...] = ()
    links: tuple[Link, ...] = ()
    overdue: tuple[tuple[str, int], ...] = ()
    late: tuple[Late, ...] = ()
    marks: tuple[Mark, ...] = ()
    limits: MappingProxyType[str, Limit] = field(default_factory=lambda: MappingProxyType({}))
    history: tuple[Done, ...] = ()

    def clock_marks(self, clock: str = "") -> tuple[Mark, ...]:
        """What happened to the case's clocks, in order; of one clock when it is named."""
        return tuple(mark for mark in self.marks if clock in ("", mark.name))

    def running_marks(self, clock: str) -> tuple[Mark, ...]:
        """The marks of a clock's present round."""
        rounds = rounds_of(self.clock_marks(clock))
        return rounds[-1].marks if rounds else ()

    def open_requests(self) -> tuple[Request, ...]:
        """Requests that wait for a decision."""
        return tuple(request for request in self.requests if request.state == "open")

    def request(self, id: str) -> Request | None:
        """The request of that id."""
        return next((request for request in self.requests if request.id == id), None)

    def made(self, what: str) -> int:
        """How many requests of a kind were made."""
        return sum(request.what == what for request in self.requests)

    def granted(self, what: str) -> int:
        """How many requests of a kind were granted."""
        return sum(request.what == what and request.state == "granted" for request in self.requests)

    def axes_of(self, *ids: str) -> frozenset[Axis]:
        """The axes on which somebody acted in this case, under any of their ids."""
        return frozenset(axis for who, axis in self.actors if who in ids)

    def merged_here(self) -> tuple[str, ...]:
        """Cases that are merged into this one now."""
        return tuple(link.other for link in self.links if link.kind == "merged" and link.live)
