"""Which seeds the simulator runs: ``--seed N`` replays one, ``WANMI_FAULT_SEEDS`` says how many the long run takes."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest
import structlog


def pytest_addoption(parser: pytest.Parser) -> None:
    """``pytest tests/faults --seed 17``."""
    parser.addoption("--seed", type=int, default=None, help="replay one seed of the fault simulator")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``seeds``: a slice of the seeds, ten a test, so that several processes share them."""
    if "seeds" in metafunc.fixturenames:
        one = metafunc.config.getoption("--seed", default=None)
        long = metafunc.definition.get_closest_marker("long") is not None
        many = range(100, 100 + int(os.environ.get("WANMI_FAULT_SEEDS", "1000"))) if long else range(100)
        slices = [range(one, one + 1)] if one is not None else [many[at : at + 10] for at in range(0, len(many), 10)]
        metafunc.parametrize("seeds", slices, ids=[f"{s.start}-{s.stop - 1}" for s in slices])


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of links go up and down in a run: their log lines are not for people."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()
