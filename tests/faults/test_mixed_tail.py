"""A lost tail that no single peer holds whole: put together from several, or given up by a person (R6, R7, I17)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from faults.city import City, enrol
from faults.machine import Machine
from faults.net import Weather
from faults.plan import Plan
from faults.towns import CITY, DISTRICTS, EDGES
from wanmi.entries import Audience
from wanmi.errors import BadInput, Conflict
from wanmi.journal.proof.replay import replay_check
from wanmi.kinds import ClockStepped
from wanmi.links import HoldRow, TailRow
from wanmi.models import EntryRow, table
from wanmi.registry import Draft

ENTRY = table(EntryRow)


def quiet_city(folder: Path) -> City:
    """A city that is enrolled and does nothing."""
    city = City(Plan(1, reports=0, trouble=20.0, faulty=False), folder)
    enrol(city)
    city.net.weather = Weather(delay=0.02)
    city.run_until(5.0)
    return city


def write(city: City, machine: Machine, *audiences: Audience) -> None:
    """One entry for each audience, each in a commit of its own."""
    for audience in audiences:
        draft = Draft("clock.stepped", f"clock:{machine.code}", ClockStepped(1, "test"), audience)
        city.at(machine, lambda d=draft: machine.journal.append(d).result())  # type: ignore[misc]


def restore(city: City, machine: Machine, copy: object) -> None:
    """Put the disk back to a copy and switch on."""
    machine.restore(copy)
    city.watch.restored(machine)
    city.switch_on(machine)


def lacking(machine: Machine) -> list[int]:
    """Own entries without bytes."""
    with machine.store.reader() as tx:
        query = select(ENTRY.c.seq).where(ENTRY.c.origin == machine.code, ENTRY.c.raw.is_(None))
        return list(tx.execute(query.order_by(ENTRY.c.seq)).scalars())


def nothing_is_kept(machine: Machine) -> bool:
    """No hold and no unapplied tail are on the disk."""
    with machine.store.reader() as tx:
        return not tx.execute(select(table(HoldRow))).all() and not tx.execute(select(table(TailRow))).all()


def raws(machine: Machine, origin: str) -> list[bytes | None]:
    """The bytes of a chain as a machine holds it."""
    return [stored.raw for stored in machine.journal.read(origin, 0)]


@pytest.mark.parametrize("restarts", [False, True])
def test_a_tail_that_is_whole_nowhere_comes_back_from_all_together(restarts: bool, tmp_path: Path) -> None:
    city = quiet_city(tmp_path)
    district = city.machines[DISTRICTS[0].code]
    copy = district.disk.copy()
    write(city, district, *[(CITY.code,), (EDGES[0].code,)] * 3, "*", (CITY.code, EDGES[0].code))
    city.run_until(15.0)
    had, bytes_before = district.journal.cursor(district.code), raws(district, district.code)
    assert all(raw is not None for raw in bytes_before)

    restore(city, district, copy)
    assert isinstance(district.journal.append(district.card.admission(None)).exception(), Conflict)
    if restarts:
        city.net.cut |= {(district.code, EDGES[0].code), (EDGES[0].code, district.code)}
        city.run_until(city.clock.monotonic() + 10)
        assert district.journal.held is not None
        assert district.hub.lacking
        district.on = False
        city.switch_on(district)
        city.run_until(city.clock.monotonic() + 5)
        assert district.journal.held is not None
        city.net.cut.clear()

    def whole() -> bool:
        return district.journal.held is None and district.journal.cursor(district.code).seq >= had.seq

    assert city.run_until(city.clock.monotonic() + 60, whole), district.hub.held
    assert district.journal.hash_at(district.code, had.seq) == had.hash
    assert raws(district, district.code)[: had.seq] == bytes_before
    assert nothing_is_kept(district)
    assert replay_check(district.store, district.registry) == []
    write(city, district, "*")
    city.run_until(city.clock.monotonic() + 5)
    for peer in (CITY.code, EDGES[0].code):
        held = city.machines[peer].journal.cursor(district.code)
        assert held == district.journal.cursor(district.code)


def test_a_city_that_wrote_to_one_district_each_gets_all_back(tmp_path: Path) -> None:
    city = quiet_city(tmp_path)
    machine = city.machines[CITY.code]
    copy = machine.disk.copy()
    write(city, machine, (DISTRICTS[0].code,), (DISTRICTS[1].code,), (DISTRICTS[0].code,))
    city.run_until(10.0)
    before = raws(machine, CITY.code)

    restore(city, machine, copy)
    assert city.run_until(city.clock.monotonic() + 60, lambda: machine.journal.held is None), machine.hub.held
    assert raws(machine, CITY.code)[: len(before)] == before


def test_what_nobody_holds_is_named_and_a_person_gives_it_up(tmp_path: Path) -> None:
    city = quiet_city(tmp_path)
    machine, district = city.machines[CITY.code], city.machines[DISTRICTS[0].code]
    copy = machine.disk.copy()
    start = machine.journal.cursor(CITY.code).seq
    write(city, machine, "*", (), (DISTRICTS[0].code,), (CITY.code,), "*")
    city.run_until(10.0)
    had = machine.journal.cursor(CITY.code)
    lost = [start + 2, start + 4]

    restore(city, machine, copy)
    city.run_until(city.clock.monotonic() + 60)
    assert machine.hub.lacking == lost
    assert list(machine.hub.waits_for) == [CITY.code], "every peer was heard"
    assert f"{lost[0]}, {lost[1]}" in machine.hub.held
    assert "wanmi link recover" in machine.hub.held
    assert machine.journal.cursor(CITY.code).seq == start + 1, "what is whole before the first gap is applied"

    city.at(machine, lambda: machine.hub.give_up("the disk burnt", "p-1").result())
    assert machine.journal.held is None
    assert machine.journal.hash_at(CITY.code, had.seq) == had.hash
    assert lacking(machine) == lost
    told = machine.journal.read(CITY.code, had.seq)[0].entry
    assert told is not None
    assert (told.kind, told.actor) == ("tail.given_up", "p-1")
    assert told.body == {"lost": [[n, n] for n in lost], "unheard": [], "reason": "the disk burnt"}
    assert nothing_is_kept(machine)
    assert replay_check(machine.store, machine.registry) == []
    city.run_until(city.clock.monotonic() + 5)
    assert district.journal.cursor(CITY.code) == machine.journal.cursor(CITY.code)
    machine.on = False
    city.switch_on(machine)
    assert machine.journal.held is None
    with pytest.raises(BadInput, match="not held"):
        machine.hub.give_up("again", None)


def test_a_peer_that_is_gone_for_ever_is_not_waited_for_if_a_person_says_so(tmp_path: Path) -> None:
    city = quiet_city(tmp_path)
    machine, dead = city.machines[CITY.code], city.machines[DISTRICTS[1].code]
    copy = machine.disk.copy()
    write(city, machine, "*", "*")
    city.run_until(10.0)
    city.net.cut |= {(CITY.code, dead.code), (dead.code, CITY.code)}
    had = machine.journal.cursor(CITY.code)
    restore(city, machine, copy)
    city.run_until(city.clock.monotonic() + 30)
    assert list(machine.hub.waits_for) == [dead.code]
    assert machine.journal.cursor(CITY.code) == had
    city.at(machine, lambda: machine.hub.give_up("it burnt as well", "p-1").result())
    told = machine.journal.read(CITY.code, had.seq)[0].entry
    assert told is not None
    assert told.body == {"lost": [], "unheard": [dead.code], "reason": "it burnt as well"}


def recovery(folder: Path, crash_at: tuple[int, str] | None) -> tuple[City, int, int]:
    """A district restored from before a mixed tail, with a crash at one of its commits; (city, first, last commit)."""
    city = quiet_city(folder)
    district = city.machines[DISTRICTS[0].code]
    copy = district.disk.copy()
    write(city, district, (CITY.code,), (EDGES[0].code,), "*", (EDGES[0].code,), (CITY.code,))
    city.run_until(12.0)
    before = raws(district, district.code)
    first = city._counts[district.code]
    if crash_at is not None:
        city.plan = replace(city.plan, crash_at=(district.code, *crash_at))
    restore(city, district, copy)

    def whole() -> bool:
        return district.on and district.journal.held is None

    assert city.run_until(city.clock.monotonic() + 60, whole), district.hub.held
    assert raws(district, district.code)[: len(before)] == before
    assert nothing_is_kept(district)
    assert replay_check(district.store, district.registry) == []
    return city, first, city._counts[district.code]


def test_a_crash_at_any_commit_of_the_recovery_loses_nothing(tmp_path: Path) -> None:
    _, first, last = recovery(tmp_path / "whole", None)
    assert last - first >= 6
    crashes = 0
    for n in range(first + 1, last + 1):
        for where in ("before", "after"):
            city, _, _ = recovery(tmp_path / f"{n}-{where}", (n, where))
            crashes += city.crashes
    assert crashes >= last - first


def test_a_child_whose_admission_was_lost_is_heard_before_anything_is_written(tmp_path: Path) -> None:
    city = City(Plan(1, reports=0, trouble=20.0, faulty=False), tmp_path)
    city.net.weather = Weather(delay=0.02)
    for machine in city.machines.values():
        machine.start()
        machine.journal.append(machine.card.admission(None)).result()
    root, late = city.machines[CITY.code], city.machines[DISTRICTS[1].code]
    root.journal.append(DISTRICTS[0].admission(CITY.code)).result()
    city.enrolled = True
    for code in (CITY.code, DISTRICTS[0].code):
        city.switch_on(city.machines[code])
    city.run_until(5.0)
    copy = root.disk.copy()
    city.at(root, lambda: root.journal.append(DISTRICTS[1].admission(CITY.code)).result())
    city.switch_on(late)
    city.run_until(15.0)
    restore(city, root, copy)
    city.net.cut |= {(CITY.code, late.code), (late.code, CITY.code)}
    city.run_until(city.clock.monotonic() + 15)
    assert root.journal.cursor(CITY.code).seq >= late.journal.cursor(CITY.code).seq - 1
    assert list(root.hub.waits_for) == [late.code]
    city.net.cut.clear()
    assert city.run_until(city.clock.monotonic() + 60, lambda: root.journal.held is None), root.hub.held
