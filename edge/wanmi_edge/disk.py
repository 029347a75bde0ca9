"""A disk that is full: nothing is acknowledged, it is said, and it is journaled, before and after.

A file of some MiB is kept back. When the disk is so full that not even the entry about it can be written, the file goes
and makes room for it. It comes back with the room.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog
from sqlalchemy.exc import DBAPIError

from wanmi.errors import StoreError
from wanmi.registry import Draft, NodeContext, Registry
from wanmi_edge.settings import MIB, EdgeSettings

LOOK_SECONDS = 1.0
SLACK = 1.25
"""The disk has room again when this many times the reserve is free: else it would flutter."""


class DiskFull(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``edge.disk_full``, subject ``disk:<edge>``: since ``since`` reports are sent back; ``free`` bytes then."""

    since: int
    free: int


class DiskRecovered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``edge.disk_recovered``: reports are taken in again; ``least`` bytes were free at the worst."""

    since: int
    until: int
    least: int


@dataclass(frozen=True)
class Spell:
    """A time without room: since when (µs UTC), and the fewest bytes that were free."""

    since: int
    least: int


class DiskGuard:
    """Looks at the disk of a node's directory; ``reserve`` bytes must stay free, ``kept_back`` are in the file."""

    def __init__(self, node: NodeContext, reserve: int, kept_back: int) -> None:
        self._node = node
        self._reserve = reserve
        self._kept_back = kept_back
        self._file = node.dir / "reserve.space"
        self._subject = f"disk:{node.code}"
        self._journaled = self._was_full()
        self.spell: Spell | None = Spell(node.clock.now(), self.free()) if self._journaled else None

    def free(self) -> int:
        """Bytes that are free."""
        return shutil.disk_usage(self._node.dir).free

    def look(self) -> None:
        """Look once: note a change, and journal what is not journaled yet. What cannot be written is tried again."""
        free = self.free()
        if free < self._reserve:
            self._note_full(free)
        elif self.spell is not None and free >= self._reserve * SLACK:
            self._note_room(self.spell, free)
        elif self.spell is None:
            self._keep_back(free)

    def _note_full(self, free: int) -> None:
        if self.spell is None:
            self.spell = Spell(self._node.clock.now(), free)
        self.spell = Spell(self.spell.since, min(free, self.spell.least))
        if not self._journaled:
            body = DiskFull(self.spell.since, self.spell.least)
            self._journaled = self._append("edge.disk_full", body) or self._append_with_reserve("edge.disk_full", body)

    def _note_room(self, spell: Spell, free: int) -> None:
        """There is room: tell that there was none, if that could not be told, and that there is again."""
        self._journaled = self._journaled or self._append("edge.disk_full", DiskFull(spell.since, spell.least))
        over = DiskRecovered(spell.since, self._node.clock.now(), spell.least)
        if self._journaled and self._append("edge.disk_recovered", over):
            self.spell, self._journaled = None, False
            self._keep_back(free)

    def _append_with_reserve(self, kind: str, body: msgspec.Struct) -> bool:
        if not self._file.exists():
            return False
        self._file.unlink(missing_ok=True)
        return self._append(kind, body)

    def _append(self, kind: str, body: msgspec.Struct) -> bool:
        try:
            self._node.journal.append(Draft(kind, self._subject, body)).result()
        except (StoreError, DBAPIError) as error:
            structlog.get_logger("wanmi.edge").error("disk_full", error=str(error), file=str(self._file))
            return False
        return True

    def _keep_back(self, free: int) -> None:
        """Keep the file's bytes back, if they leave enough."""
        if self._file.exists() or free < self._reserve * SLACK + self._kept_back:
            return
        make_reserve(self._file, self._kept_back)

    def _was_full(self) -> bool:
        entries = self._node.journal.subject(self._subject)
        last = entries[-1].entry if entries else None
        return last is not None and last.kind == "edge.disk_full"


def make_reserve(path: Path, size: int) -> None:
    """A file whose bytes are really taken; none when there is no room for it."""
    draft = path.with_name(path.name + ".new")
    try:
        with draft.open("wb") as file:
            if size:
                os.posix_fallocate(file.fileno(), 0, size)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)


async def watch_disk(node: NodeContext) -> None:
    """The supervised task."""
    settings = node.settings.section("edge", EdgeSettings).intake
    guard = DiskGuard(node, settings.reserve_mib * MIB, settings.kept_back_mib * MIB)
    while True:
        await asyncio.to_thread(guard.look)
        await asyncio.sleep(LOOK_SECONDS)


def add_disk(to: Registry) -> None:
    """The kinds and the task."""
    to.entry_kind("edge.disk_full", DiskFull, zh="磁盘已满", en="Disk full")
    to.entry_kind("edge.disk_recovered", DiskRecovered, zh="磁盘恢复", en="Disk has room again")
    to.task("edge.disk", watch_disk)
