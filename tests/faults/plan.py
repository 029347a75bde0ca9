"""What a run does to its town: a list of reports and a list of faults, both from the seed alone.

The faults have numbers: a run can be told to leave some out, so that a failing list is made short (``--shrink``).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from faults.net import Weather
from faults.towns import SMALL, TOWNS, Card
from wanmi.clock import SECOND

DAY = 86_400 * SECOND
Mode = Literal["live", "safe", "dead"]
"""live: the faults stop, then all must become level. safe: they never stop, nothing wrong may ever be seen.
dead: one node never comes back, the others must become level."""
Kind = Literal["crash", "cut", "deaf", "slow", "clock", "full", "restore", "dead"]


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong ``at`` a virtual second, for ``length`` seconds.

    crash: the power of ``node`` goes at the ``count``-th commit from then on, before or after it (``other``).
    cut, slow: the line between ``node`` and ``other``. deaf: ``node`` hears nothing of ``other``.
    clock: its wall clock steps by ``much`` µs. full: its disk. dead: it never comes back.
    restore: a copy of its disk is made, and put back after ``length``.
    """

    at: float
    kind: Kind
    node: str
    other: str = ""
    length: float = 0.0
    much: int = 0
    count: int = 1


@dataclass(frozen=True)
class Report:
    """A terminal's report: given to each of its edges until one has it."""

    at: float
    edge: str
    terminal: str
    report_id: str
    photo: bytes | None


@dataclass(frozen=True)
class Plan:
    """One run. Virtual seconds. ``only`` the faults with these numbers, all where it is None."""

    seed: int
    town: str = "small"
    mode: Mode = "live"
    reports: int = 16
    trouble: float = 40.0
    patience: float = 240.0
    weather: Weather = field(default_factory=lambda: Weather(0.08, 0.08, 0.03, 0.02, 0.3))
    faulty: bool = True
    cards: tuple[Card, ...] = SMALL
    only: frozenset[int] | None = None
    instead: tuple[Fault, ...] | None = None
    """Faults in place of those that the seed makes."""
    crash_at: tuple[str, int, str] | None = None
    """A crash at the n-th commit of a node, before or after it (for the boundary tests)."""

    @classmethod
    def of(cls, seed: int, town: str = "small", mode: Mode = "live", only: frozenset[int] | None = None) -> Plan:
        """The plan that a command line names."""
        reports = 60 if town == "full" else 16
        trouble = 120.0 if mode == "safe" else 40.0
        return cls(seed, town, mode, reports, trouble, cards=TOWNS[town], only=only)

    @cached_property
    def faults(self) -> list[Fault]:
        """All that goes wrong, in order of time."""
        made: Sequence[Fault] = self.instead or ()
        if self.instead is None and self.faulty:
            made = _faults(self, random.Random(f"{self.seed} faults"))
        return [fault for n, fault in enumerate(made) if self.only is None or n in self.only]

    @cached_property
    def to_report(self) -> list[Report]:
        """What the terminals report: every fifth by two ways at once."""
        rng = random.Random(f"{self.seed} reports")
        edges = [card.code for card in self.cards if card.role == "edge"]
        made = []
        for n in range(self.reports):
            photo = rng.randbytes(rng.choice((40, 600))) if rng.random() < 0.2 else None
            terminal = f"T{rng.choice(edges)[:6]}-0001"
            near = [edge for edge in edges if edge[:6] == terminal[1:7]]
            for _ in range(1 + (n % 5 == 0)):
                at = rng.uniform(0, self.trouble * 0.8)
                made.append(Report(at, rng.choice(near), terminal, f"report-{n:06d}", photo))
        return made

    @property
    def command(self) -> str:
        """How to see this run again."""
        only = "" if self.only is None else f" --only {','.join(map(str, sorted(self.only)))}"
        return (
            f"python -m pytest tests/faults/test_seeds.py -k one_run --seed {self.seed} --town {self.town} "
            f"--mode {self.mode}{only}"
        )


def _faults(plan: Plan, rng: random.Random) -> list[Fault]:
    codes = [card.code for card in plan.cards]
    lines = [(card.code, card.parent) for card in plan.cards if card.parent is not None]
    span = plan.trouble * 0.9
    made = [_crash(rng, rng.choice(codes), span) for _ in range(max(4, 2 * len(codes)))]
    made += [_line(rng, rng.choice(lines), span) for _ in range(1 + len(lines) // 2)]
    made += [_clock(rng, rng.choice(codes), span) for _ in range(rng.randint(0, 2))]
    if rng.random() < 0.4:
        made.append(Fault(rng.uniform(1, span), "full", rng.choice(codes), length=rng.uniform(1, 10)))
    if plan.mode == "dead":
        made.append(_death(rng, plan.cards, span))
    elif rng.random() < 0.3:
        length = rng.uniform(2, plan.trouble * 0.4)
        made.append(Fault(rng.uniform(1, plan.trouble * 0.5), "restore", rng.choice(codes), length=length))
    return sorted(made, key=lambda fault: fault.at)


def _crash(rng: random.Random, code: str, span: float) -> Fault:
    return Fault(rng.uniform(0, span), "crash", code, rng.choice(("before", "after")), count=rng.randint(1, 4))


def _line(rng: random.Random, line: tuple[str, str], span: float) -> Fault:
    child, parent = line
    kind: Kind = rng.choice(("cut", "cut", "deaf", "slow"))
    node, other = (child, parent) if rng.random() < 0.5 else (parent, child)
    return Fault(rng.uniform(0, span), kind, node, other, rng.uniform(1, 12))


def _clock(rng: random.Random, code: str, span: float) -> Fault:
    return Fault(rng.uniform(0, span), "clock", code, much=rng.choice((-DAY, DAY, -3600 * SECOND, 3 * SECOND)))


def _death(rng: random.Random, cards: Sequence[Card], span: float) -> Fault:
    mortal = [card.code for card in cards if card.parent is not None]
    return Fault(rng.uniform(span / 4, span / 2), "dead", rng.choice(mortal))
