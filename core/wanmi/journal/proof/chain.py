"""One chain, line by line: what the bytes say against what is stored."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from wanmi.entries import GENESIS, Entry, addressed, chain_hash, decode, decode_trusted, raw_digest
from wanmi.errors import BadEntry
from wanmi.journal.proof.sources import COLUMNS, Line
from wanmi.journal.rows import audience_text


@dataclass(frozen=True)
class Finding:
    """One damage: where (source, origin, seq), its kind, and what was seen."""

    source: str
    origin: str
    seq: int
    damage: str
    detail: str

    def __str__(self) -> str:
        return f"{self.source}: chain {self.origin}, entry {self.seq}: {self.damage}: {self.detail}"


class ChainWalk:
    """Checks a chain while it is read; ``seq`` and ``hash`` are where it ends, ``hashes`` of every entry.

    Each line is judged against the stored hash of the line before it, so that one damage is named once
    and does not make everything behind it look damaged.
    """

    def __init__(self, source: str, origin: str, node: str | None = None) -> None:
        self.source = source
        self.origin = origin
        self.node = node
        self.findings: list[Finding] = []
        self.hashes: dict[int, bytes] = {}
        self.count = 0
        self.redacted = 0
        self.seq = 0
        self.hash = GENESIS
        self._at = -1
        self._late: list[int] = []

    def line(self, line: Line) -> Entry | None:
        """Take the next line; the entry if its bytes can be read at all."""
        self.count += 1
        entry = self._decoded(line)
        if entry is not None and entry.origin != self.origin:
            self._find(line.seq, "foreign", f"the bytes are entry {entry.origin}:{entry.seq}")
            return None
        claimed = line.seq if entry is None else entry.seq
        if claimed <= self.seq:
            self._again(claimed, line)
            return entry
        if claimed > self.seq + 1:
            self._skip_to(claimed, line.seq)
        self._check(line, entry, claimed)
        return entry

    def finish(self) -> None:
        """After the last line: entries that were missing and came later were reordered, not dropped."""
        late = set(self._late)
        self.findings = [f for f in self.findings if not (f.damage == "dropped" and f.seq in late)]

    def _decoded(self, line: Line) -> Entry | None:
        if line.raw is None:
            self.redacted += 1
            return None
        try:
            return decode_trusted(line.raw)
        except BadEntry:
            return None

    def _skip_to(self, claimed: int, row: int) -> None:
        for seq in range(self.seq + 1, min(claimed, self.seq + 1001)):
            self._find(seq, "dropped", f"the entry is not there; the next one is {claimed}")
        if claimed > self.seq + 1001:
            self._find(self.seq + 1001, "dropped", f"and all entries up to {claimed - 1}")
        if row < claimed:
            self._find(row, "reordered", f"the bytes in its place are entry {claimed}")
        self.seq = claimed - 1
        self.hash = b""

    def _again(self, claimed: int, line: Line) -> None:
        """Bytes that claim a seq that was passed already: a swapped or a smuggled line."""
        if any(f.damage == "dropped" and f.seq == claimed for f in self.findings):
            self._late.append(claimed)
            self._find(claimed, "reordered", f"it stands in the place of entry {line.seq}")
            return
        self.findings = [f for f in self.findings if f.seq != claimed]
        self._find(claimed, "inserted", "two lines claim this place; one of them was smuggled in")

    def _check(self, line: Line, entry: Entry | None, claimed: int) -> None:
        digest = line.digest if line.raw is None else raw_digest(line.raw)
        audience = line.audience if entry is None else entry.audience
        hash_ = chain_hash(self.hash, audience, digest)
        if line.raw is not None:
            self._check_bytes(line, entry, claimed, digest)
        elif self._should_be_here(line):
            self._find(claimed, "erased", "the bytes are gone, though this node was addressed and must hold them")
        if line.hash is not None and self.hash and hash_ != line.hash and digest == line.digest:
            self._find(claimed, "link", "the stored hash does not follow from the entry before it and the bytes")
        if entry is not None and entry.at <= self._at:
            self._find(claimed, "back-dated", "its time is not after the time of the entry before it")
        if entry is not None and line.columns is not None:
            self._check_columns(line, entry, claimed)
        self.seq = claimed
        self.hash = hash_ if line.hash is None else line.hash
        self.hashes[claimed] = self.hash
        self._at = self._at if entry is None else max(entry.at, self._at)

    def _should_be_here(self, line: Line) -> bool:
        """Whether a line without bytes had them once: only who is not addressed holds a digest in their place."""
        if self.node is not None and (self.origin == self.node or addressed(line.audience, self.node)):
            return True
        return line.columns is not None and any(
            line.columns[name] is not None for name in COLUMNS if name != "audience"
        )

    def _check_bytes(self, line: Line, entry: Entry | None, claimed: int, digest: bytes) -> None:
        if digest != line.digest:
            self._find(claimed, "flipped", "the bytes are not the ones that were hashed")
            return
        if entry is None:
            self._find(claimed, "flipped", "the bytes cannot be read as an entry")
            return
        try:
            decode(line.raw or b"")
        except BadEntry as error:
            self._find(claimed, "flipped", str(error))

    def _check_columns(self, line: Line, entry: Entry, claimed: int) -> None:
        columns = line.columns or {}
        if line.seq != entry.seq and line.seq > entry.seq - 1:
            self._find(claimed, "column", f"column seq says {line.seq}, the bytes say {entry.seq}")
        for name in COLUMNS:
            said, meant = columns[name], _column(entry, name)
            if said != meant:
                self._find(claimed, "column", f"column {name} says {said!r}, the bytes say {meant!r}"[:300])

    def _find(self, seq: int, damage: str, detail: str) -> None:
        self.findings.append(Finding(self.source, self.origin, seq, damage, detail))


def _column(entry: Entry, name: str) -> object:
    if name == "audience":
        return audience_text(entry.audience)
    if name == "body":
        return orjson.dumps(entry.body, option=orjson.OPT_SORT_KEYS).decode()
    value: object = getattr(entry, name)
    return value
