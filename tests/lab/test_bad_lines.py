"""Real processes on a bad line: kills at named points and a cut; nothing lost, nothing twice, back in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lab.lines import Lines, StreamLines, TunLines
from lab.town import CITY, DISTRICTS, Held, cut_and_heal, lab_town, wait_until
from lab.weather import Weather

DISTRICT = DISTRICTS[0]
POOR = Weather(rtt_ms=80, jitter_ms=10, loss=0.01)
NOTICED, RESUMED = 10.0, 35.0
"""Seconds after a cut in which both ends say so, and after healing in which entries arrive again."""
REPORTS = 3_000


@pytest.mark.processes
def test_a_poor_line_kills_and_a_cut(tmp_path: Path) -> None:
    """As a stream on loopback, so that it runs wherever the suite does."""
    _kills_and_a_cut(tmp_path, StreamLines, POOR)


@pytest.mark.long
@pytest.mark.processes
@pytest.mark.timeout(300)
def test_the_same_packet_by_packet(tmp_path: Path) -> None:
    """In network namespaces, where packets are really lost, doubled and reordered."""
    _kills_and_a_cut(tmp_path, TunLines, replace(POOR, double=0.01, reorder=0.01, kbit=10_000))


@pytest.mark.long
@pytest.mark.processes
@pytest.mark.timeout(400)
def test_a_long_cut_is_healed_in_time(tmp_path: Path) -> None:
    """After 90 s every waiting time has grown to its most."""
    with lab_town(tmp_path, TunLines(), POOR) as town:
        town.feed(DISTRICT, 1_000_000, batch=1, pace=0.2)
        noticed, resumed = cut_and_heal(town, DISTRICT, cut_for=90)
        print(f"a cut of 90 s was noticed after {noticed:.1f} s, healed after {resumed:.1f} s")
        assert noticed <= NOTICED
        assert resumed <= RESUMED


def _kills_and_a_cut(root: Path, lines: Callable[[], Lines], weather: Weather) -> None:
    with lab_town(root, lines(), weather) as town:
        town.feed(DISTRICT, REPORTS)
        town.kill_at(DISTRICT, "after commit", 5)
        town.kill_at(CITY, "before ack", 2)
        town.kill_at(DISTRICT, "after batch", 2)
        noticed, resumed = cut_and_heal(town, DISTRICT)
        print(f"a cut was noticed after {noticed:.1f} s, healed after {resumed:.1f} s")
        assert noticed <= NOTICED
        assert resumed <= RESUMED
        wait_until(lambda: town.has(CITY, DISTRICT, REPORTS), 60, lambda: town.links(CITY))
        assert town.held(CITY, DISTRICT) == Held(REPORTS, REPORTS, REPORTS)
