"""Settings of the whole suite: how hard Hypothesis looks; both databases for the tests that ask for them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings

from support.postgres import new_database, postgresql

# Time limits of single examples say more about the machine than about the code.
settings.register_profile("suite", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fuzz", deadline=None, max_examples=5_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A PostgreSQL server, started for the first test that needs it."""
    with postgresql() as base:
        yield base


POSTGRESQL = pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")])


@pytest.fixture(scope="module", params=["sqlite", POSTGRESQL])
def database(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Whoever asks runs on both databases: a new database's URL for a node's code; "" is SQLite in the node's folder."""
    if request.param == "sqlite":
        return lambda _code: ""
    base, module, count = request.getfixturevalue("postgresql_server"), request.module.__name__, itertools.count()
    prefix = module.rpartition(".")[2].removeprefix("test_")
    return lambda code: new_database(base, f"{prefix}_{next(count)}_{code}")
