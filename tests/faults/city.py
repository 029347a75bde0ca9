"""A simulated city: 1 city, 2 districts, 2 edges on virtual time; one seed, one run, the same every time."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from faults.machine import LIMITS, Card, Crash, Hooks, Machine
from faults.net import Net, Weather, session_of
from faults.watch import Breach, Watch
from wanmi.clock import SECOND, ManualClock
from wanmi.ids import SeededIds
from wanmi.links import Limits
from wanmi.links.frames import Hello, Open, decode
from wanmi.models import ArrivalRow, AttachmentRow, CaseRow, table

CITY = Card("210100", "city", None)
DISTRICTS = (Card("210102", "district", "210100"), Card("210103", "district", "210100"))
EDGES = (Card("21010201", "edge", "210102"), Card("21010301", "edge", "210103"))
CARDS = (CITY, *DISTRICTS, *EDGES)
CASE, ARRIVAL, ATTACHMENT = table(CaseRow), table(ArrivalRow), table(AttachmentRow)


@dataclass(frozen=True)
class Plan:
    """What a run does to its city. Virtual seconds."""

    seed: int
    reports: int = 16
    trouble: float = 40.0
    patience: float = 240.0
    crash_rate: float = 0.02
    weather: Weather = field(default_factory=lambda: Weather(0.08, 0.08, 0.03, 0.02, 0.3))
    cards: tuple[Card, ...] = CARDS
    crash_at: tuple[str, int, str] | None = None
    """A crash at the n-th commit of a node, before or after it (for the boundary tests)."""


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    seed: int
    steps: int
    commits: int
    crashes: int
    frames: int
    seconds: float
    reports: int


class City:
    """The machines, the network, the heap of what happens when."""

    def __init__(self, plan: Plan, dir: Path, hooks: Hooks | None = None, limits: Limits = LIMITS) -> None:
        self.plan = plan
        self.rng = random.Random(plan.seed)
        self.clock = ManualClock()
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self.net = Net(self.rng, self.after, self._deliver, self._sent)
        self.steps = self.crashes = self.commits = 0
        self.crash_rate = 0.0
        self.enrolled = False
        self._counts: dict[str, int] = {}
        by_code = {card.code: card for card in plan.cards}
        self.machines = {
            card.code: Machine(
                card, self.clock, SeededIds(f"{plan.seed} {card.code}"), dir, self.net.send, self._boundary,
                by_code[card.parent].peer() if card.parent else None, hooks or Hooks(), limits,
            )
            for card in plan.cards
        }  # fmt: skip
        self.watch = Watch(self.machines)
        self._due: dict[str, float] = {}
        self.taken: dict[tuple[str, str], str] = {}

    # --- time

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something after some virtual seconds."""
        heapq.heappush(self._heap, (self.clock.monotonic() + seconds, next(self._order), act))

    def run_until(self, end: float, done: Callable[[], bool] | None = None) -> bool:
        """Let the city live until a moment, or until ``done`` says so (asked twice a virtual second)."""
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
                self._at(self.machines[code], self.machines[code].turn)
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
        machine.start()
        self.watch.rose(machine)
        self._at(machine, machine.begin)

    def _at(self, machine: Machine, act: Callable[[], None]) -> bool:
        """Run something at a node; a crash switches it off for a while. Whether it ran to its end."""
        if not machine.on:
            return False
        try:
            act()
            machine.turn()
        except Crash:
            self._fall(machine)
            return False
        finally:
            self.watch.committed(machine)
        self._due[machine.code] = max(machine.hub.due(), self.clock.monotonic() + 0.001)
        return True

    def _fall(self, machine: Machine) -> None:
        self.crashes += 1
        machine.on = False
        self._due.pop(machine.code, None)
        self.watch.effects(machine)
        self.after(self.rng.uniform(0.1, 4.0), lambda: self.switch_on(machine))

    def _boundary(self, code: str, where: str) -> None:
        if not self.enrolled:
            return
        if where == "before":
            self.commits += 1
            self._counts[code] = self._counts.get(code, 0) + 1
        if self.plan.crash_at == (code, self._counts.get(code, 0), where) or self.rng.random() < self.crash_rate:
            raise Crash

    # --- network

    def _sent(self, source: str, target: str, frame: bytes) -> None:
        self.watch.sent(source, target, frame)

    def _deliver(self, source: str, target: str, frame: bytes) -> None:
        machine = self.machines[target]
        if not machine.on:
            return
        link = machine.hub.links.get(source)
        current = link.session if link is not None else b""
        foreign = session_of(frame) != current and not isinstance(decode(frame).header, Open | Hello)
        before = machine.store.writer.stats.commits
        self._at(machine, lambda: self._receive(machine, source, frame, foreign, before))

    def _receive(self, machine: Machine, source: str, frame: bytes, foreign: bool, before: int) -> None:
        machine.hub.received(source, frame)
        if foreign and machine.store.writer.stats.commits != before:
            raise Breach(f"I11: a frame of another session changed what {machine.code} holds")

    def cut(self, a: str, b: str, seconds: float) -> None:
        """No frame passes between two nodes for a while."""
        pair = frozenset((a, b))
        self.net.cut.add(pair)
        self.after(seconds, lambda: self.net.cut.discard(pair))

    # --- what a terminal does

    def report(self, edge: str, terminal: str, report_id: str, photo: bytes | None) -> None:
        """A terminal sends a report until the edge has it."""
        machine = self.machines[edge]
        if self._at(machine, lambda: machine.take_report(terminal, report_id, photo)):
            self.taken[terminal, report_id] = edge
        else:
            self.after(1.0, lambda: self.report(edge, terminal, report_id, photo))


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
        city.switch_on(machine)


