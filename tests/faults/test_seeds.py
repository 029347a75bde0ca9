"""Loss, doubling, reordering, cuts, slow lines, crashes, full disks, old backups, clocks that jump: many seeds.

``python -m pytest tests/faults/test_seeds.py -k one_run --seed 17 --town small --mode live`` is one run again;
``--shrink`` leaves out faults as long as it still fails, ``--only 3,7`` says which ones to keep.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from faults.city import Outcome, run
from faults.plan import Plan
from faults.shrinking import shrunk
from faults.watch import Breach


def run_plan(plan: Plan, folder: Path) -> Outcome:
    """One run; a failure says how to see it again."""
    try:
        return run(plan, folder / f"{plan.town}-{plan.mode}-{plan.seed}")
    except Breach as breach:
        pytest.fail(f"{breach}\nreplay: {plan.command}")


def test_nothing_is_lost_or_done_twice_whatever_happens(seeds: range, tmp_path: Path) -> None:
    outcomes = [run_plan(Plan.of(seed), tmp_path) for seed in seeds]
    assert sum(outcome.crashes for outcome in outcomes) >= len(outcomes), "the disk was too kind to prove anything"


def test_faults_that_never_stop_break_nothing(tmp_path: Path) -> None:
    for seed in range(10_000, 10_003):
        run_plan(Plan.of(seed, mode="safe"), tmp_path)


def test_a_node_that_never_comes_back_holds_up_nobody(tmp_path: Path) -> None:
    for seed in range(20_000, 20_006):
        run_plan(Plan.of(seed, mode="dead"), tmp_path)


@pytest.mark.long
def test_many_more_seeds(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        run_plan(Plan.of(seed), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("mode", ["safe", "dead"])
def test_many_more_seeds_of_the_other_modes(seeds: range, mode: str, tmp_path: Path) -> None:
    for seed in seeds[::5]:
        run_plan(Plan.of(seed, mode="safe" if mode == "safe" else "dead"), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
def test_a_town_of_twelve_districts(seed: int, tmp_path: Path) -> None:
    outcome = run_plan(Plan.of(seed, town="full"), tmp_path)
    assert outcome.crashes > 0


def test_a_seed_is_the_same_run_every_time(tmp_path: Path) -> None:
    first, second = run(Plan.of(7), tmp_path / "a"), run(Plan.of(7), tmp_path / "b")
    assert first == second


def test_one_run(one: Plan | None, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The run that ``--seed`` names (without it: a quiet one, in which nothing goes wrong)."""
    plan = one or replace(Plan.of(1), faulty=False, reports=2, trouble=2.0)
    if request.config.getoption("--shrink"):
        plan = shrunk(plan, lambda smaller, n: run(smaller, tmp_path / f"try-{n}"))
    run_plan(plan, tmp_path)
