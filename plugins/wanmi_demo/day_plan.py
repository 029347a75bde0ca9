"""What happens to each case of a scripted day, and the next move by its state. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType
from typing import Literal

Ending = Literal["closed", "rejected", "cancelled"]
LOOK_CLOSELY = "请逐项核对"
"""In the remark of a check: the demo's terminals answer that nothing was put right."""
ENDS = frozenset({"closed", "rejected", "cancelled", "forced_closed"})
"""States in which a scripted case is done."""


@dataclass(frozen=True)
class CasePlan:
    """What happens to a case on its way."""

    ending: Ending = "closed"
    verify: bool = False
    late: bool = False
    returned: bool = False
    extended: bool = False
    suspended: bool = False
    merged: bool = False
    refused: bool = False
    failed: bool = False
    """The collector's first check says that nothing was put right."""
    pressed: bool = False


FIRST = (
    CasePlan(late=True, pressed=True),
    CasePlan(returned=True),
    CasePlan(merged=True),
    CasePlan(verify=True),
    CasePlan(extended=True),
    CasePlan(suspended=True),
    CasePlan(ending="rejected"),
    CasePlan(ending="cancelled"),
    CasePlan(refused=True),
    CasePlan(failed=True),
)
"""A district's first cases: each thing once, those that take longest first. Later cases are drawn."""
SHORT = (CasePlan(failed=True), CasePlan(verify=True), CasePlan(returned=True), CasePlan())
"""A district's cases of a short day: nothing in it has to wait for a deadline."""


def plan_case(seed: int, district: str, n: int, first: Sequence[CasePlan] = FIRST) -> CasePlan:
    """The plan of the n-th case (from 0) of a district, after the ``first`` ones: the same for the same seed."""
    if n < len(first):
        return first[n]
    dice = Random(f"{seed}/{district}/{n}")  # noqa: S311 - a play, no secret
    ending: Ending = dice.choices(("closed", "rejected", "cancelled"), (90, 6, 4))[0]
    late = dice.random() < 0.1
    return CasePlan(
        ending,
        verify=dice.random() < 0.15,
        late=late,
        returned=not late and dice.random() < 0.12,
        extended=not late and dice.random() < 0.1,
        refused=dice.random() < 0.05,
        failed=dice.random() < 0.08,
        pressed=late and dice.random() < 0.5,
    )


@dataclass(frozen=True)
class SeenTask:
    """The newest task of a case; ``outcome`` is what its answer did to the case."""

    task_id: str
    kind: str
    state: str
    result: str | None
    outcome: str | None = None


@dataclass(frozen=True)
class Seen:
    """A case as the day's staff see it in their district's rows."""

    number: str
    owner: str
    state: str
    kind: str
    category: str
    grid: str | None
    lon_e7: int
    lat_e7: int
    terminal: str | None
    department: str | None
    collector: str | None
    overdue: bool
    waiting: int
    counts: Mapping[str, int] = field(default_factory=dict)
    task: SeenTask | None = None

    def answered(self, kind: str) -> bool:
        """Whether its newest task is of that kind and was answered."""
        return self.task is not None and self.task.kind == kind and self.task.state == "judged"


def next_move(seen: Seen, plan: CasePlan) -> str | None:
    """What is to be done with the case now: a step, ``ask:…``, ``decide``, ``merge``, ``unmerge``; None: wait."""
    if seen.waiting:
        return "decide"
    choose = _AT.get(seen.state)
    return choose(seen, plan) if choose is not None else None


def _reported(seen: Seen, plan: CasePlan) -> str:
    if plan.verify and not seen.answered("verify"):
        return "send_verify"
    return "reject" if plan.ending == "rejected" else "accept"


def _sent(seen: Seen, _plan: CasePlan) -> str | None:
    """The terminal's answer moves the case by itself, or an operator has to look at it first."""
    return "decide_answer" if seen.task is not None and seen.task.outcome == "waits" else None


def _pending_dispatch(seen: Seen, plan: CasePlan) -> str:
    if plan.ending == "cancelled":
        return "ask:void"
    return "merge" if plan.merged and not seen.counts.get("merged") else "dispatch"


def _pending_handle(seen: Seen, plan: CasePlan) -> str:
    asks = (("return", "returned", plan.returned), ("extension", "extended", plan.extended))
    for what, counter, wanted in (*asks, ("suspension", "suspended", plan.suspended)):
        if wanted and not seen.counts.get(counter):
            return f"ask:{what}"
    return "take"


def _handling(seen: Seen, plan: CasePlan) -> str | None:
    """Who answers late waits until the desk's timer has told that the deadline passed."""
    first = not seen.counts.get("answered")
    return None if plan.late and first and not seen.overdue else "answer"


def _pending_close(seen: Seen, plan: CasePlan) -> str:
    return "refuse_close" if plan.refused and not seen.counts.get("rework") else "close"


def _always(move: str) -> Callable[[Seen, CasePlan], str | None]:
    return lambda _seen, _plan: move


_AT: Mapping[str, Callable[[Seen, CasePlan], str | None]] = MappingProxyType(
    {
        "reported": _reported,
        "verifying": _sent,
        "pending_file": _always("file"),
        "pending_dispatch": _pending_dispatch,
        "returned": _always("dispatch"),
        "pending_handle": _pending_handle,
        "rework": _always("take"),
        "handling": _handling,
        "handled": _always("pass_on"),
        "pending_check": _always("send_check"),
        "checking": _sent,
        "check_failed": _always("rework"),
        "check_passed": _always("propose_close"),
        "pending_close": _pending_close,
        "merged": _always("unmerge"),
    }
)
