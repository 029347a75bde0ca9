"""A simulated town on virtual time: one plan, one run, the same every time."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.exc import OperationalError

from faults.judging import judge, settled, told
from faults.liar import Liar
from faults.machine import LIMITS, Crash, Hooks, Machine, OwnClock
from faults.net import Net, session_of
from faults.plan import Fault, Plan, Report
from faults.watch import Breach, Watch
from wanmi.clock import SECOND, ManualClock
from wanmi.errors import LinkError
from wanmi.ids import SeededIds
from wanmi.links import Limits
from wanmi.links.frames import Hello, Open, decode

SHORTEST = 0.01
"""Virtual seconds between two turns of a node that says it is due."""


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    seed: int
    steps: int
    commits: int
    crashes: int
    restores: int
    frames: int
    seconds: float
    reports: int


class City:
    """The machines, the network, the heap of what happens when."""

    def __init__(self, plan: Plan, dir: Path, hooks: Hooks | None = None, limits: Limits = LIMITS,
                 liar: Liar | None = None) -> None:  # fmt: skip
        self.plan = plan
        self.hooks = hooks or Hooks()
        self.rng = random.Random(f"{plan.seed} city")
        self.clock = ManualClock()
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self.net = Net(
            random.Random(f"{plan.seed} net"), self.clock.monotonic, self.after, self._deliver, self._sent
        )  # fmt: skip
        self.steps = self.crashes = self.commits = 0
        self.troubled = False
        self.enrolled = False
        self._counts: dict[str, int] = {}
        self._doomed: dict[tuple[str, str], int] = {}
        by_code = {card.code: card for card in plan.cards}
        self.machines = {
            card.code: Machine(
                card, OwnClock(self.clock), SeededIds(f"{plan.seed} {card.code}"), dir, self.send, self._boundary,
                by_code[card.parent].peer() if card.parent else None, self.hooks, limits,
            )
            for card in plan.cards
        }  # fmt: skip
        self.liar = liar
        self.watch = Watch(self.machines, liars={liar.code} if liar else set())
        self._due: dict[str, float] = {}
        self.taken: dict[tuple[str, str], str] = {}
        self.steps_of_clocks: list[tuple[str, int, int]] = []
        self._older: dict[str, list[Any]] = {}

    # --- time

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something after some virtual seconds."""
        heapq.heappush(self._heap, (self.clock.monotonic() + seconds, next(self._order), act))

    def run_until(self, end: float, done: Callable[[], bool] | None = None) -> bool:
        """Let the town live until a moment, or until ``done`` says so (asked twice a virtual second)."""
        asked = self.clock.monotonic()
        while True:
            at, code = min(((due, c) for c, due in self._due.items()), default=(float("inf"), ""))
            event = self._heap[0][0] if self._heap else float("inf")
            now = min(at, event)
            if now >= end:
                self._advance(end)
                return done is not None and done()
            self._advance(now)
            self.steps += 1
            if event <= at:
                heapq.heappop(self._heap)[2]()
            else:
                self.at(self.machines[code], self.machines[code].turn)
            if done is not None and now - asked >= 0.5:
                asked = now
                if done():
                    return True

    def _advance(self, to: float) -> None:
        us = round((to - self.clock.monotonic()) * SECOND)
        if us > 0:
            self.clock.advance(us)

    # --- machines

    def switch_on(self, machine: Machine) -> None:
        """Start a node, or start it again after a crash."""
        if machine.dead:
            return
        machine.start()
        self.watch.rose(machine)
        self.at(machine, machine.begin)

    def at(self, machine: Machine, act: Callable[[], object]) -> bool:
        """Run something at a node; a crash switches it off for a while. Whether it ran to its end."""
        if not machine.on:
            return False
        try:
            act()
            machine.turn()
        except (Crash, OperationalError) as error:  # the power, or a disk so full that the links' task ended
            self.crashes += isinstance(error, Crash)
            self._fall(machine)
            return False
        finally:
            self.watch.committed(machine)
        self._due[machine.code] = max(machine.due(), self.clock.monotonic() + SHORTEST)
        return True

    def _fall(self, machine: Machine) -> None:
        self._off(machine)
        self.watch.effects(machine)
        if self.hooks.lazy_disk and machine.code in self._older:
            machine.disk.put_back(self.rng.choice(self._older[machine.code]))
            self.watch.fell_back(machine)
        self.after(self.rng.uniform(0.1, 4.0), lambda: None if machine.on else self.switch_on(machine))

    def _off(self, machine: Machine) -> None:
        machine.on = False
        self._due.pop(machine.code, None)

    def _boundary(self, code: str, where: str) -> None:
        if not self.enrolled:
            return
        if where == "before":
            self.commits += 1
            self._counts[code] = self._counts.get(code, 0) + 1
            if self.hooks.lazy_disk and self._counts[code] % 4 == 0:
                self._remember(code)
        if self.plan.crash_at == (code, self._counts.get(code, 0), where):
            raise Crash
        left = self._doomed.get((code, where), 0)
        if left:
            self._doomed[code, where] = left - 1
            if left == 1 and self.troubled:
                raise Crash

    def _remember(self, code: str) -> None:
        """The disk of a few commits ago is what a lazy one falls back to."""
        self.after(0.0, lambda: self._older.__setitem__(code, [self.machines[code].disk.copy()]))

    # --- network

    def send(self, source: str, target: str, frame: bytes) -> None:
        """A node sends a frame; a liar sends what it likes."""
        if self.liar is None or self.liar.code != source:
            self.net.send(source, target, frame)
            return
        for lie in self.liar.tell(target, frame, self.rng):
            self.net.send(source, target, lie)

    def _sent(self, source: str, target: str, frame: bytes) -> None:
        self.watch.sent(source, target, frame)

    def _deliver(self, source: str, target: str, frame: bytes) -> None:
        machine = self.machines[target]
        if not machine.on:
            return
        foreign = self._is_foreign(machine, source, frame)
        before = machine.store.writer.stats.commits
        self.at(machine, lambda: self._receive(machine, source, frame, foreign, before))

    def _is_foreign(self, machine: Machine, source: str, frame: bytes) -> bool:
        """Whether a frame belongs to no session that stands (a liar's may not even read)."""
        link = machine.hub.links.get(source)
        current = link.session if link is not None else b""
        try:
            return session_of(frame) != current and not isinstance(decode(frame).header, Open | Hello)
        except LinkError:
            return False

    def _receive(self, machine: Machine, source: str, frame: bytes, foreign: bool, before: int) -> None:
        machine.hub.received(source, frame)
        if foreign and machine.store.writer.stats.commits != before:
            raise Breach(f"I11: a frame of another session changed what {machine.code} holds")

    # --- what goes wrong

    def suffer(self, fault: Fault) -> None:
        """A fault of the plan strikes."""
        if self.troubled:
            getattr(self, f"_{fault.kind}")(fault, self.machines[fault.node])

    def calm(self) -> None:
        """No fault from now on: what is cut, slow or full is mended, what is off comes on by itself."""
        self.troubled = False
        self.net.mend()
        for machine in self.machines.values():
            machine.disk.lift()

    def _crash(self, fault: Fault, _machine: Machine) -> None:
        self._doomed[fault.node, fault.other] = fault.count

    def _cut(self, fault: Fault, _machine: Machine) -> None:
        self._break({(fault.node, fault.other), (fault.other, fault.node)}, fault.length)

    def _deaf(self, fault: Fault, _machine: Machine) -> None:
        self._break({(fault.other, fault.node)}, fault.length)

    def _break(self, ways: set[tuple[str, str]], seconds: float) -> None:
        self.net.cut |= ways
        self.after(seconds, lambda: self.net.cut.difference_update(ways))

    def _slow(self, fault: Fault, _machine: Machine) -> None:
        for way in ((fault.node, fault.other), (fault.other, fault.node)):
            self.net.rates[way] = 2_000.0
            self.after(fault.length, partial(self.net.rates.pop, way, None))  # type: ignore[arg-type]

    def _clock(self, fault: Fault, machine: Machine) -> None:
        machine.clock.offset += fault.much
        if machine.on:
            self.steps_of_clocks.append((machine.code, fault.much, machine.restarts))

    def _full(self, fault: Fault, machine: Machine) -> None:
        machine.disk.fill()
        self.after(fault.length, machine.disk.lift)

    def _dead(self, _fault: Fault, machine: Machine) -> None:
        self._off(machine)
        machine.dead = True

    def _restore(self, fault: Fault, machine: Machine) -> None:
        copy = machine.disk.copy()
        self.after(fault.length, lambda: self.put_back(machine, copy))

    def put_back(self, machine: Machine, copy: Any) -> None:
        """A person puts an old copy of a node's disk in place and starts it."""
        self.watch.committed(machine)
        safe = _safe(machine)
        self._off(machine)
        machine.restore(copy)
        self.watch.restored(machine)
        for (terminal, report_id), edge in list(self.taken.items()):
            if edge == machine.code and (terminal, report_id) not in safe:
                del self.taken[terminal, report_id]
                report = next(r for r in self.plan.to_report if (r.terminal, r.report_id) == (terminal, report_id))
                self.after(self.rng.uniform(0, 10), partial(self.report, Report(0, edge, *_what(report))))
        self.switch_on(machine)

    def attend(self) -> None:
        """A person gives up what no peer holds any more: entries whose only bytes were on the disk that was lost."""
        for machine in self.machines.values():
            if machine.on and machine.hub.lacking and list(machine.hub.waits_for) == [machine.code]:
                self.at(machine, lambda hub=machine.hub: hub.give_up("nobody has it", "p-1"))  # type: ignore[misc]

    # --- what a terminal does

    def report(self, report: Report) -> None:
        """A terminal sends a report until the edge has it; it keeps it until the district has it too."""
        machine = self.machines[report.edge]
        kept: list[bool] = []
        take = partial(machine.take_report, report.terminal, report.report_id, report.photo)
        if self.at(machine, lambda: kept.append(take())) and kept[0]:
            self.taken[report.terminal, report.report_id] = report.edge
        elif not machine.dead:
            self.after(1.0, lambda: self.report(report))


