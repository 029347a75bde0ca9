"""A link's two ends that say the same bytes in every run: sessions are recorded from them, and replayed against them.

``python -m federation.recording recorded/vN.json`` (in ``tests``) records what the release at hand says. A recording is
made once, by the release whose name it bears, and never again: ``test_older.py`` lets the code of today talk to it.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wanmi.clock import SECOND, ManualClock
from wanmi.entries import Head, decode, raw_digest
from wanmi.identity import z85_decode, z85_encode
from wanmi.journal import Journal, register_core
from wanmi.journal.types import Batch, Item
from wanmi.kinds import Attachment, ClockStepped, NodeAdmitted, ReportReceived, Role
from wanmi.links import (
    LINK_ROWS,
    Apply,
    Effect,
    Ends,
    Face,
    Instant,
    Limits,
    Link,
    Peer,
    Send,
    StoreDepot,
    StoreDirectory,
)
from wanmi.links.effects import NoteCosign, PutChunk
from wanmi.links.frames import BatchHead, Tick, encode
from wanmi.links.frames import decode as decode_frame
from wanmi.registry import Draft, Registry
from wanmi.store import Blobs, Sealed, Store, vouchers_of

CITY, DISTRICT, EDGE, OTHER = "210100", "210102", "21010201", "210103"
ROLES: dict[str, Role] = {CITY: "city", DISTRICT: "district", EDGE: "edge"}
PARENTS = {CITY: None, DISTRICT: CITY, EDGE: DISTRICT}
LIMITS = Limits(batch_entries=4)
START = 1_790_000_000 * SECOND
Json = dict[str, Any]


def secret(code: str, what: str) -> bytes:
    """32 bytes that are a node's for a purpose, in every run."""
    return hashlib.sha256(f"{what} {code}".encode()).digest()


