"""One snmpsim for all recordings of a test run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from support.snmp_agents import recordings, snmpsim


@pytest.fixture(scope="session")
def recorded_agents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an snmpsim that plays every recording; the community is the recording's name."""
    work = tmp_path_factory.mktemp("snmpsim")
    data = work / "data"
    data.mkdir()
    for name, path in recordings().items():
        # copied, not linked: snmpsim makes the community of the path that a link leads to
        shutil.copy(path, data / f"{name}.snmprec{'.bz2' if path.suffix == '.bz2' else ''}")
    with snmpsim(data, work) as port:
        yield port
