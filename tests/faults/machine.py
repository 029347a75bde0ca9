"""One simulated machine: the shipped store, journal, reactors and links; its disk survives, its memory does not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError

from faults.casework import registry_for
from faults.disks import Disk, FileDisk, blank_disk
from faults.towns import Card, secret
from wanmi.clock import Clock
from wanmi.device_kinds import clock_subject
from wanmi.errors import Conflict
from wanmi.ids import SeededIds
from wanmi.journal import Journal, ReactorRunner
from wanmi.kinds import Attachment, ClockStepped, ReportReceived
from wanmi.links import Face, HoldRow, Hub, Limits, Peer, Surroundings
from wanmi.models import ReportRow, table
from wanmi.node.clockwatch import ClockWatch
from wanmi.registry import Draft
from wanmi.store import Blobs, upsert_rows

LIMITS = Limits(open_most=3.0, retransmit=2.0, retransmit_most=8.0, later_most=4.0, batch_entries=8, blob_again=2.0)
"""The shipped timers, a little quicker, and small batches: more boundaries a virtual minute."""
AGAIN = 1.0
"""Seconds after which a task that failed is tried again, and between two looks at the clock."""
REFUSED = (Conflict, OperationalError)
"""What a write meets that cannot be made now: the node is held, or its disk is full."""


class Crash(BaseException):
    """The power goes at a commit boundary."""


class OwnClock:
    """A machine's clock: the town's time, and how far this machine is off."""

    def __init__(self, town: Clock) -> None:
        self._town = town
        self.offset = 0
        self.most = 0

    def now(self) -> int:
        """Microseconds UTC as this machine believes."""
        now = self._town.now() + self.offset
        self.most = max(self.most, now)
        return now

    def monotonic(self) -> float:
        """Seconds; never steps."""
        return self._town.monotonic()


@dataclass
class Hooks:
    """What a test may put in place of the shipped parts: the mutants; a lazy disk, or one of files."""

    journal: type[Journal] = Journal
    hub: type[Hub] = Hub
    reactors: type[ReactorRunner] = ReactorRunner
    asks_after_restore: bool = True
    lazy_disk: bool = False
    on_files: bool = False


@dataclass
class Machine:
    """A node that can be switched on, crash at a commit boundary, and be switched on again."""

    card: Card
    clock: OwnClock
    ids: SeededIds
    dir: Path
    send: Callable[[str, str, bytes], None]
    boundary: Callable[[str, str], None]
    pinned: Peer | None
    hooks: Hooks = field(default_factory=Hooks)
    limits: Limits = LIMITS

    def __post_init__(self) -> None:
        """The disk is there before the node ever runs."""
        self.code = self.card.code
        self.registry = registry_for(self.card.role)
        self.disk = self._new_disk()
        self.store = self.disk.store
        self.on = False
        self.dead = False
        self.restarts = 0
        self.restores = 0

    def _new_disk(self) -> Disk:
        if not self.hooks.on_files:
            return blank_disk(self.code, self.card.role)
        self.dir.mkdir(parents=True, exist_ok=True)
        return FileDisk(self.dir / f"{self.code}.db", self.card.role)

    def start(self) -> None:
        """Switch on: everything in memory is new, the disk is as the last commit left it."""
        self.store = self.disk.reopen(lambda where: self.boundary(self.code, where))
        self.journal = self.hooks.journal(
            self.code, self.store, self.registry, clock=self.clock, ids=self.ids, sign_key=self.card.sign,
            pinned={self.pinned.code: self.pinned.sign} if self.pinned else None,
        )  # fmt: skip
        self.blobs = Blobs(
            self.store, self.dir / self.code, local_key=secret(self.code, "local"), seal=self.card.seal,
            clock=self.clock, ids=self.ids,
        )  # fmt: skip
        face = Face(self.code, self.card.sign, self.card.curve, self.card.seal.public_key().public_bytes_raw())
        around = Surroundings(
            face, self.card.parent, self.pinned, self.store, self.journal, self.blobs, self.clock, self.ids, self.limits
        )
        self.hub = self.hooks.hub(around, _Wire(self), lambda: None)
        self.reactors = self.hooks.reactors(self)  # type: ignore[arg-type]
        self._clockwatch = ClockWatch(self.clock)
        self._reacted = -1
        self._react_at = self._look_at = 0.0
        self.on = True
        self.restarts += 1

    def begin(self) -> None:
        """The first acts of a running node; may crash."""
        self.hub.start()
        self.hub.connected()

    def turn(self) -> None:
        """Let the links, the reactors and the look at the clock do what is due."""
        self.hub.turn()
        now = self.clock.monotonic()
        if now >= self._look_at:
            self._look_at = now + AGAIN
            self._note_step()
        if self.is_behind and now >= self._react_at:
            self._react(now)
            self.hub.turn()

    def due(self) -> float:
        """The virtual second at which ``turn`` is to be called at the latest."""
        return min(self.hub.due(), self._react_at if self.is_behind else float("inf"))

    @property
    def is_behind(self) -> bool:
        """Whether entries came that the reactors have not looked at."""
        return self.journal.pos != self._reacted

    def _react(self, now: float) -> None:
        self._react_at = 0.0
        try:
            self.reactors.run_once()
            self._reacted = self.journal.pos
        except REFUSED:
            self._react_at = now + AGAIN

    def _note_step(self) -> None:
        step = self._clockwatch.look()
        if step:
            body = ClockStepped(step=step, source="none")
            try:
                self.journal.append(Draft("clock.stepped", clock_subject(self.code), body)).result()
            except REFUSED:
                return
            self._clockwatch.follow(step)

    def restore(self, copy: Any) -> None:
        """Switch off and put an old copy in place, as a person does: the node asks its peers before it writes."""
        self.on = False
        self.restores += 1
        peers = [self.card.parent] if self.card.parent else []
        peers += [peer.code for peer in self.hub.directory.children()]
        self.disk.put_back(copy)
        rows = [(peer, "restored from a backup", self.clock.now()) for peer in peers]
        if self.hooks.asks_after_restore:
            store = self.disk.reopen()
            store.write(lambda tx: upsert_rows(tx, HoldRow, rows)).result()

    def take_report(self, terminal: str, report_id: str, photo: bytes | None) -> bool:
        """What an edge does with a report: once by (terminal, report id), durable when this answers True."""
        report = table(ReportRow)
        with self.store.reader() as connection:
            found = connection.execute(
                select(report.c.seq).where(report.c.terminal == terminal, report.c.report_id == report_id,
                                           report.c.edge == self.code)
            ).one_or_none()  # fmt: skip
        if found is not None:
            return True
        sealed = [self.blobs.seal(photo)] if photo is not None else []
        attachments = [Attachment("photo", "00" * 32, len(photo or b""), "image/jpeg", s.blob) for s in sealed]
        digest = hashlib.sha256(f"{terminal} {report_id}".encode()).hexdigest()
        body = ReportReceived(terminal, report_id, "e30", "", digest, "event", "0102", self.clock.now(), attachments)
        draft = Draft("report.received", f"report:{self.code}:{terminal}:{report_id}", body, expect=0)
        try:
            self.journal.append(draft, also=lambda tx, _: _add(self.blobs, tx, sealed)).result()
        except REFUSED:
            return False
        return True


@dataclass(frozen=True)
class _Wire:
    """The carrier of a machine's hub."""

    machine: Machine

    def send(self, peer: str, frame: bytes) -> None:
        """See wanmi.links.Carrier."""
        self.machine.send(self.machine.code, peer, frame)


def _add(blobs: Blobs, tx: Connection, sealed: Iterable[Any]) -> None:
    for one in sealed:
        blobs.add(tx, one)
