"""A crash at every single commit of a node, before and after it: the end is the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults.city import run
from faults.net import Weather
from faults.plan import Plan
from faults.towns import CITY, DISTRICTS, EDGES

SMALL = (CITY, DISTRICTS[0], EDGES[0])
MOST = 60


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("code", [card.code for card in SMALL])
def test_a_crash_at_every_commit(code: str, where: str, tmp_path: Path) -> None:
    for n in range(1, MOST):
        plan = Plan(
            seed=1, reports=2, trouble=2.0, faulty=False, weather=Weather(delay=0.02), cards=SMALL,
            crash_at=(code, n, where),
        )  # fmt: skip
        outcome = run(plan, tmp_path / str(n))
        if outcome.crashes == 0:
            assert n > 5, "the run is too short to prove anything"
            return
    pytest.fail(f"{MOST} commits were not enough to reach the run's end")
