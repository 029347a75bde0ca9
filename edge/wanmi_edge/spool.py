"""Parts of reports (photos, sound, long texts) that came before their report was complete: DIR/spool/parts.

Nothing is promised by what lies here, so nothing is synced: a part that a power cut took is asked for again, and
what is read is checked against its digest first.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wanmi.reports import CHUNK, PartTopic, digest_of

SWEEP_EVERY = 256
"""Parts taken between two looks at what is too old or too much."""


@dataclass(frozen=True)
class SpoolLimits:
    """Bytes of a part, bytes of all parts, bytes that the disk must keep free, seconds that a part may wait."""

    part: int
    total: int
    reserve: int
    life: int


class PartSpool:
    """Parts by (terminal, digest): chunks until all are there, then one file."""

    def __init__(self, root: Path, limits: SpoolLimits, now: Callable[[], float]) -> None:
        self._root = root
        self._limits = limits
        self._now = now
        self._whole: dict[tuple[str, str], int] = {}
        self._size = 0
        self._taken = 0
        root.mkdir(parents=True, exist_ok=True)
        self._scan()

    @property
    def count(self) -> int:
        """Whole parts that wait for their report."""
        return len(self._whole)

    @property
    def size(self) -> int:
        """Bytes of whole parts and of chunks."""
        return self._size

    def has(self, terminal: str, digest: str) -> bool:
        """Whether a whole part is here."""
        return (terminal, digest) in self._whole

    def is_full(self) -> bool:
        """Whether the disk has less room than the reserve."""
        return shutil.disk_usage(self._root).free < self._limits.reserve

    def put(self, part: PartTopic, content: bytes) -> bool:
        """Keep a part or a chunk; True when the part is whole now. What is too large or wrong is not kept."""
        if self.has(part.terminal, part.digest):
            return True
        if not self._fits(part, content):
            return False
        self._taken += 1
        if self._taken % SWEEP_EVERY == 0 or self._size > self._limits.total:
            self.sweep()
        if part.count == 1:
            return self._keep(part.terminal, part.digest, content)
        return self._put_chunk(part, content)

    def get(self, terminal: str, digest: str) -> bytes | None:
        """A whole part's content, None when it is not here or was damaged."""
        try:
            content = self._path(terminal, digest).read_bytes()
        except FileNotFoundError:
            content = None
        if content is not None and digest_of(content) == digest:
            return content
        self.drop(terminal, digest)
        return None

    def drop(self, terminal: str, digest: str) -> None:
        """Forget a part."""
        self._size -= self._whole.pop((terminal, digest), 0)
        self._path(terminal, digest).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Drop what waited too long, and the oldest while there is too much."""
        oldest = self._now() - self._limits.life
        files = sorted((path.stat().st_mtime, path) for path in self._root.rglob("*") if path.is_file())
        total = sum(path.stat().st_size for _, path in files)
        for at, path in files:
            if at >= oldest and total <= self._limits.total * 3 // 4:
                break
            total -= path.stat().st_size
            path.unlink(missing_ok=True)
        self._scan()

    def _fits(self, part: PartTopic, content: bytes) -> bool:
        last = part.index == part.count - 1
        if part.count > 1 and not last and len(content) != CHUNK:
            return False
        return len(content) <= CHUNK and (part.count - 1) * CHUNK < self._limits.part

    def _put_chunk(self, part: PartTopic, content: bytes) -> bool:
        folder = self._root / part.terminal / f"{part.digest}.{part.count}"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / str(part.index)
        if not path.exists():
            self._size += len(content)
        path.write_bytes(content)
        chunks = [folder / str(index) for index in range(part.count)]
        if not all(chunk.exists() for chunk in chunks):
            return False
        content = b"".join(chunk.read_bytes() for chunk in chunks)
        self._size -= len(content)
        shutil.rmtree(folder)
        return self._keep(part.terminal, part.digest, content)

    def _keep(self, terminal: str, digest: str, content: bytes) -> bool:
        if len(content) > self._limits.part or digest_of(content) != digest:
            return False
        path = self._path(terminal, digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self._whole[terminal, digest] = len(content)
        self._size += len(content)
        return True

    def _path(self, terminal: str, digest: str) -> Path:
        return self._root / terminal / f"{digest}.part"

    def _scan(self) -> None:
        self._whole = {
            (path.parent.name, path.stem): path.stat().st_size for path in self._root.glob("*/*.part") if path.is_file()
        }
        chunks = sum(path.stat().st_size for path in self._root.glob("*/*.*/*") if path.is_file())
        self._size = sum(self._whole.values()) + chunks
