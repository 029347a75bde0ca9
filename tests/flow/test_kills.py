"""Exactly once under SIGKILL at random moments of real processes: 20 kills here, more by WANMI_KILLS."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from flow.streets import CITY, DISTRICT, EDGE, Streets, dice, streets
from wanmi.journal.proof import replay_check, verify_paths
from wanmi.node import Node

KILLS = int(os.environ.get("WANMI_KILLS", "20"))
SEED = int(os.environ.get("WANMI_SEED", "210100"))
PACE = 0.03
"""Seconds between reports."""


@pytest.mark.processes
@pytest.mark.timeout(180 + 12 * KILLS)
def test_exactly_once_under_kill(tmp_path: Path) -> None:
    random = dice(SEED)
    with streets(tmp_path) as town, town.terminal() as terminal:
        for _ in range(KILLS):
            until = time.monotonic() + random.uniform(0.05, 1.2)
            while time.monotonic() < until:
                town.report(terminal)
                time.sleep(PACE)
            town.kill(random.choice((EDGE, EDGE, DISTRICT, CITY)))
        assert terminal.wait_quiet(90), terminal.progress()
        _wait_until_city_has_all(town, 60)
        assert terminal.progress().counts.refused == 0
        sent = list(town.sent)
    assert len(sent) > KILLS
    for code in (DISTRICT, CITY):
        held = town.held(code)
        assert sorted(held) == sorted(sent), code
        assert set(held.values()) == {1}, code
    report = verify_paths([tmp_path / code for code in (CITY, DISTRICT, EDGE)])
    assert report.findings == []
    for code in (CITY, DISTRICT, EDGE):
        with Node.open(tmp_path / code) as node:
            assert replay_check(node.store, node.registry) == []


def _wait_until_city_has_all(town: Streets, seconds: float) -> None:
    until = time.monotonic() + seconds
    while len(town.held(CITY)) < len(town.sent) and time.monotonic() < until:
        time.sleep(0.2)
