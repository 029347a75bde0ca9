"""The demo's scripted day: the script against the shipped step table, and the whole of it with real processes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from wanmi.cases import StepTable
from wanmi.errors import BadInput, Conflict, LinkError
from wanmi_demo.day import ASKS, REFUSALS, STEPS, Day
from wanmi_demo.day_photos import made_up_png
from wanmi_demo.day_plan import ENDS, FIRST, CasePlan, Seen, SeenTask, next_move, plan_case
from wanmi_demo.playing import day_plugins
from wanmi_edge.broker import find_mosquitto

TABLE = StepTable.load()
MOST = 60
"""Moves and waits after which a case must be at its end."""
PLANS = st.builds(
    CasePlan,
    ending=st.sampled_from(("closed", "rejected", "cancelled")),
    verify=st.booleans(),
    late=st.booleans(),
    returned=st.booleans(),
    extended=st.booleans(),
    suspended=st.booleans(),
    merged=st.booleans(),
    refused=st.booleans(),
    failed=st.booleans(),
)


class Play:
    """A case that moves as the shipped step table says; what time does comes when nothing else can be done."""

    def __init__(self, plan: CasePlan) -> None:
        self.plan = plan
        self.seen = Seen("210102-E0102-20261124-0001", "210102", "reported", "event", "0102", None, 0, 0, None,
                         None, None, False, 0)  # fmt: skip
        self.held = ""
        self.asked = ""
        self.done: Counter[str] = Counter()

    def move(self, move: str) -> None:
        self.done[move] += 1
        if move in ("merge", "unmerge"):
            self._merge(move)
        elif move.startswith("ask:"):
            self.asked = move.removeprefix("ask:")
            assert self.seen.state in TABLE.request(self.asked).from_
            self.seen = replace(self.seen, waiting=1)
        elif move == "decide":
            self._decide()
        else:
            self._step(move)

    def wait(self) -> None:
        """Time goes by: a task is answered, a suspension ends, a deadline passes."""
        task = self.seen.task
        if self.seen.state == "suspended":
            self.seen = replace(self.seen, state=self.held)
        elif task is not None and task.state == "open":
            self._answered(task)
        else:
            assert (self.seen.state, self.seen.overdue) == ("handling", False), f"stuck: {self.seen}"
            self.seen = replace(self.seen, overdue=True)

    def _answered(self, task: SeenTask) -> None:
        """The terminal answers, and its answer takes the step."""
        no = task.kind == "check" and self.plan.failed and not self.seen.counts.get("check_failed")
        rule = TABLE.answers[task.kind].step_for("no" if no else "yes")  # type: ignore[index]
        assert rule is not None
        self._step(rule.step)
        self.seen = replace(
            self.seen, task=replace(task, state="judged", result="no" if no else "yes", outcome="moved")
        )

    def _step(self, name: str) -> None:
        step = TABLE.step(name)
        assert self.seen.state in step.from_, name
        task = SeenTask("t", name.removeprefix("send_"), "open", None) if name.startswith("send_") else self.seen.task
        self.seen = replace(self.seen, state=step.to, counts=self._counted(step.counts), task=task)

    def _decide(self) -> None:
        rule = TABLE.request(self.asked)
        self.held = self.seen.state
        self.seen = replace(self.seen, waiting=0, state=rule.to or self.seen.state, counts=self._counted(rule.counts))

    def _merge(self, move: str) -> None:
        if move == "merge":
            self.held = self.seen.state
            self.seen = replace(self.seen, state="merged", counts=self._counted(["merged"]))
        else:
            self.seen = replace(self.seen, state=self.held)

    def _counted(self, names: list[str]) -> dict[str, int]:
        return dict(Counter(self.seen.counts) + Counter(names))


@given(PLANS)
def test_every_plan_comes_to_the_end_it_names(plan: CasePlan) -> None:
    play = Play(plan)
    for _ in range(MOST):
        if play.seen.state in ENDS:
            break
        move = next_move(play.seen, plan)
        if move is None:
            play.wait()
        else:
            play.move(move)
    assert play.seen.state == plan.ending
    assert play.done["send_verify"] == int(plan.verify)
    if plan.ending == "closed":
        asked = {what: play.done[f"ask:{what}"] for what in ("return", "extension", "suspension")}
        assert asked == {"return": plan.returned, "extension": plan.extended, "suspension": plan.suspended}
        assert play.done["merge"] == play.done["unmerge"] == plan.merged
        assert play.done["rework"] == plan.refused or (plan.failed and play.done["rework"] == 1)
        assert play.seen.counts.get("check_failed", 0) == plan.failed
        assert play.seen.overdue is plan.late


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_taken_by_a_post_that_may_with_what_it_needs(step: str) -> None:
    post, opinion = STEPS[step]
    rule = TABLE.step(step)
    assert post in rule.posts
    assert set(rule.requires) <= {"opinion"}
    assert bool(opinion) or "opinion" not in rule.requires


@pytest.mark.parametrize("what", ASKS)
def test_a_request_is_made_by_a_post_that_may_and_decided_by_another(what: str) -> None:
    post, opinion = ASKS[what]
    rule = TABLE.request(what)
    assert post in rule.posts
    assert opinion
    assert ("shift_leader" if what == "void" else "dispatcher") in rule.approvers


def test_the_first_cases_of_a_district_hold_everything_once() -> None:
    for thing in ("verify", "late", "returned", "extended", "suspended", "merged", "refused", "failed", "pressed"):
        assert sum(getattr(plan, thing) for plan in FIRST) == 1, thing
    assert {plan.ending for plan in FIRST} == {"closed", "rejected", "cancelled"}


@given(st.integers(0, 2**32), st.integers(0, 500))
def test_a_seed_repeats_its_plans(seed: int, n: int) -> None:
    plan = plan_case(seed, "210102", n)
    assert plan == plan_case(seed, "210102", n)
    assert not plan.pressed or plan.late


def test_a_made_up_photo_is_a_picture() -> None:
    with Image.open(io.BytesIO(made_up_png(Random(7)))) as picture:
        picture.load()
        assert picture.format == "PNG"
    assert made_up_png(Random(7)) == made_up_png(Random(7)) != made_up_png(Random(8))


def test_a_case_refused_the_same_way_again_and_again_is_given_up() -> None:
    day = object.__new__(Day)
    day.stuck, day._refused = {}, {}
    seen = Play(CasePlan()).seen
    for _ in range(2 * REFUSALS):
        day._count_refusal(seen, "answer", LinkError("the node is away"))
    for n in range(REFUSALS - 1):
        day._count_refusal(seen, "answer", BadInput(f"photo {n}"))
    day._count_refusal(seen, "answer", Conflict("another way"))
    assert not day.stuck
    for n in range(REFUSALS):
        assert not day.stuck
        day._count_refusal(seen, "answer", BadInput(f"photo {n}"))
    assert day.stuck == {seen.number: f"answer: photo {REFUSALS - 1}"}


def proof_of(dir: Path, *options: str) -> dict[str, Any]:
    """The last line of a day that real nodes play in ``dir``."""
    command = [sys.executable, "-m", "wanmi.cli", "demo", "--once", "--day", *options, "--json", "--dir", str(dir)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.processes
@pytest.mark.timeout(180)
def test_a_short_day_of_real_nodes(tmp_path: Path) -> None:
    proof = proof_of(tmp_path / "city", "--short", "--reports", "8", "--terminals", "2")
    assert proof["reports_sent"] == proof["cases_at_city"] == proof["closed"] == 8
    assert proof["lost"] == proof["duplicated"] == 0
    assert proof["chains_verified"]
    assert proof["replay_identical"]
    assert (proof["scenes_called"], proof["displays_shown"]) == (1, 2 if find_mosquitto() else 1)
    assert bool(proof["wall_page"]) is bool(find_mosquitto())
    assert proof["failed_then_passed"] == 2
    assert proof["returned"] == 2
    assert proof["answers"] == 12
    assert proof["moved_by_answers"] >= 10


@pytest.mark.long
@pytest.mark.processes
@pytest.mark.timeout(900)
def test_a_day_of_real_nodes(tmp_path: Path) -> None:
    proof = proof_of(tmp_path / "city", "--reports", "40")
    assert proof["reports_sent"] == proof["cases_at_districts"] == proof["cases_at_city"] == 40
    assert proof["lost"] == proof["duplicated"] == 0
    assert proof["chains_verified"]
    assert proof["replay_identical"]
    assert proof["closed"] >= 25
    assert proof["returned"] >= 2
    assert proof["late"] >= 2
    assert proof["failed_then_passed"] >= 2
    assert proof["moved_by_answers"] >= 0.8 * proof["answers"] > 0
    assert (proof["pressed"] >= 2) is bool(day_plugins())