class CountedIds:
    """Random bytes that are none: each length has its own sequence, so that one more look shifts no other."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._count: Counter[int] = Counter()

    def token(self, n: int) -> bytes:
        """See wanmi.ids.Ids."""
        self._count[n] += 1
        return hashlib.shake_256(f"{self._seed} {n} {self._count[n]}".encode()).digest(n)


@dataclass
class Disk:
    """What a node holds before a session: batches of chains, sealed blobs."""

    batches: list[Batch] = field(default_factory=list)
    blobs: list[Sealed] = field(default_factory=list)


class Actor:
    """One node with real journal and blobs, and its link to one peer."""

    def __init__(self, code: str, peer: str, disk: Disk, folder: Path) -> None:
        self.code = code
        self.peer = peer
        self.clock = ManualClock(START)
        self.sign = Ed25519PrivateKey.from_private_bytes(secret(code, "sign"))
        self.seal = X25519PrivateKey.from_private_bytes(secret(code, "seal"))
        self.registry = Registry()
        with self.registry.filling("test", "0"):
            register_core(self.registry)
            self.registry.tables(*LINK_ROWS)
        self.store = Store.open("sqlite://", self.registry.rows.values(), inline=True)
        pinned = _peer(peer) if PARENTS[code] == peer else None
        self.journal = Journal(
            code, self.store, self.registry, clock=self.clock, ids=CountedIds(f"salt {code}"), sign_key=self.sign,
            pinned={peer: pinned.sign} if pinned else None,
        )  # fmt: skip
        self.blobs = Blobs(
            self.store, folder / code, local_key=secret(code, "local"), seal=self.seal, clock=self.clock,
            ids=CountedIds(f"blobs {code}"),
        )  # fmt: skip
        for batch in disk.batches:
            self.load(batch)
        for sealed in disk.blobs:
            self.store.write(lambda tx, s=sealed: self.blobs.add(tx, s)).result()  # type: ignore[misc]
        self.directory = StoreDirectory(self.store, code)
        self.journal.listen(lambda new: self.directory.told(new) and None)
        face = Face(code, self.sign, curve(code), self.seal.public_key().public_bytes_raw())
        depot = StoreDepot(self.store, self.blobs, vouchers_of(code, PARENTS[code]))
        ends = Ends(face, self.journal, self.directory, depot, CountedIds(f"link {code}"), LIMITS)
        self.link = Link(ends, peer, "child" if pinned else "parent", pinned)
        self.sent: list[bytes] = []
        self.done: list[Effect] = []

    def load(self, batch: Batch) -> None:
        """Take a batch in as if it had always been here."""
        self.journal.apply(batch, self.peer, own=batch.origin == self.code).result()

    def now(self, mono: float) -> Instant:
        """The moment, also for the journal and the keys."""
        self.clock.advance(START + round(mono * SECOND) - self.clock.now())
        return Instant(self.clock.now(), mono)

    def do(self, effects: list[Effect], mono: float) -> None:
        """Carry effects out; what is sent gathers in ``sent``."""
        for effect in effects:
            self.done.append(effect)
            if isinstance(effect, Send):
                self.sent.append(effect.frame)
            elif isinstance(effect, Apply):
                future = self.journal.apply(effect.batch, self.peer, own=effect.own)
                error = future.exception()
                assert error is None, error
                self.do(self.link.committed(effect, future.result(), self.now(mono)), mono)
            elif isinstance(effect, NoteCosign):
                self.journal.note_cosign(effect.cosign)
            elif isinstance(effect, PutChunk):
                self._put(effect, mono)

    def happens(self, event: Json) -> None:
        """One event of a recording."""
        mono, link = event["mono"], self.link
        now = self.now(mono)
        if event["what"] == "open":
            self.do(link.opened(now), mono)
        elif event["what"] == "tick":
            self.do(link.tick(now), mono)
        elif event["what"] == "grow":
            batch = batch_of(event["batch"])
            if self.journal.cursor(batch.origin).seq < batch.head.seq:
                self.load(batch)
            self.do(link.advanced(batch.origin, now), mono)
        else:
            self.do(link.on(bytes.fromhex(event["frame"]), now), mono)

    def _put(self, effect: PutChunk, mono: float) -> None:
        at = self.blobs.receive(effect.blob, effect.offset, effect.data)
        if at < effect.size:
            self.do(self.link.blob_at(effect.blob, at, self.now(mono)), mono)
            return
        self.blobs.finish(effect.blob, effect.key).result()
        self.do(self.link.blob_done(effect.blob, None, self.now(mono)), mono)


def curve(code: str) -> bytes:
    """The CURVE public key, z85."""
    return z85_encode(secret(code, "curve"))


def _peer(code: str) -> Peer:
    sign = Ed25519PrivateKey.from_private_bytes(secret(code, "sign")).public_key().public_bytes_raw()
    return Peer(code, PARENTS[code], sign, curve(code), True)


def json_of(batch: Batch) -> Json:
    """A batch of whole entries (or digests with their audience) for a recording."""
    head = batch.head
    return {
        "origin": batch.origin, "after": batch.after,
        "items": [i.raw.decode() if i.raw is not None else [i.audience, i.digest.hex()] for i in batch.items],
        "head": [head.seq, head.hash.hex(), head.at, head.sig.hex()],
    }  # fmt: skip


def batch_of(data: Json) -> Batch:
    """The batch of a recording."""
    items = []
    for item in data["items"]:
        if isinstance(item, str):
            raw = item.encode()
            items.append(Item(decode(raw).audience, raw_digest(raw), raw))
        else:
            audience = item[0] if isinstance(item[0], str) else tuple(item[0])
            items.append(Item(audience, bytes.fromhex(item[1])))
    seq, hash_, at, sig = data["head"]
    head = Head(data["origin"], seq, bytes.fromhex(hash_), at, bytes.fromhex(sig))
    return Batch(data["origin"], data["after"], tuple(items), head)


def disk_of(data: Json) -> Disk:
    """What a node of a recording holds before the session."""
    blobs = [Sealed(b["blob"], bytes.fromhex(b["data"]), bytes.fromhex(b["key"])) for b in data["blobs"]]
    return Disk([batch_of(batch) for batch in data["batches"]], blobs)


def json_of_disk(disk: Disk) -> Json:
    """The same, for the file."""
    blobs = [{"blob": s.blob, "data": s.data.hex(), "key": s.key.hex()} for s in disk.blobs]
    return {"batches": [json_of(batch) for batch in disk.batches], "blobs": blobs}


# --- making a recording


class Tape:
    """Two actors that talk, and every event of each with what it answered."""

    def __init__(self, child: Disk, parent: Disk, folder: Path) -> None:
        self.ends = {"child": Actor(DISTRICT, CITY, child, folder), "parent": Actor(CITY, DISTRICT, parent, folder)}
        self.disks = {"child": json_of_disk(child), "parent": json_of_disk(parent)}
        self.events: list[Json] = []
        self.mono = 100.0
        self.lose_next_batch = False
        self._under_way: list[tuple[str, bytes]] = []

    def happens(self, end: str, what: str, **more: Any) -> None:
        """Something happens at an end; its frames are under way then."""
        event: Json = {"end": end, "mono": round(self.mono, 3), "what": what, **more}
        actor = self.ends[end]
        actor.sent = []
        actor.happens(event)
        event["sent"] = [frame.hex() for frame in actor.sent]
        self.events.append(event)
        other = "parent" if end == "child" else "child"
        self._under_way += [(other, frame) for frame in actor.sent]

    def run(self, seconds: float) -> None:
        """Time passes, frames arrive."""
        end = self.mono + seconds
        while self.mono < end:
            self.mono += 0.25
            for name in self.ends:
                if self.ends[name].link.due() <= self.mono:
                    self.happens(name, "tick")
            self.deliver()

    def deliver(self) -> None:
        """Frames arrive until none is under way."""
        while self._under_way:
            end, frame = self._under_way.pop(0)
            if self.lose_next_batch and isinstance(decode_frame(frame).header, BatchHead):
                self.lose_next_batch = False
                continue
            self.happens(end, "frame", frame=frame.hex())

    def grow(self, end: str, batch: Batch) -> None:
        """A node writes something."""
        self.happens(end, "grow", batch=json_of(batch))
        self.deliver()

    def json(self) -> Json:
        """The session for the file."""
        return {"disks": self.disks, "events": self.events}


class Author:
    """Writes a node's chain, batch by batch, without any link."""

    def __init__(self, code: str, folder: Path) -> None:
        self._actor = Actor(code, PARENTS[code] or DISTRICT, Disk(), folder)
        self.code = code

    def write(self, *drafts: Draft) -> Batch:
        """Append, and answer the batch as the node itself has it."""
        actor = self._actor
        actor.clock.advance(SECOND)
        after = actor.journal.cursor(self.code).seq
        actor.journal.append(*drafts).result()
        batch = actor.journal.batch_for(self.code, self.code, after)
        assert batch is not None
        return batch

    def admission(self, code: str, parent: str | None) -> Draft:
        """The founding entry, or a child's admission."""
        body = NodeAdmitted(
            code, ROLES[code], code, code[:6], parent, _peer(code).sign.hex(), z85_decode(curve(code)).hex(), ""
        )
        return Draft("node.admitted", f"node:{code}", body)

    def step(self, n: int, audience: str | tuple[str, ...] = "*") -> Draft:
        """A small entry."""
        return Draft("clock.stepped", f"clock:{self.code}", ClockStepped(n, "test"), audience)

    def report(self, report_id: str, photo: bytes) -> tuple[Draft, Sealed]:
        """A report with a photo."""
        sealed = self._actor.blobs.seal(photo)
        attachment = Attachment("photo", "00" * 32, len(photo), "image/jpeg", sealed.blob)
        body = ReportReceived("T210102-0001", report_id, "e30", "", "00" * 32, "event", "0102", 0, [attachment])
        return Draft("report.received", f"report:{self.code}:T210102-0001:{report_id}", body), sealed


