"""Which seeds the simulator runs: ``--seed N`` replays one, ``WANMI_FAULT_SEEDS`` says how many the long run takes."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest
import structlog

from faults.plan import Plan

SHORT = 200
"""Seeds in ``make test``."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """``pytest tests/faults/test_seeds.py -k one_run --seed 17 --town small --mode live``."""
    parser.addoption("--seed", type=int, default=None, help="replay one seed of the fault simulator")
    parser.addoption("--town", default="small", choices=["small", "full"], help="the town of --seed")
    parser.addoption("--mode", default="live", choices=["live", "safe", "dead"], help="the mode of --seed")
    parser.addoption("--only", default=None, help="the numbers of the faults of --seed to keep: 3,7,12")
    parser.addoption("--shrink", action="store_true", help="leave out faults while --seed still fails")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``seeds``: a slice of the seeds, ten a test, so that several processes share them."""
    if "seeds" in metafunc.fixturenames:
        long = metafunc.definition.get_closest_marker("long") is not None
        many = range(SHORT, SHORT + int(os.environ.get("WANMI_FAULT_SEEDS", "1000"))) if long else range(SHORT)
        slices = [many[at : at + 10] for at in range(0, len(many), 10)]
        metafunc.parametrize("seeds", slices, ids=[f"{s.start}-{s.stop - 1}" for s in slices])


@pytest.fixture
def one(request: pytest.FixtureRequest) -> Plan | None:
    """The run that the command line names."""
    option = request.config.getoption
    seed = option("--seed")
    if seed is None:
        return None
    only = option("--only")
    kept = None if only is None else frozenset(int(n) for n in only.split(",") if n)
    return Plan.of(seed, option("--town"), option("--mode"), kept)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of links go up and down in a run: their log lines are not for people."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()
