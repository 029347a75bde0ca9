"""A node whose disk is put back to an old copy gets its lost tail from its peers before it writes (R6, R7)."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from faults.city import CITY, DISTRICTS, EDGES, City, Plan, enrol, judge, schedule_trouble, settled, told
from faults.net import Weather
from wanmi.errors import Conflict
from wanmi.links import HoldRow
from wanmi.models import ForkRow, table


def living_city(seed: int, folder: Path) -> City:
    """A city in good weather in which reports flow."""
    city = City(Plan(seed, reports=16, trouble=20.0), folder)
    enrol(city)
    city.net.weather = Weather(delay=0.02, jitter=0.05)
    schedule_trouble(city)
    for n, edge in enumerate(EDGES * 2):
        terminal = f"T{edge.code[:6]}-0001"
        city.after(10.0 + n, lambda e=edge.code, t=terminal, r=f"later-{n:06d}": city.report(e, t, r, None))  # type: ignore[misc]
    return city


def forget(city: City, code: str) -> None:
    """The outside view forgets what a node promised before its disk was put back."""
    for pair in [pair for pair in city.watch.looked if pair[0] == code]:
        del city.watch.looked[pair]
    for pair in [pair for pair in city.watch.acked if pair[0] == code]:
        del city.watch.acked[pair]


@pytest.mark.parametrize("code", [DISTRICTS[0].code, CITY.code, EDGES[0].code])
@pytest.mark.parametrize("seed", range(3))
def test_a_restored_node_gets_its_tail_back(seed: int, code: str, tmp_path: Path) -> None:
    city = living_city(seed, tmp_path)
    machine = city.machines[code]
    city.run_until(8.0)
    copy = machine.backup()
    before = machine.journal.cursor(code).seq
    city.run_until(26.0, lambda: settled(city))
    assert machine.journal.cursor(code).seq > before
    had = machine.journal.cursor(code)

    machine.restore(copy)
    forget(city, code)
    city.switch_on(machine)
    assert machine.journal.held is not None
    assert isinstance(machine.journal.append(machine.card.admission(None)).exception(), Conflict)
    assert city.run_until(city.clock.monotonic() + 60, lambda: settled(city)), told(city)

    assert machine.journal.held is None
    assert machine.journal.hash_at(code, had.seq) == had.hash
    with machine.store.reader() as tx:
        assert tx.execute(select(table(HoldRow))).all() == []
    judge(city)


def test_a_node_that_wrote_before_it_heard_is_a_fork_seen_by_both(tmp_path: Path) -> None:
    city = living_city(5, tmp_path)
    machine, parent = city.machines[DISTRICTS[0].code], city.machines[CITY.code]
    city.run_until(8.0)
    copy = machine.backup()
    city.run_until(26.0, lambda: settled(city))
    known = machine.journal.cursor(machine.code)

    machine.restore(copy)
    forget(city, machine.code)
    city.watch.truth = {}
    machine.start()
    machine.hub._holding.release(parent.code)
    machine.hub._holding.release(EDGES[0].code)
    while machine.journal.cursor(machine.code).seq <= known.seq:
        machine.journal.append(machine.card.admission(None)).result()
    city.watch.committed = lambda _: None  # type: ignore[method-assign, assignment]  # the outside sees a fork as well
    machine.begin()
    machine.turn()
    city._due[machine.code] = city.clock.monotonic()
    city.run_until(city.clock.monotonic() + 20)

    assert any(alarm.kind == "fork" for alarm in machine.hub.alarms)
    assert any(alarm.kind == "fork" for alarm in parent.hub.alarms)
    assert parent.journal.cursor(machine.code) == known
    with parent.store.reader() as tx:
        rows = tx.execute(select(table(ForkRow)).where(table(ForkRow).c.origin == machine.code)).all()
    assert rows
    assert rows[0].peer == machine.code
