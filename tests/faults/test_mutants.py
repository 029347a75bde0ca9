"""The checkers check: each broken version of the product is caught within the seeds that the suite runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults.city import run
from faults.mutants import MUTANTS
from faults.watch import Breach


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_rule_is_caught(name: str, tmp_path: Path) -> None:
    mutant = MUTANTS[name]
    for seed in range(100):
        try:
            run(mutant.plan(seed), tmp_path / str(seed), mutant.hooks, mutant.limits)
        except Breach as breach:
            if str(breach).startswith(tuple(f"{rule}:" for rule in mutant.rules)):
                return
    pytest.fail(f"100 seeds did not notice: {name}")


@pytest.mark.parametrize("name", ["no window", "recovery flag not durable"])
def test_what_mutants_are_run_with_is_no_fault_of_the_product(name: str, tmp_path: Path) -> None:
    mutant = MUTANTS[name]
    for seed in range(2):
        run(mutant.plan(seed), tmp_path / str(seed), None, mutant.limits)
