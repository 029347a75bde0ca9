"""A case worked in memory: decisions become entries, entries are folded. No node, no clock but a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from wanmi.case_kinds import Limit
from wanmi.cases import (
    Ask,
    Asked,
    Case,
    Decision,
    Due,
    Known,
    LinkAsk,
    Mark,
    OrderSeen,
    RequestAsk,
    ReviewAsk,
    StepTable,
    decide,
    decide_due_resume,
    decide_expiry,
    decide_merge,
    decide_overdue,
    decide_request,
    decide_resume,
    decide_review,
    decide_unmerge,
    fold,
)
from wanmi.entries import ENVELOPE_V, Entry
from wanmi.kinds import Attachment, CaseOpened

START = 1_795_500_000_000_000
HOUR = 3_600_000_000
SECONDS = {"natural_minute": 60, "urgent_hour": 3600, "natural_day": 86_400}
PHOTO = Attachment("photo", "ab" * 32, 1000, "image/jpeg", "cd" * 32)
LIMIT = Limit(4, "urgent_hour")


def running_timing(marks: Sequence[Mark], limit: Limit) -> Due | None:
    """Clocks that run on, nights and holidays too."""
    length = limit.value * SECONDS[limit.unit] * 1_000_000
    allowed, used, since = length, 0, None
    for mark in marks:
        if mark.what in ("pause", "stop") and since is not None:
            used, since = used + mark.at - since, None
        if mark.what in ("start", "resume"):
            since = mark.at
        if mark.what == "extend":
            allowed += length
    return None if since is None else Due(since + allowed - used, since + allowed * 4 // 5 - used)


def opened(number: str = "210102-E0102-20261124-0001", **other: Any) -> CaseOpened:
    values: dict[str, Any] = {
        "number": number, "district": "210102", "day": "20261124", "day_seq": int(number[-4:]), "kind": "event",
        "category": "0102", "profile": "cjt-2007@0000000000000000", "component": None, "grid": "210102001002001",
        "grid_version": "g1", "lon_e7": 1_234_000_000, "lat_e7": 417_000_000, "source": "collector",
        "terminal": "T210102-0001", "report_id": "R" * 26, "report": None, "reported_at": START, "stage": "collect",
        "state": "reported", "similar": [], "attachments": [PHOTO],
    }  # fmt: skip
    return CaseOpened(**{**values, **other})


class Worked:
    """One case and its entries; ``now`` moves by hand."""

    def __init__(self, table: StepTable | None = None, by: str | None = None, **other: Any) -> None:
        self.table = table or StepTable.load()
        self.now = START
        self.known = Known("district")
        self.entries: list[Entry] = []
        body = opened(**other)
        self.case: Case = fold(None, self._entry("case.opened", f"case:{body.number}", body, by))

    def step(self, step: str, actor: str = "", post: str = "", **given: Any) -> Case:
        usual = {"known": self.knows(step), **_usual(step)}
        ask = Ask(actor or DOES[step][0], post or DOES[step][1], step=step, **{**usual, **given})
        return self.write(decide(self.table, self.case, ask, self.now, running_timing), ask.actor)

    def knows(self, step: str) -> Known:
        """What the node knows; where the step names an order, the order ``o`` that proves it."""
        number = self.case.number
        orders = {
            "hand_down": OrderSeen("o", "hand_down", "210103", number, None, waiting=True, answered=False),
            "take_answer": OrderSeen("o", "hand_down", "210103", number, None, waiting=True, answered=True),
            "give_up": OrderSeen("o", "take_over", self.case.owner, None, number, waiting=True, answered=False),
        }
        return replace(self.known, order=orders.get(step))

    def request(self, what: str, id: str, actor: str = "d-1", post: str = "department", **given: Any) -> Case:
        given = {"opinion": "please", "unit": "dep-1" if post == "department" else None, **given}
        ask = RequestAsk(actor, post, id=id, what=what, **given)
        return self.write(decide_request(self.table, self.case, ask, self.now), actor)

    def review(self, id: str, granted: bool, actor: str = "c-1", post: str = "dispatcher", **given: Any) -> Case:
        ask = ReviewAsk(actor, post, id=id, granted=granted, **{"opinion": "so be it", **given})
        return self.write(decide_review(self.table, self.case, ask, self.now, running_timing), actor)

    def resume(self, actor: str = "c-1", post: str = "dispatcher") -> Case:
        ask = Asked(actor, post, opinion="spring has come")
        return self.write(decide_resume(self.table, self.case, ask, self.now, running_timing), actor)

    def due_resume(self) -> Case:
        return self.write(decide_due_resume(self.table, self.case, running_timing), None)

    def expire(self, id: str) -> Case:
        request = self.case.request(id)
        assert request is not None
        return self.write(decide_expiry(self.case, request), None)

    def overdue(self) -> bool:
        decision = decide_overdue(self.case, self.now)
        if decision is not None:
            self.write(decision, None)
        return decision is not None

    def merge(self, into: Worked, actor: str = "o-1", post: str = "operator") -> None:
        ask = LinkAsk(actor, post, opinion="the same heap", other=into.case.number)
        mine, theirs = decide_merge(self.table, self.case, into.case, ask, self.now, running_timing)
        self.write(mine, actor)
        into.write(theirs, actor)

    def unmerge(self, into: Worked, actor: str = "o-1", post: str = "operator") -> None:
        ask = Asked(actor, post, opinion="two heaps")
        mine, theirs = decide_unmerge(self.table, self.case, into.case, ask, self.now, running_timing)
        self.write(mine, actor)
        into.write(theirs, actor)

    def write(self, decision: Decision, actor: str | None) -> Case:
        assert decision.expect == self.case.version
        entry = self._entry(decision.kind, f"case:{decision.number}", decision.body, actor)
        self.case = fold(self.case, entry)
        return self.case

    def to(self, state: str) -> Case:
        """Walk the usual way as far as ``state``."""
        for step in WAY:
            if self.case.state == state:
                return self.case
            if self.case.state in self.table.step(step).from_:
                self.step(step)
        assert self.case.state == state
        return self.case

    def _entry(self, kind: str, subject: str, body: msgspec.Struct, actor: str | None) -> Entry:
        self.now += 1
        n = len(self.entries) + 1
        plain = msgspec.to_builtins(body)
        entry = Entry(
            ENVELOPE_V, "210102", n, self.now, ("210100",), kind, 1, subject, n, actor, "casework@0", None, plain,
            "0" * 32,
        )  # fmt: skip
        self.entries.append(entry)
        return entry


DOES = {
    "submit": ("o-1", "operator"),
    "send_verify": ("o-1", "operator"),
    "answer_verify": ("T210102-0001", "collector"),
    "reject": ("o-1", "operator"),
    "accept": ("o-1", "operator"),
    "ask_again": ("l-1", "shift_leader"),
    "file": ("l-1", "shift_leader"),
    "dispatch": ("c-1", "dispatcher"),
    "redispatch": ("c-1", "dispatcher"),
    "return_to_operator": ("c-1", "dispatcher"),
    "hand_down": ("c-1", "dispatcher"),
    "take_back": ("c-1", "dispatcher"),
    "take_answer": ("c-1", "dispatcher"),
    "give_up": ("c-1", "dispatcher"),
    "take": ("d-1", "department"),
    "put_back": ("d-1", "department"),
    "answer": ("d-1", "department"),
    "rework": ("c-1", "dispatcher"),
    "pass_on": ("c-1", "dispatcher"),
    "send_check": ("o-1", "operator"),
    "answer_check_passed": ("T210102-0001", "collector"),
    "answer_check_failed": ("T210102-0001", "collector"),
    "propose_close": ("o-1", "operator"),
    "refuse_close": ("l-1", "shift_leader"),
    "close": ("l-1", "shift_leader"),
}
"""Who usually takes a step."""
WAY = (
    "accept", "file", "dispatch", "take", "answer", "pass_on", "send_check", "answer_check_passed", "propose_close",
    "close",
)  # fmt: skip
"""The usual way of a case."""


def _usual(step: str) -> dict[str, Any]:
    """What a step usually says."""
    given: dict[str, Any] = {"opinion": f"{step}, as seen"}
    if DOES[step][1] == "department":
        given["unit"] = "dep-1"
    if step in ("dispatch", "redispatch"):
        given |= {"department": "dep-1", "limit": LIMIT}
    if step == "rework":
        given["limit"] = LIMIT
    if step in ("answer", "answer_check_passed"):
        given["attachments"] = (PHOTO,)
    if step == "answer_verify":
        given["fields"] = {"result": "exists"}
    if step in ("hand_down", "take_answer", "give_up"):
        given["fields"] = {"order": "o", "district": "210103"}
    return given
