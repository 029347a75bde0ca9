"""Looking up whose a blob is costs no more because a chain names it without end, and decides the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from wanmi.errors import NotFound
from wanmi.models import CALLER, AttachmentRow, BlobRow, EntryRow, table
from wanmi.query.evidence import evidence_by_blob
from wanmi.store import Store, namings_of, vouchers_of
from wanmi.store.named import MOST

CITY, VICTIM, EDGE, THIEF = "210100", "210102", "21010201", "210103"
ME = vouchers_of(CITY, None)
BLOB = "aa" * 32
FEW, MANY = 4_000, 40_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(f"sqlite:///{tmp_path}/journal.db", [EntryRow, AttachmentRow, BlobRow])
    yield made
    made.close()


class Chains:
    """Rows as entries that name a blob leave them."""

    def __init__(self, store: Store) -> None:
        self.store, self.pos, self.seqs = store, 0, dict.fromkeys((CITY, VICTIM, EDGE, THIEF), 0)

    def name(self, origin: str, times: int = 1, role: str = "photo", blob: str = BLOB) -> None:
        entries: list[dict[str, Any]] = []
        parts: list[dict[str, Any]] = []
        for _ in range(times):
            self.pos, self.seqs[origin] = self.pos + 1, self.seqs[origin] + 1
            key = {"origin": origin, "seq": self.seqs[origin]}
            entries.append(
                {
                    **key,
                    "pos": self.pos,
                    "audience": "*",
                    "digest": b"",
                    "hash": self.pos.to_bytes(32),
                    "received_at": 0,
                }
            )
            parts.append(
                {**key, "n": 0, "subject": f"case:{origin}", "role": role, "media": "", "size": 1, "digest": "", "blob": blob}
            )  # fmt: skip
        for row, values in ((EntryRow, entries), (AttachmentRow, parts)):
            self.store.write(lambda tx, row=row, values=values: tx.execute(insert(table(row)), values)).result()  # type: ignore[misc]


def looked_up(store: Store, role: str = "photo") -> tuple[list[tuple[str, str]], int]:
    """Who counts, and how many hundreds of steps the database took for it."""
    steps = [0]

    def step() -> int:
        steps[0] += 1
        return 0

    with store.reader() as tx:
        driver = tx.connection.driver_connection
        assert driver is not None
        driver.set_progress_handler(step, 100)
        try:
            found = namings_of(tx, [BLOB], ME).get(BLOB, [])
            if role != CALLER:
                assert {one.role for one in evidence_by_blob(tx, BLOB, ME)} <= {role}
        finally:
            driver.set_progress_handler(None, 100)
    return [(one.origin, one.role) for one in found], steps[0]


def test_who_names_it_without_end_costs_nothing_more_and_gets_nothing(store: Store) -> None:
    chains = Chains(store)
    chains.name(EDGE)
    chains.name(THIEF, FEW)
    chains.name(VICTIM)
    chains.name(CITY)
    counted = [(EDGE, "photo"), (VICTIM, "photo"), (CITY, "photo")]
    found, few = looked_up(store)
    assert found == counted
    chains.name(THIEF, MANY)
    found, many = looked_up(store)
    assert found == counted
    assert many <= few * 1.1, "hundreds of steps of the database"


def test_of_the_one_that_was_first_the_first_are_enough(store: Store) -> None:
    chains = Chains(store)
    chains.name(THIEF, MANY)
    chains.name(VICTIM)
    chains.name(CITY)
    found, _ = looked_up(store)
    assert found == [(THIEF, "photo")] * MOST + [(CITY, "photo")]


def test_who_tells_that_it_is_a_caller_wins_from_behind(store: Store) -> None:
    chains = Chains(store)
    chains.name(VICTIM)
    chains.name(THIEF, FEW)
    chains.name(EDGE, role=CALLER)
    chains.name(THIEF, FEW)
    assert looked_up(store, CALLER)[0] == [(EDGE, CALLER)]
    with store.reader() as tx, pytest.raises(NotFound):
        evidence_by_blob(tx, BLOB, ME)


def test_many_blobs_at_once_are_told_apart(store: Store) -> None:
    chains = Chains(store)
    others = [f"{n:064x}" for n in range(30)]
    for blob in others:
        chains.name(VICTIM, blob=blob)
    chains.name(THIEF, FEW)
    with store.reader() as tx:
        found = namings_of(tx, [BLOB, *others], ME)
    assert {blob: [one.origin for one in namings] for blob, namings in found.items() if blob != BLOB} == {
        blob: [VICTIM] for blob in others
    }
    assert len(found[BLOB]) == MOST
