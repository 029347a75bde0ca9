"""An edge stays small: it runs on a small computer beside other things."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from support.idle import edge_process, held, make_edge

GOAL = 120.0
"""MiB resident, of a whole edge with its preset and nothing to do."""


@pytest.mark.processes
def test_an_idle_edge_stays_under_120_mib(tmp_path: Path) -> None:
    with edge_process(make_edge(tmp_path)) as pid:
        time.sleep(1.5)  # its tasks start after it says that it is ready
        found = held(pid)
    assert found.rss < GOAL, f"{found.rss:.1f} MiB resident, {found.pss:.1f} its share; what does it import too early?"
