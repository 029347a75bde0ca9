"""Fixtures: journals on SQLite files in the test's directory, and on a PostgreSQL started for the session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.journals import Bench, Make, open_bench, sqlite_url


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make journals: ``make("210102", seed=2)``, on a SQLite file unless ``url`` is given."""
    made: list[Bench] = []

    def build(code: str, **options: object) -> Bench:
        url = options.pop("url", None) or sqlite_url(tmp_path / code)
        bench = open_bench(code, url, **options)  # type: ignore[arg-type]
        made.append(bench)
        return bench

    yield build
    for bench in made:
        bench.close()
