"""Replicate: batches of reports as frames, verified and applied with all projections, beside raw executemany.

The entries are real: `report.received` of about 500 bytes with the terminal's envelope in it. What is measured is
everything that a receiving node does: take the frame apart, unpack, check hashes, signature and bodies, write
entries, head and projections, commit (SQLite, WAL, synchronous=FULL). The floor writes the same bytes with plain
``executemany`` at the same number of entries a transaction.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pysqlite3 import dbapi2

from wanmi.clock import SystemClock
from wanmi.ids import SeededIds, SystemIds
from wanmi.journal import Journal, register_core
from wanmi.kinds import NodeAdmitted, ReportReceived
from wanmi.links.frames import NO_SESSION, BatchHead, decode, decode_batch, encode_batch
from wanmi.registry import Draft, Registry
from wanmi.reports.envelope import to_b64
from wanmi.store import Store

ENTRIES = 20_000
A_BATCH = 1000
GOAL = 20_000
EDGE, DISTRICT = "21010201", "210102"


def _journal(folder: Path, code: str, key: Ed25519PrivateKey) -> tuple[Store, Journal]:
    registry = Registry()
    with registry.filling("bench", "0"):
        register_core(registry)
    folder.mkdir()
    store = Store.open(f"sqlite:///{folder}/journal.db", registry.rows.values())
    return store, Journal(code, store, registry, clock=SystemClock(), ids=SystemIds(), sign_key=key)


def _admission(key: Ed25519PrivateKey, parent: str | None) -> Draft:
    public = key.public_key().public_bytes_raw().hex()
    body = NodeAdmitted(EDGE, "edge", EDGE, DISTRICT, parent, public, "00" * 32, "")
    return Draft("node.admitted", f"node:{EDGE}", body)


_IDS = SeededIds("replicate")


def _report(n: int) -> Draft:
    """What compresses badly in a real report (envelope, signature, digest) is random here."""
    envelope, sig = to_b64(_IDS.token(150)), to_b64(_IDS.token(64))
    at, digest = 1_790_000_000_000_000 + n, _IDS.token(32).hex()
    body = ReportReceived("T210102-0001", f"01HF{n:022d}", envelope, sig, digest, "event", "0102", at, [])
    return Draft("report.received", f"report:{EDGE}:T210102-0001:{n}", body)


def _frames(folder: Path, key: Ed25519PrivateKey) -> list[bytes]:
    """An edge's chain as the frames that its link sends."""
    store, journal = _journal(folder, EDGE, key)
    journal.append(_admission(key, None)).result()
    for start in range(0, ENTRIES, A_BATCH):
        journal.append(*(_report(n) for n in range(start, start + A_BATCH))).result()
    frames, after = [], 0
    while True:
        batch = journal.batch_for(DISTRICT, EDGE, after, limit=A_BATCH, max_bytes=8_000_000)
        if batch is None:
            break
        frames.append(encode_batch(NO_SESSION, batch))
        after = batch.head.seq
    store.close()
    return frames


def _replicate(folder: Path, key: Ed25519PrivateKey, frames: list[bytes]) -> tuple[float, int]:
    """Seconds and entries of a district that takes the frames, four batches under way as on a link."""
    store, journal = _journal(folder, DISTRICT, Ed25519PrivateKey.generate())
    journal.append(_admission(key, DISTRICT)).result()
    started = time.perf_counter()
    waiting = []
    for data in frames:
        frame = decode(data)
        assert isinstance(frame.header, BatchHead)
        waiting.append(journal.apply(decode_batch(frame.header, frame.body), EDGE))
        if len(waiting) > 4:
            waiting.pop(0).result()
    for future in waiting:
        future.result()
    seconds = time.perf_counter() - started
    count = journal.cursor(EDGE).seq
    store.close()
    return seconds, count


def _floor(folder: Path, source: Path) -> float:
    """Seconds of plain executemany of the same entry rows, FULL, the same number a transaction."""
    folder.mkdir()
    with dbapi2.connect(source / "journal.db") as old:
        schema = old.execute("SELECT sql FROM sqlite_master WHERE name = 'entry'").fetchone()[0]
        rows = old.execute("SELECT * FROM entry ORDER BY pos").fetchall()
    new = dbapi2.connect(folder / "raw.db", isolation_level=None)
    new.execute("PRAGMA journal_mode=WAL")
    new.execute("PRAGMA synchronous=FULL")
    new.execute(schema)
    marks = ", ".join("?" * len(rows[0]))
    started = time.perf_counter()
    for start in range(0, len(rows), A_BATCH):
        new.execute("BEGIN IMMEDIATE")
        new.executemany(f"INSERT INTO entry VALUES ({marks})", rows[start : start + A_BATCH])
        new.execute("COMMIT")
    seconds = time.perf_counter() - started
    new.close()
    return seconds


def _unpacked(data: bytes) -> int:
    header = decode(data).header
    assert isinstance(header, BatchHead)
    return header.size


def run() -> list[dict[str, Any]]:
    """The figure beside its floor."""
    key = Ed25519PrivateKey.generate()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frames = _frames(folder / "edge", key)
        best, count = min(_replicate(folder / f"district{n}", key, frames) for n in range(3))
        raw = sum(_unpacked(frame) for frame in frames) / count
        floor = min(_floor(folder / f"raw{n}", folder / "edge") for n in range(3))
    return [
        {
            "name": "replicate, verify, apply with projections",
            "value": count / best,
            "unit": "entries/s",
            "floor": count / floor,
            "floor_name": "raw executemany of the same entry rows, FULL, 1000 a transaction",
            "goal": GOAL,
        },
        {
            "name": "bytes on the wire an entry",
            "value": sum(map(len, frames)) / count,
            "unit": "bytes",
            "floor": raw,
            "floor_name": "the entry's bytes as they are",
            "goal": None,
        },
    ]


if __name__ == "__main__":
    for line in run():
        print(line)
