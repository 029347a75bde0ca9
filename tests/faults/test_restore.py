"""A node whose disk is put back to an old copy gets its lost tail from its peers before it writes (R6, R7)."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from faults.city import City, enrol, schedule
from faults.judging import judge, settled, told
from faults.net import Weather
from faults.plan import Plan, Report
from faults.towns import CITY, DISTRICTS, EDGES
from wanmi.errors import Conflict


def living_city(seed: int, folder: Path) -> City:
    """A town in good weather in which reports flow."""
    city = City(Plan(seed, trouble=20.0, faulty=False), folder)
    enrol(city)
    city.net.weather = Weather(delay=0.02, jitter=0.05)
    schedule(city)
    for n, edge in enumerate(EDGES * 2):
        later = Report(0, edge.code, f"T{edge.code[:6]}-0001", f"later-{n:06d}", None)
        city.after(10.0 + n, partial(city.report, later))
    return city


@pytest.mark.parametrize("code", [DISTRICTS[0].code, CITY.code, EDGES[0].code])
@pytest.mark.parametrize("seed", range(2))
def test_a_restored_node_gets_its_tail_back(seed: int, code: str, tmp_path: Path) -> None:
    city = living_city(seed, tmp_path)
    machine = city.machines[code]
    city.run_until(8.0)
    copy = machine.disk.copy()
    before = machine.journal.cursor(code).seq
    city.run_until(26.0, lambda: settled(city))
    assert machine.journal.cursor(code).seq > before
    had = machine.journal.cursor(code)

    city.put_back(machine, copy)
    assert machine.journal.held is not None
    assert isinstance(machine.journal.append(machine.card.admission(None)).exception(), Conflict)
    assert city.run_until(city.clock.monotonic() + 60, lambda: settled(city)), told(city)

    assert machine.journal.held is None
    assert machine.journal.hash_at(code, had.seq) == had.hash
    assert machine.disk.ask("SELECT * FROM link_hold") == []
    judge(city)


def test_a_node_that_wrote_before_it_heard_is_a_fork_seen_by_both(tmp_path: Path) -> None:
    city = living_city(5, tmp_path)
    machine, parent = city.machines[DISTRICTS[0].code], city.machines[CITY.code]
    city.run_until(8.0)
    copy = machine.disk.copy()
    city.run_until(26.0, lambda: settled(city))
    known = machine.journal.cursor(machine.code)

    city.watch.liars.add(machine.code)  # the outside sees a fork as well
    machine.restore(copy)
    machine.start()
    for peer in (parent.code, EDGES[0].code):
        machine.hub._holding.release(peer)
    while machine.journal.cursor(machine.code).seq <= known.seq:
        machine.journal.append(machine.card.admission(None)).result()
    city.at(machine, machine.begin)
    city.run_until(city.clock.monotonic() + 20)

    assert any(alarm.kind == "fork" for alarm in machine.hub.alarms)
    assert any(alarm.kind == "fork" for alarm in parent.hub.alarms)
    assert parent.journal.cursor(machine.code) == known
    rows = parent.disk.ask("SELECT peer FROM fork WHERE origin = ?", machine.code)
    assert rows
    assert rows[0][0] == machine.code
