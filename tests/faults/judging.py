"""When a run is over: is all level, nothing lost, nothing twice?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from faults.machine import Machine
from faults.towns import CITY, below
from faults.watch import Breach

if TYPE_CHECKING:
    from faults.city import City

REPLAYED = 5
"""Every so manieth seed is replayed from genesis at each node: a fifth of a run's time."""
FALSE_ALARMS = {"fork", "broken", "not-yours", "protocol"}


def lost(city: City) -> set[str]:
    """The nodes that never come back or cheat, and those that only they could speak for."""
    dead = {machine.code for machine in city.machines.values() if machine.dead} | city.watch.liars
    return dead | {code for one in dead for code in below(city.plan.cards, one)}


def living(city: City) -> list[Machine]:
    """The others."""
    gone = lost(city)
    return [machine for machine in city.machines.values() if machine.code not in gone]


def settled(city: City) -> bool:
    """L1, L4, L5: all are on and write, every chain is level wherever it goes, arrivals noted, blobs there."""
    machines = living(city)
    gone = lost(city)
    if not all(machine.on and machine.journal.held is None and not machine.is_behind for machine in machines):
        return False
    wanted = {(r.terminal, r.report_id) for r in city.plan.to_report if r.edge not in gone}
    if not wanted <= set(city.taken):
        return False
    return all(_is_level(city, machine, gone) for machine in machines)


def _is_level(city: City, machine: Machine, gone: set[str]) -> bool:
    for origin in wanted_at(city, machine.code):
        if origin not in gone and machine.journal.cursor(origin) != city.machines[origin].journal.cursor(origin):
            return False
    missing = [m for m in machine.blobs.missing() if m.origin not in gone and not _burnt(city, m.blob, m.origin)]
    return not missing and (arrivals_noted(machine, gone) or _was_full(city, machine))


def _burnt(city: City, blob: str, origin: str) -> bool:
    """A photo that was on the disk that was lost alone: its entry had arrived, the photo was still to be fetched."""
    return bool(city.machines[origin].restores) and not any(m.blobs.has(blob) for m in city.machines.values())


def _was_full(city: City, machine: Machine) -> bool:
    """An arrival that met a full disk is noted with the next one of its chain only (docs/federation.md, known limits)."""
    return any(fault.kind == "full" and fault.node == machine.code for fault in city.plan.faults)


def wanted_at(city: City, code: str) -> list[str]:
    """The chains that a node must hold in the end: its own, its parent's, all below it."""
    parent = city.machines[code].card.parent
    return [code, *([parent] if parent else []), *below(city.plan.cards, code)]


def arrivals_noted(machine: Machine, gone: set[str]) -> bool:
    """A parent has journaled how far the chains below it are."""
    noted = dict(machine.disk.ask("SELECT origin, seq FROM arrival WHERE by = ?", machine.code))
    below_it = [o for o in machine.journal.cursors() if machine.hub.directory.through(machine.code, o)]
    below_it = [o for o in below_it if o != machine.code and o not in gone]
    return all(machine.journal.cursor(o).seq == noted.get(o) for o in below_it)


def judge(city: City) -> None:
    """Every effect once, every projection replayable, no alarm for nothing; when quiet also nothing lost or twice."""
    for machine in city.machines.values():
        city.watch.effects(machine)
        city.watch.evidence(machine)
        if city.plan.seed % REPLAYED == 0:
            city.watch.replays(machine)
        alarms = [a.text for a in machine.hub.alarms if a.kind in FALSE_ALARMS]
        if alarms and not city.watch.liars:
            raise Breach(f"L: {machine.code} alarmed for nothing: {alarms[0]}")
    if city.plan.mode != "safe":
        _cases(city)
        _shared(city)
        _clocks(city)


def _cases(city: City) -> None:
    """Each report that a living edge took is one case, at its district and at the city."""
    gone = lost(city)
    sent = {case for case, edge in city.taken.items() if edge not in gone}
    at_city = _cases_at(city.machines[CITY.code])
    at_districts = [
        case for machine in living(city) if machine.card.role == "district" for case in _cases_at(machine)
    ]  # fmt: skip
    for where, cases in (("the districts", at_districts), ("the city", at_city)):
        if len(cases) != len(set(cases)):
            raise Breach(f"L: a report became two cases at {where}")
        if not sent <= set(cases):
            raise Breach(f"L: {len(sent)} reports were taken, {len(sent & set(cases))} of them are at {where}")
        if not gone and set(cases) != sent:
            raise Breach(f"L: {len(cases)} cases are at {where}, {len(sent)} reports were taken")


def _cases_at(machine: Machine) -> list[tuple[str, str]]:
    """(terminal, report id) of every case that a node shows."""
    return [(t, r) for t, r in machine.disk.ask("SELECT terminal, report_id FROM case_")]


def _shared(city: City) -> None:
    """L2: the city shows each case as its district does."""
    query = "SELECT * FROM case_ WHERE owner = ? ORDER BY number"
    for machine in living(city):
        if machine.card.role == "district":
            mine, theirs = (m.disk.ask(query, machine.code) for m in (machine, city.machines[CITY.code]))
            if mine != theirs:
                raise Breach(f"L2: the cases of {machine.code} are not the same there and at the city")


def _clocks(city: City) -> None:
    """I6: each step of a clock that a running node saw is an entry of its chain."""
    for code, step, restarts in city.steps_of_clocks:
        machine = city.machines[code]
        if machine.restarts != restarts or machine.restores or machine.dead:
            continue
        bodies = machine.disk.ask("SELECT body FROM entry WHERE origin = ? AND kind = 'clock.stepped'", code)
        if abs(step) > 1_000_000 and not bodies:
            raise Breach(f"I6: the clock of {code} stepped by {step} us, no entry says so")


def told(city: City) -> str:
    """Where every chain stands, for a failing run."""
    parts = []
    for machine in city.machines.values():
        at = {o: c.seq for o, c in machine.journal.cursors().items()} if machine.on else "off"
        held = f" held ({machine.journal.held})" if machine.journal.held else ""
        noted = "" if not machine.on or arrivals_noted(machine, lost(city)) else " arrivals not noted"
        blobs = f" {len(machine.blobs.missing())} blobs missing" if machine.blobs.missing(1) else ""
        parts.append(f"{machine.code} {at}{held}{noted}{blobs}")
    return f"{len(city.taken)} of {city.plan.reports} reports taken; " + "; ".join(parts)
