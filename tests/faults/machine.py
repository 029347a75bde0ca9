"""One simulated machine: the shipped store, journal, reactors and links; its disk survives, its memory does not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pysqlite3 import dbapi2
from sqlalchemy import BigInteger, Connection, Integer, String, select
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.clock import ManualClock
from wanmi.entries import Entry
from wanmi.identity import z85_decode, z85_encode
from wanmi.ids import SeededIds
from wanmi.journal import Journal, ReactorRunner, register_core
from wanmi.kinds import Attachment, CaseOpened, NodeAdmitted, ReportReceived, Role
from wanmi.links import LINK_ROWS, Face, HoldRow, Hub, Limits, Peer, Surroundings
from wanmi.models import CaseRow, ReportRow, Row, mark, table
from wanmi.registry import Draft, NodeContext, Registry, Stored
from wanmi.store import Blobs, Store, upsert_rows

LIMITS = Limits(open_most=3.0, retransmit=2.0, retransmit_most=8.0, later_most=4.0, batch_entries=8, blob_again=2.0)
"""The shipped timers, a little quicker, and small batches: more boundaries a virtual minute."""


class Crash(BaseException):
    """The power goes at a commit boundary."""


class TallyRow(Row):
    """How often an entry took effect: a projection that is not idempotent, on purpose."""

    __tablename__ = "sim_tally"
    origin: Mapped[str] = mapped_column(String(10), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(Integer)
    __table_args__ = mark("projection")


_TALLY = "INSERT INTO sim_tally (origin, seq, n) VALUES (?, ?, 1) ON CONFLICT (origin, seq) DO UPDATE SET n = n + 1"


def project_tally(tx: Connection, entries: Sequence[Entry]) -> None:
    """Count the effects of every entry."""
    tx.exec_driver_sql(_TALLY, [(entry.origin, entry.seq) for entry in entries])


def open_cases(node: NodeContext, batch: Sequence[Stored]) -> Iterator[tuple[Stored, Draft]]:
    """A small casework: one case for each (terminal, report id), whichever edge it came by."""
    case = table(CaseRow)
    with node.store.reader() as connection:
        rows = connection.execute(select(case.c.terminal, case.c.report_id).where(case.c.owner == node.code)).all()
    known = {(row.terminal, row.report_id) for row in rows}
    for stored in batch:
        assert stored.entry is not None
        key = (stored.entry.body["terminal"], stored.entry.body["report_id"])
        if key not in known:
            known.add(key)
            yield stored, _case(node.code, len(known), stored.entry)


def _case(district: str, n: int, report: Entry) -> Draft:
    number = f"{district}-E0102-20261124-{n:04d}"
    body = CaseOpened(
        number=number, district=district, day="20261124", day_seq=n, kind="event", category="0102", profile="cjt-2007",
        component=None, grid=None, grid_version=None, lon_e7=1234000000, lat_e7=418000000, source="terminal",
        terminal=report.body["terminal"], report_id=report.body["report_id"], report=report.subject,
        reported_at=report.body["made_at"], stage="collect", state="open", similar=[], attachments=[],
    )  # fmt: skip
    return Draft("case.opened", f"case:{number}", body, audience=("210100",), expect=0)


@lru_cache(maxsize=8)
def registry_for(role: Role) -> Registry:
    """What a node of a role runs: the core, the tally, and at a district the small casework."""
    made = Registry()
    with made.filling("sim", "0"):
        register_core(made)
        made.tables(*LINK_ROWS)
        made.projection("tally", kinds=sorted({name for name, _ in made.kinds}), rows=(TallyRow,), apply=project_tally)
        if role == "district":
            made.reactor("casework", kinds=("report.received",), decide=open_cases)
    return made


@dataclass(frozen=True)
class Card:
    """A node of the simulated city with its keys, the same in every run."""

    code: str
    role: Role
    parent: str | None

    @property
    def sign(self) -> Ed25519PrivateKey:
        """The signing key."""
        return _sign_key(self.code)

    @property
    def seal(self) -> X25519PrivateKey:
        """The sealing key."""
        return X25519PrivateKey.from_private_bytes(_secret(self.code, "seal"))

    @property
    def curve(self) -> bytes:
        """The CURVE public key (z85); the simulated network does not encrypt."""
        return z85_encode(_secret(self.code, "curve"))

    def peer(self) -> Peer:
        """As its admission shows it."""
        return Peer(self.code, self.parent, self.sign.public_key().public_bytes_raw(), self.curve, True)

    def admission(self, parent: str | None) -> Draft:
        """The entry that founds (no parent) or admits it."""
        key = self.sign.public_key().public_bytes_raw().hex()
        curve = z85_decode(self.curve).hex()
        body = NodeAdmitted(self.code, self.role, self.code, self.code[:6], parent, key, curve, "")
        return Draft("node.admitted", f"node:{self.code}", body)


@lru_cache(maxsize=16)
def _disk(code: str, role: Role) -> tuple[Store, Any]:
    """A database that is made once and wiped for each run: SQLAlchemy keeps what it has compiled."""
    store = Store.open("sqlite://", registry_for(role).rows.values(), inline=True)
    blank = dbapi2.connect(":memory:", check_same_thread=False)
    store.writing.raw_connection().driver_connection.backup(blank)
    return store, blank


def _blank_disk(code: str, role: Role) -> Store:
    store, blank = _disk(code, role)
    blank.backup(store.writing.raw_connection().driver_connection)
    return store


def _secret(code: str, what: str) -> bytes:
    return hashlib.sha256(f"{what} {code}".encode()).digest()


@lru_cache(maxsize=64)
def _sign_key(code: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_secret(code, "sign"))


@dataclass
class Hooks:
    """What a test may put in place of the shipped parts: the mutants."""

    journal: type[Journal] = Journal
    hub: type[Hub] = Hub


@dataclass
class Machine:
    """A node that can be switched on, crash at a commit boundary, and be switched on again."""

    card: Card
    clock: ManualClock
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
        self.store = _blank_disk(self.code, self.card.role)
        self.on = False
        self.restarts = 0

    def start(self) -> None:
        """Switch on: everything in memory is new, the disk is as the last commit left it."""
        self.store = Store.reopen(self.store, on_commit=lambda where: self.boundary(self.code, where))
        self.journal = self.hooks.journal(
            self.code, self.store, self.registry, clock=self.clock, ids=self.ids, sign_key=self.card.sign,
            pinned={self.pinned.code: self.pinned.sign} if self.pinned else None,
        )  # fmt: skip
        self.blobs = Blobs(
            self.store, self.dir / self.code, local_key=_secret(self.code, "local"), seal=self.card.seal,
            clock=self.clock, ids=self.ids,
        )  # fmt: skip
        face = Face(self.code, self.card.sign, self.card.curve, self.card.seal.public_key().public_bytes_raw())
        around = Surroundings(
            face, self.card.parent, self.pinned, self.store, self.journal, self.blobs, self.clock, self.ids, self.limits
        )
        self.hub = self.hooks.hub(around, _Wire(self), lambda: None)
        self.reactors = ReactorRunner(self)  # type: ignore[arg-type]
        self._reacted = -1
        self.on = True
        self.restarts += 1

    def begin(self) -> None:
        """The first acts of a running node; may crash."""
        self.hub.start()
        self.hub.connected()

    def turn(self) -> None:
        """Let the links and the reactors do what is due."""
        self.hub.turn()
        if self.journal.pos != self._reacted:
            self._reacted = self.journal.pos
            self.reactors.run_once()
            self.hub.turn()

    def backup(self) -> Any:
        """A copy of the disk as it is now."""
        copy = dbapi2.connect(":memory:", check_same_thread=False)
        self._disk().backup(copy)
        return copy

    def restore(self, copy: Any) -> None:
        """Switch off and put an old copy in place, as a person does: the node asks its peers before it writes."""
        self.on = False
        copy.backup(self._disk())
        peers = [self.card.parent] if self.card.parent else []
        peers += [peer.code for peer in self.hub.directory.children()]
        rows = [(peer, "restored from a backup", self.clock.now()) for peer in peers]
        self.store = Store.reopen(self.store)
        self.store.write(lambda tx: upsert_rows(tx, HoldRow, rows)).result()

    def _disk(self) -> Any:
        return self.store.writing.raw_connection().driver_connection

    def take_report(self, terminal: str, report_id: str, photo: bytes | None) -> None:
        """What an edge does with a report: once by (terminal, report id), durable when this returns."""
        report = table(ReportRow)
        with self.store.reader() as connection:
            found = connection.execute(
                select(report.c.seq).where(report.c.terminal == terminal, report.c.report_id == report_id,
                                           report.c.edge == self.code)
            ).one_or_none()  # fmt: skip
        if found is not None:
            return
        sealed = [self.blobs.seal(photo)] if photo is not None else []
        attachments = [Attachment("photo", "00" * 32, len(photo or b""), "image/jpeg", s.blob) for s in sealed]
        digest = hashlib.sha256(f"{terminal} {report_id}".encode()).hexdigest()
        body = ReportReceived(terminal, report_id, "e30", "", digest, "event", "0102", self.clock.now(), attachments)
        draft = Draft("report.received", f"report:{self.code}:{terminal}:{report_id}", body, expect=0)
        self.journal.append(draft, also=lambda tx, _: _add(self.blobs, tx, sealed)).result()


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
