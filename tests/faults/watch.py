"""The invariants of the federation, looked at while a run goes on: a breach names the rule, the node and the entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select

from faults.machine import Machine, TallyRow
from wanmi.journal import Cursor
from wanmi.journal.proof.replay import replay_check
from wanmi.links.claims import read_claim
from wanmi.links.frames import Ack, BatchHead, Hello, decode
from wanmi.models import EntryRow, table

ENTRY, TALLY = table(EntryRow), table(TallyRow)


class Breach(AssertionError):
    """An invariant does not hold."""


@dataclass
class Watch:
    """What is known from outside of every node: each entry's first seen hash, every acknowledgement sent."""

    machines: Mapping[str, Machine]
    truth: dict[tuple[str, int], bytes] = field(default_factory=dict)
    looked: dict[tuple[str, str], int] = field(default_factory=dict)
    acked: dict[tuple[str, str], int] = field(default_factory=dict)
    checks: int = 0
    _commits: dict[str, tuple[int, int]] = field(default_factory=dict)

    def committed(self, machine: Machine) -> None:
        """After something ran at a node: I1 (prefix), I3 (durable ack), I5 (no fork), cheap, at every step."""
        stats = machine.store.writer.stats
        if machine.on and self._commits.get(machine.code) == (machine.restarts, stats.commits):
            return
        self._commits[machine.code] = (machine.restarts, stats.commits)
        self.checks += 1
        durable = self._durable(machine)
        for origin, seq in ((o, c.seq) for o, c in durable.items()):
            if seq != self.looked.get((machine.code, origin), 0):
                self._look(machine, origin, seq)
        for (by, origin), seq in self.acked.items():
            if by == machine.code and durable.get(origin, Cursor()).seq < seq:
                raise Breach(f"I3: {by} acknowledged {origin}:{seq} and holds only {durable.get(origin, Cursor()).seq}")

    def rose(self, machine: Machine) -> None:
        """After a restart: memory and disk agree, effects are exactly once, acknowledgements are kept."""
        self.committed(machine)
        self.effects(machine)
        if {o: c.seq for o, c in machine.journal.cursors().items()} != {
            o: c.seq for o, c in self._durable(machine).items()
        }:
            raise Breach(f"I1: the cursors of {machine.code} in memory are not those on disk")

    def effects(self, machine: Machine) -> None:
        """I2: each entry that is held took effect exactly once, and nothing else did."""
        with machine.store.reader() as tx:
            held = tx.execute(select(func.count()).where(ENTRY.c.raw.is_not(None))).scalar_one()
            tallied = tx.execute(select(func.count()).select_from(TALLY)).scalar_one()
            wrong = tx.execute(select(TALLY.c.origin, TALLY.c.seq, TALLY.c.n).where(TALLY.c.n != 1)).first()
        if wrong is not None:
            raise Breach(f"I2: at {machine.code} entry {wrong.origin}:{wrong.seq} took effect {wrong.n} times")
        if held != tallied:
            raise Breach(f"I2: {machine.code} holds {held} whole entries, {tallied} took effect")

    def sent(self, source: str, target: str, data: bytes) -> None:
        """A frame leaves a node: I10 (only durable entries leave), and what it acknowledges is remembered."""
        header = decode(data).header
        machine = self.machines[source]
        if isinstance(header, BatchHead):
            self._shipped(machine, header.head.origin, header.head.seq, header.head.hash)
        elif isinstance(header, Hello):
            for origin, (seq, hash_) in read_claim(header).heads.items():
                self._shipped(machine, origin, seq, hash_)
        elif isinstance(header, Ack) and header.cosign is not None:
            key = (source, header.origin)
            self.acked[key] = max(self.acked.get(key, 0), header.seq)

    def replays(self, machine: Machine) -> None:
        """I8: the projections are what the chains add up to."""
        differences = replay_check(machine.store, machine.registry)
        if differences:
            raise Breach(f"I8: replay of {machine.code} differs: {differences[0]}")

    def _shipped(self, machine: Machine, origin: str, seq: int, hash_: bytes) -> None:
        if seq == 0:
            return
        with machine.store.reader() as tx:
            found = tx.execute(select(ENTRY.c.hash).where(ENTRY.c.origin == origin, ENTRY.c.seq == seq)).scalar()
        if found is None or bytes(found) != hash_:
            raise Breach(f"I10: {machine.code} sent {origin}:{seq}, which is not durable there")

    def _durable(self, machine: Machine) -> dict[str, Cursor]:
        with machine.store.reader() as tx:
            rows = tx.exec_driver_sql("SELECT origin, max(seq), hash FROM entry GROUP BY origin").all()
        return {origin: Cursor(seq, bytes(hash_)) for origin, seq, hash_ in rows}

    def _look(self, machine: Machine, origin: str, upto: int) -> None:
        after = self.looked.get((machine.code, origin), 0)
        with machine.store.reader() as tx:
            query = select(ENTRY.c.seq, ENTRY.c.hash).where(ENTRY.c.origin == origin, ENTRY.c.seq > after)
            rows = tx.execute(query.order_by(ENTRY.c.seq)).all()
        for n, (seq, hash_) in enumerate(rows, start=after + 1):
            if seq != n:
                raise Breach(f"I1: {machine.code} holds {origin}:{seq} without {origin}:{n}")
            if self.truth.setdefault((origin, seq), bytes(hash_)) != bytes(hash_):
                raise Breach(f"I1: {machine.code} holds another {origin}:{seq} than was seen first")
        if upto < after:
            raise Breach(f"I1: {machine.code} held {origin} up to {after} and holds {upto} now")
        self.looked[machine.code, origin] = upto