def _what(report: Report) -> tuple[str, str, bytes | None]:
    return report.terminal, report.report_id, report.photo


def _safe(machine: Machine) -> set[tuple[str, str]]:
    """The reports that the parent has countersigned: their terminals have forgotten them."""
    upto = "SELECT coalesce(max(seq), 0) FROM cosign WHERE origin = ?1"
    rows = machine.disk.ask(
        f"SELECT terminal, report_id FROM report WHERE edge = ?1 AND seq <= ({upto})", machine.code
    )  # fmt: skip
    return {(terminal, report_id) for terminal, report_id in rows}


def enrol(city: City) -> None:
    """Every node founds its chain, every parent admits its children: before the weather turns bad."""
    for machine in city.machines.values():
        machine.start()
        machine.journal.append(machine.card.admission(None)).result()
    for card in city.plan.cards:
        if card.parent is not None:
            city.machines[card.parent].journal.append(card.admission(card.parent)).result()
    city.enrolled = True
    for machine in city.machines.values():
        machine.on = False
        city.switch_on(machine)


def schedule(city: City) -> None:
    """What the plan says will happen: reports and faults."""
    for report in city.plan.to_report:
        city.after(report.at, partial(city.report, report))
    for fault in city.plan.faults:
        city.after(fault.at, partial(city.suffer, fault))


def run(plan: Plan, dir: Path, hooks: Hooks | None = None, limits: Limits = LIMITS) -> Outcome:
    """One run: trouble; then, unless the mode is "safe", none, and all must be well. Raises Breach."""
    return live(City(plan, dir, hooks, limits))


def live(city: City) -> Outcome:
    """The run of a town. Raises Breach."""
    plan = city.plan
    enrol(city)
    start = city.clock.monotonic()
    schedule(city)
    city.net.weather, city.troubled = plan.weather, True
    city.run_until(start + plan.trouble)
    if plan.mode != "safe":
        city.calm()
        if not city.run_until(start + plan.trouble + plan.patience, lambda: city.attend() or settled(city)):
            raise Breach(f"L1: the town is not level {plan.patience:g} s after the last fault: {told(city)}")
    judge(city)
    return Outcome(
        plan.seed, city.steps, city.commits, city.crashes, sum(m.restores for m in city.machines.values()),
        city.net.frames, city.clock.monotonic() - start, len(city.taken),
    )  # fmt: skip