def record(folder: Path) -> Json:
    """Two sessions: a whole day's kinds of frames, and a city that gets its lost tail back."""
    city, district, edge = (Author(code, folder / f"author-{code}") for code in (CITY, DISTRICT, EDGE))
    city_first = city.write(city.admission(CITY, None), city.admission(DISTRICT, CITY), city.step(1, (OTHER,)))
    city_tail = city.write(city.step(2), city.step(3))
    own = district.write(district.admission(DISTRICT, None), district.admission(EDGE, DISTRICT))
    more = [district.write(district.step(n, (CITY,))) for n in range(3)]
    taken, photo = edge.report("report-000001", b"a photo of a broken kerb")
    pending, _ = edge.report("report-000002", b"a photo that the edge still has alone")
    relayed = edge.write(edge.admission(EDGE, None), taken, pending)
    seen = Batch(CITY, 0, tuple(_seen_by_district(item) for item in city_first.items), city_first.head)

    day = Tape(Disk([own, relayed], [photo]), Disk([city_first]), folder / "day")
    day.happens("child", "open")
    day.deliver()
    day.run(3.0)
    day.lose_next_batch = True
    day.grow("child", more[0])
    day.run(1.0)
    day.grow("child", more[1])
    day.run(8.0)
    day.grow("parent", city_tail)
    day.run(6.0)
    stranger = encode(b"f" * 16, Tick(1)).hex()
    day.happens("parent", "frame", frame=stranger)
    day.deliver()

    tail = Tape(Disk([seen, city_tail, own, more[0]]), Disk([city_first, own]), folder / "tail")
    tail.happens("child", "open")
    tail.deliver()
    tail.run(4.0)
    return {"day": day.json(), "lost tail": tail.json()}


def _seen_by_district(item: Item) -> Item:
    hidden = item.audience != "*" and DISTRICT not in item.audience
    return Item(item.audience, item.digest) if hidden else item


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        Path(sys.argv[1]).write_text(json.dumps(record(Path(place)), indent=1) + "\n", encoding="utf-8")
