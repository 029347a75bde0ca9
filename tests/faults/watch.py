"""The invariants of the federation, looked at while a run goes on: a breach names the rule, the node and the entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from faults.machine import Machine
from wanmi.entries import Cosign, addressed
from wanmi.errors import LinkError
from wanmi.journal.proof.replay import replay_check
from wanmi.links.claims import read_claim
from wanmi.links.frames import Ack, BatchHead, Frame, Hello, decode, decode_batch

INBOX = 256
"""What may wait for a hub's turn."""


class Breach(AssertionError):
    """An invariant does not hold."""


@dataclass
class Watch:
    """What is known from outside of every node: each entry's first seen hash, every acknowledgement sent.

    ``liars`` are nodes that cheat on purpose: what they hold and say is not looked at.
    """

    machines: Mapping[str, Machine]
    truth: dict[tuple[str, int], bytes] = field(default_factory=dict)
    looked: dict[tuple[str, str], int] = field(default_factory=dict)
    acked: dict[str, dict[str, int]] = field(default_factory=dict)
    cosigned: dict[tuple[str, str, int], bytes] = field(default_factory=dict)
    terms: dict[str, int] = field(default_factory=dict)
    liars: set[str] = field(default_factory=set)
    checks: int = 0
    _commits: dict[str, tuple[int, int]] = field(default_factory=dict)
    _times: dict[str, int] = field(default_factory=dict)
    _recovering: set[str] = field(default_factory=set)

    def committed(self, machine: Machine) -> None:
        """After something ran at a node: I1, I3, I5, I6, I13, I17; nothing is looked at twice."""
        stats = machine.store.writer.stats
        if machine.code in self.liars:
            return
        if machine.on and self._commits.get(machine.code) == (machine.restarts, stats.commits):
            return
        self._commits[machine.code] = (machine.restarts, stats.commits)
        self.checks += 1
        durable = self._durable(machine)
        for origin, seq in durable.items():
            if seq != self.looked.get((machine.code, origin), 0):
                self._look(machine, origin, seq)
        for origin, seq in self.acked.get(machine.code, {}).items():
            if durable.get(origin, 0) < seq:
                raise Breach(f"I3: {machine.code} acknowledged {origin}:{seq} and holds only {durable.get(origin, 0)}")
        if machine.on:
            self._bounds(machine)

    def rose(self, machine: Machine) -> None:
        """After a restart: memory and disk agree, effects are exactly once, acknowledgements are kept."""
        self.committed(machine)
        if machine.code in self.liars:
            return
        self.effects(machine)
        if {o: c.seq for o, c in machine.journal.cursors().items()} != self._durable(machine):
            raise Breach(f"I1: the cursors of {machine.code} in memory are not those on disk")

    def restored(self, machine: Machine) -> None:
        """A node's disk was put back: what it promised is excepted until its peers have given its tail back."""
        self.fell_back(machine)
        self.acked.pop(machine.code, None)

    def fell_back(self, machine: Machine) -> None:
        """A node's disk holds less than it did: entries that nobody else has are gone, their numbers free again."""
        for pair in [pair for pair in self.looked if pair[0] == machine.code]:
            del self.looked[pair]
        self._times.pop(machine.code, None)
        self._recovering.add(machine.code)

    def effects(self, machine: Machine) -> None:
        """I2, I7: each entry that is held took effect exactly once, nothing else did, nothing is quarantined."""
        if machine.code in self.liars:
            return
        held = machine.disk.ask("SELECT count(*) FROM entry WHERE raw IS NOT NULL")[0][0]
        tallied = machine.disk.ask("SELECT count(*) FROM sim_tally")[0][0]
        wrong = machine.disk.ask("SELECT origin, seq, n FROM sim_tally WHERE n <> 1 LIMIT 1")
        if wrong:
            raise Breach(f"I2: at {machine.code} entry {wrong[0][0]}:{wrong[0][1]} took effect {wrong[0][2]} times")
        if held != tallied:
            raise Breach(f"I2: {machine.code} holds {held} whole entries, {tallied} took effect")
        refused = machine.disk.ask("SELECT origin, seq, reason FROM quarantine LIMIT 1")
        if refused:
            raise Breach(f"I7: {machine.code} quarantined {refused[0][0]}:{refused[0][1]}: {refused[0][2]}")

    def evidence(self, machine: Machine) -> None:
        """I2, I16: a reactor answered each entry once; every blob that is here is what its name says."""
        if machine.code in self.liars:
            return
        twice = machine.disk.ask(
            "SELECT subject, count(*) FROM entry WHERE kind = 'sim.thanked' GROUP BY origin, subject HAVING count(*) > 1"
        )
        if twice:
            raise Breach(f"I2: {machine.code} holds {twice[0][1]} answers to {twice[0][0]}")
        for (blob,) in machine.disk.ask("SELECT blob FROM blob"):
            machine.blobs.open(blob)

    def sent(self, source: str, target: str, data: bytes) -> None:
        """A frame leaves a node: I10 (only durable entries leave), to whom, and what it promises (I12, I14)."""
        if source in self.liars:
            return
        frame = decode(data)
        header = frame.header
        machine = self.machines[source]
        if isinstance(header, BatchHead):
            self._shipped(machine, header.head.origin, header.head.seq, header.head.hash)
            self._private(source, target, header, frame)
        elif isinstance(header, Hello):
            claim = read_claim(header)
            for origin, (seq, hash_) in claim.heads.items():
                self._shipped(machine, origin, seq, hash_)
            if claim.term < self.terms.get(source, 0):
                raise Breach(f"I12: {source} went back from term {self.terms[source]} to {claim.term}")
            self.terms[source] = claim.term
        elif isinstance(header, Ack) and header.cosign is not None:
            self._cosigns(source, header.cosign)

    def replays(self, machine: Machine) -> None:
        """I8: the projections are what the chains add up to."""
        if machine.code in self.liars:
            return
        differences = replay_check(machine.store, machine.registry)
        if differences:
            raise Breach(f"I8: replay of {machine.code} differs: {differences[0]}")

    def _cosigns(self, by: str, cosign: Cosign) -> None:
        acked = self.acked.setdefault(by, {})
        if cosign.seq < acked.get(cosign.origin, 0):
            raise Breach(f"I14: {by} countersigned {cosign.origin}:{acked[cosign.origin]}, then {cosign.seq}")
        said = self.cosigned.setdefault((by, cosign.origin, cosign.seq), cosign.hash)
        if said != cosign.hash:
            raise Breach(f"I14: {by} countersigned two entries {cosign.origin}:{cosign.seq}")
        acked[cosign.origin] = cosign.seq

    def _private(self, source: str, target: str, header: BatchHead, frame: Frame) -> None:
        """An entry's bytes go only to whom it is addressed, and back to its origin."""
        try:
            batch = decode_batch(header, frame.body)
        except LinkError as error:
            raise Breach(f"frames: {source} sent a batch that does not read: {error}") from error
        for n, item in enumerate(batch.items, start=batch.after + 1):
            if item.raw is not None and batch.origin != target and not addressed(item.audience, target):
                raise Breach(f"audience: {source} sent the bytes of {batch.origin}:{n} to {target}")

    def _shipped(self, machine: Machine, origin: str, seq: int, hash_: bytes) -> None:
        if seq == 0:
            return
        if seq <= self.looked.get((machine.code, origin), 0) and self.truth.get((origin, seq)) == hash_:
            return
        found = machine.disk.ask("SELECT hash FROM entry WHERE origin = ? AND seq = ?", origin, seq)
        if not found or bytes(found[0][0]) != hash_:
            raise Breach(f"I10: {machine.code} sent {origin}:{seq}, which is not durable there")

    def _durable(self, machine: Machine) -> dict[str, int]:
        return dict(machine.disk.ask("SELECT origin, max(seq) FROM entry GROUP BY origin"))

    def _look(self, machine: Machine, origin: str, upto: int) -> None:
        after = self.looked.get((machine.code, origin), 0)
        query = "SELECT seq, hash, at FROM entry WHERE origin = ? AND seq > ? ORDER BY seq"
        for n, (seq, hash_, at) in enumerate(machine.disk.ask(query, origin, after), start=after + 1):
            if seq != n:
                raise Breach(f"I1: {machine.code} holds {origin}:{seq} without {origin}:{n}")
            if machine.code == origin:
                self._own(machine, seq, bytes(hash_), at)
            elif origin not in self.liars and self.truth.setdefault((origin, seq), bytes(hash_)) != bytes(hash_):
                raise Breach(f"I1: {machine.code} holds another {origin}:{seq} than was seen first")
        if upto < after:
            raise Breach(f"I1: {machine.code} held {origin} up to {after} and holds {upto} now")
        self.looked[machine.code, origin] = upto

    def _own(self, machine: Machine, seq: int, hash_: bytes, at: int | None) -> None:
        """A node's own entry: I6 (its time), I17 (nothing is written while others hold more of the chain)."""
        code = machine.code
        known = self.truth.get((code, seq))
        if known != hash_:
            ahead = [other for other, of in self.looked if of == code and self.looked[other, of] >= seq]
            if ahead and other_than(code, ahead):
                raise Breach(f"I17: {code} wrote its entry {seq}, of which {ahead[0]} holds another: a fork")
            if known is not None and code not in self._recovering:
                raise Breach(f"I1: {code} holds another {code}:{seq} than was seen first")
            self.truth[code, seq] = hash_
        if at is not None:
            if at <= self._times.get(code, 0):
                raise Breach(f"I6: {code}:{seq} is not later than the entry before it")
            if at > machine.clock.most + seq:
                raise Breach(f"I6: {code}:{seq} is later than the clock of {code} ever was")
            self._times[code] = at

    def _bounds(self, machine: Machine) -> None:
        """I13: what is under way stays within what was granted, what waits within its cap."""
        if len(machine.hub._inbox) > INBOX:
            raise Breach(f"I13: {len(machine.hub._inbox)} answers wait at {machine.code}")
        for link in machine.hub.links.values():
            limits = link._limits
            for stream in link._streams._out.values():
                room = min(link._line.window, 4 * limits.batch_bytes)
                last = stream._flights[-1].size if stream._flights else 0
                if stream._flight_bytes - last >= room:
                    raise Breach(f"I13: {machine.code} has {stream._flight_bytes} bytes of {stream.origin} under way")


def other_than(code: str, nodes: list[str]) -> bool:
    """Whether somebody else is among the nodes."""
    return any(node != code for node in nodes)