def schedule_trouble(city: City) -> None:
    """Reports, some of them twice and by two edges; links that are cut; the rest is the weather's."""
    plan, rng = city.plan, city.rng
    edges = [card.code for card in plan.cards if card.role == "edge"]
    for n in range(plan.reports):
        photo = rng.randbytes(rng.choice((40, 600))) if rng.random() < 0.2 else None
        edge = rng.choice(edges)
        ways = [edge] * (1 + (n % 5 == 0))
        for way in ways:
            terminal, report_id = f"T{edge[:6]}-0001", f"report-{n:06d}"
            at = rng.uniform(0, plan.trouble * 0.8)
            city.after(at, lambda w=way, t=terminal, r=report_id, p=photo: city.report(w, t, r, p))  # type: ignore[misc]
    for card in plan.cards:
        if card.parent is not None and rng.random() < 0.5:
            start, length = rng.uniform(0, plan.trouble * 0.7), rng.uniform(1, 12)
            city.after(start, lambda a=card.code, b=card.parent, s=length: city.cut(a, b, s))  # type: ignore[misc]


def settled(city: City) -> bool:
    """L1, L5: all nodes are on, every chain is level wherever it goes, every arrival is noted, every blob is there."""
    machines = city.machines
    if not all(machine.on for machine in machines.values()) or len(city.taken) < city.plan.reports:
        return False
    for machine in machines.values():
        for origin in wanted_at(city, machine.code):
            if machine.journal.cursor(origin) != machines[origin].journal.cursor(origin):
                return False
    return all(arrivals_noted(m) and not m.blobs.missing(1) for m in machines.values())


def wanted_at(city: City, code: str) -> list[str]:
    """The chains that a node must hold in the end: its own, its parent's, all below it."""
    cards = {card.code: card for card in city.plan.cards}
    wanted = [code]
    if cards[code].parent is not None:
        wanted.append(str(cards[code].parent))
    for other in cards.values():
        at = other.parent
        while at is not None:
            if at == code:
                wanted.append(other.code)
            at = cards[at].parent
    return wanted


def arrivals_noted(machine: Machine) -> bool:
    """A parent has journaled how far the chains below it are."""
    with machine.store.reader() as tx:
        rows = tx.execute(select(ARRIVAL.c.origin, ARRIVAL.c.seq).where(ARRIVAL.c.by == machine.code)).all()
    noted = {row.origin: row.seq for row in rows}
    below = [o for o in machine.journal.cursors() if machine.hub.directory.through(machine.code, o)]
    return all(machine.journal.cursor(o).seq == noted.get(o) for o in below if o != machine.code)


def cases_at(machine: Machine) -> list[tuple[str, str]]:
    """(terminal, report id) of every case that a node shows."""
    with machine.store.reader() as tx:
        return [(r.terminal, r.report_id) for r in tx.execute(select(CASE.c.terminal, CASE.c.report_id))]


def judge(city: City) -> None:
    """When all is quiet: nothing lost, nothing twice, every effect once, every projection replayable, no alarm."""
    for machine in city.machines.values():
        city.watch.effects(machine)
        city.watch.replays(machine)
        alarms = [a.text for a in machine.hub.alarms if a.kind in {"fork", "broken", "not-yours", "protocol"}]
        if alarms:
            raise Breach(f"L: {machine.code} alarmed for nothing: {alarms[0]}")
    sent = sorted(city.taken)
    at_city = sorted(cases_at(city.machines[CITY.code]))
    held = {card.code for card in city.plan.cards if card.role == "district"}
    at_districts = sorted(case for code in held for case in cases_at(city.machines[code]))  # fmt: skip
    if at_districts != sent:
        raise Breach(f"L: {len(sent)} reports were taken, {len(at_districts)} cases are at the districts")
    if at_city != sent:
        raise Breach(f"L: {len(sent)} reports were taken, {len(at_city)} cases are at the city")


def run(plan: Plan, dir: Path, hooks: Hooks | None = None) -> Outcome:
    """One run: trouble, then none, then all must be well. Raises Breach."""
    city = City(plan, dir, hooks)
    enrol(city)
    start = city.clock.monotonic()
    schedule_trouble(city)
    city.net.weather, city.crash_rate = plan.weather, plan.crash_rate
    city.run_until(start + plan.trouble)
    city.net.weather, city.crash_rate = Weather(delay=0.02), 0.0
    city.net.cut.clear()
    if not city.run_until(start + plan.trouble + plan.patience, lambda: settled(city)):
        raise Breach(f"L1: the city is not level {plan.patience:g} s after the last fault: {told(city)}")
    judge(city)
    return Outcome(
        plan.seed, city.steps, city.commits, city.crashes, city.net.frames, city.clock.monotonic() - start,
        len(city.taken),
    )  # fmt: skip


def told(city: City) -> str:
    """Where every chain stands, for a failing run."""
    parts = []
    for machine in city.machines.values():
        at = {o: c.seq for o, c in machine.journal.cursors().items()} if machine.on else "off"
        parts.append(f"{machine.code} {at}")
    return f"{len(city.taken)} of {city.plan.reports} reports taken; " + "; ".join(parts)
