"""One city, two districts, two edges: loss, doubling, reordering, late frames, cuts, crashes at commit boundaries."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults.city import Outcome, Plan, run
from faults.watch import Breach


def run_seed(seed: int, folder: Path) -> Outcome:
    """One seed; a failure says how to see it again."""
    try:
        return run(Plan(seed), folder / str(seed))
    except Breach as breach:
        pytest.fail(f"{breach}\nreplay: python -m pytest tests/faults/test_seeds.py --seed {seed}")


def test_nothing_is_lost_or_done_twice_whatever_happens(seeds: range, tmp_path: Path) -> None:
    outcomes = [run_seed(seed, tmp_path) for seed in seeds]
    assert sum(outcome.crashes for outcome in outcomes) >= len(outcomes), "the disk was too kind to prove anything"


@pytest.mark.long
def test_many_more_seeds(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        run_seed(seed, tmp_path)


def test_a_seed_is_the_same_run_every_time(tmp_path: Path) -> None:
    first, second = run(Plan(7), tmp_path / "a"), run(Plan(7), tmp_path / "b")
    assert first == second
