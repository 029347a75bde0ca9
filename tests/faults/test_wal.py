"""The disk of the simulator is a faithful one: on files a power cut takes back nothing that was committed (R3).

SQLite's write-ahead log is cut at random places, as a power cut in the middle of a write leaves it.
"""

from __future__ import annotations

import contextlib
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from pysqlite3 import dbapi2

from faults.casework import registry_for
from faults.city import City, live
from faults.machine import Hooks
from faults.plan import Plan
from faults.towns import DISTRICTS, Card
from wanmi.clock import ManualClock
from wanmi.ids import SeededIds
from wanmi.journal import Journal
from wanmi.journal.proof.replay import replay_check, state_hash
from wanmi.journal.types import Cursor
from wanmi.kinds import ClockStepped
from wanmi.registry import Draft
from wanmi.store import Store

CARD = DISTRICTS[0]
CUTS = 200
REOPENED = 20
"""On every so manieth cut a node is started."""


def journal_on(path: Path, card: Card = CARD) -> Journal:
    """A node's journal on a file."""
    store = Store.open(f"sqlite:///{path}", registry_for("district").rows.values(), inline=True)
    return Journal(
        card.code, store, registry_for("district"), clock=ManualClock(), ids=SeededIds(1), sign_key=card.sign
    )


def write(journal: Journal, n: int) -> None:
    """One committed entry."""
    journal.append(Draft("clock.stepped", f"clock:{CARD.code}", ClockStepped(n, "x" * (n * 37 % 900)))).result()


def test_a_log_that_is_cut_anywhere_keeps_all_that_was_acknowledged(tmp_path: Path) -> None:
    live_db, log = tmp_path / "live.db", tmp_path / "live.db-wal"
    journal = journal_on(live_db)
    journal.append(CARD.admission(None)).result()
    journal._store.scrub()
    durable = [(0, journal.cursor(CARD.code))]
    for n in range(60):
        write(journal, n)
        durable.append((log.stat().st_size, journal.cursor(CARD.code)))
    rng = random.Random(5)
    for n in range(CUTS):
        size = rng.randint(0, durable[-1][0])
        torn = tmp_path / f"torn-{n}.db"
        shutil.copy(live_db, torn)
        (tmp_path / f"torn-{n}.db-wal").write_bytes(log.read_bytes()[:size])
        promised = max((cursor for end, cursor in durable if end <= size), key=lambda cursor: cursor.seq)
        with contextlib.closing(dbapi2.connect(str(torn))) as raw:
            held = raw.execute("SELECT seq, hash FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
            assert Cursor(*held) == promised, f"cut at {size}"
            assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        if n % REOPENED == 0:
            goes_on(torn, n, promised)
    journal._store.close()


def goes_on(torn: Path, n: int, promised: Cursor) -> None:
    """A node that starts on what is left writes on from there, and its projections are what its chain adds up to."""
    after = journal_on(torn)
    assert after.cursor(CARD.code) == promised
    write(after, n)
    assert after.cursor(CARD.code).seq == promised.seq + 1
    assert replay_check(after._store, registry_for("district")) == []
    after._store.close()


@pytest.mark.parametrize("seed", [7])
def test_a_run_on_files_is_the_run_in_memory(seed: int, tmp_path: Path) -> None:
    faults = tuple(fault for fault in Plan.of(seed).faults if fault.kind not in ("restore", "full"))
    plan = replace(Plan.of(seed), instead=faults)  # those two are done to the disk in memory alone
    towns = [City(plan, tmp_path / "memory"), City(plan, tmp_path / "files", Hooks(on_files=True))]
    assert live(towns[0]) == live(towns[1])
    for code, machine in towns[0].machines.items():
        other = towns[1].machines[code]
        assert machine.journal.cursors() == other.journal.cursors()
        assert state_hash(machine.store, machine.registry) == state_hash(other.store, other.registry)
        other.store.close()
