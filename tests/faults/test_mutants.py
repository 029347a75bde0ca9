"""The checkers check: each broken version of the product is caught within the seeds that the suite runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults.city import Plan, run
from faults.mutants import MUTANTS
from faults.watch import Breach


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_rule_is_caught(name: str, tmp_path: Path) -> None:
    hooks, rule = MUTANTS[name]
    for seed in range(100):
        try:
            run(Plan(seed), tmp_path / str(seed), hooks)
        except Breach as breach:
            if str(breach).startswith(f"{rule}:"):
                return
    pytest.fail(f"100 seeds did not notice: {name}")
