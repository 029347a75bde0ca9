"""Journals to test with: real databases, seeded keys and ids, a kind that sums."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import BigInteger, Connection, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.clock import ManualClock
from wanmi.entries import Entry
from wanmi.errors import BadInput
from wanmi.ids import SeededIds
from wanmi.journal import Journal, body_of, register_core
from wanmi.journal.proof.replay import Replayed
from wanmi.kinds import NodeAdmitted, Role
from wanmi.models import Row, mark, table
from wanmi.registry import Draft, Progress, Registry
from wanmi.store import Store, upsert_rows


class Counted(msgspec.Struct, frozen=True):
    """A body for tests: add ``n`` to the subject's sum; 13 is what its projection refuses."""

    n: int


class SumRow(Row):
    """Sums by origin and subject."""

    __tablename__ = "test_sum"
    origin: Mapped[str] = mapped_column(Text, primary_key=True)
    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    total: Mapped[int] = mapped_column(BigInteger)
    count: Mapped[int] = mapped_column(Integer)
    __table_args__ = mark("projection")


def project_sums(tx: Connection, entries: Sequence[Entry]) -> None:
    """The projection ``sums``."""
    target = table(SumRow)
    for entry in entries:
        body = body_of(entry, Counted)
        if body.n == 13:
            raise BadInput("13 is not taken")
        key = (target.c.origin == entry.origin) & (target.c.subject == entry.subject)
        row = tx.execute(target.select().where(key)).one_or_none()
        total, count = (row.total, row.count) if row is not None else (0, 0)
        upsert_rows(tx, SumRow, [(entry.origin, entry.subject, total + body.n, count + 1)])


def key(seed: int) -> Ed25519PrivateKey:
    """A repeatable signing key."""
    return Ed25519PrivateKey.from_private_bytes(seed.to_bytes(32, "big"))


def public(seed: int) -> bytes:
    """The public half of ``key(seed)``."""
    return key(seed).public_key().public_bytes_raw()


def summing_registry() -> Registry:
    """The core and the kind that sums."""
    made = Registry()
    with made.filling("wanmi", "0"):
        register_core(made)
        made.entry_kind("test.counted", Counted, zh="计数", en="Counted")
        made.projection("sums", kinds=("test.counted",), rows=(SumRow,), apply=project_sums)
    return made


@dataclass
class Bench:
    """A journal with what it stands on."""

    code: str
    store: Store
    registry: Registry
    journal: Journal
    clock: ManualClock

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def sums(self) -> dict[tuple[str, str], tuple[int, int]]:
        """(total, count) by (origin, subject)."""
        with self.store.reader() as connection:
            return {(r.origin, r.subject): (r.total, r.count) for r in connection.execute(table(SumRow).select())}


Make = Callable[..., Bench]


def open_bench(
    code: str, url: str, *, seed: int = 1, registry: Registry | None = None, pinned: dict[str, bytes] | None = None
) -> Bench:
    """A journal on the database at ``url``, signing with ``key(seed)``."""
    used = registry or summing_registry()
    clock = ManualClock()
    store = Store.open(url, used.rows.values())
    journal = Journal(code, store, used, clock=clock, ids=SeededIds(seed), sign_key=key(seed), pinned=pinned)
    return Bench(code, store, used, journal, clock)


def sqlite_url(folder: Path) -> str:
    """A SQLite file in a folder that is made."""
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder}/journal.db"


def admission(code: str, seed: int, *, parent: str | None = None, role: Role = "district") -> Draft:
    """An admission: of itself, or by a parent."""
    body = NodeAdmitted(code, role, code, code[:6], parent, public(seed).hex(), "00" * 32, "")
    return Draft("node.admitted", f"node:{code}", body)


def counted(n: int, subject: str = "sum:1", *, expect: int | None = None, cause: str | None = None) -> Draft:
    """Add ``n`` to a subject's sum."""
    return Draft("test.counted", subject, Counted(n), expect=expect, cause=cause)


def ship(source: Bench, target: Bench, origin: str, *, limit: int = 1000) -> None:
    """Carry a chain from one journal to another, batch by batch."""
    while True:
        batch = source.journal.batch_for(target.code, origin, target.journal.cursor(origin).seq, limit=limit)
        if batch is None:
            return
        target.journal.apply(batch, source.code).result()


def answer_of(steps: Generator[Progress, None, Replayed]) -> Replayed:
    """What the work answers once it is done."""
    answers: list[Replayed] = []

    def whole() -> Iterator[Progress]:
        answers.append((yield from steps))

    assert list(whole())
    return answers[0]
