"""The newest entries as they were committed: who follows a journal closely need not read and decode them again."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Collection, Sequence
from operator import attrgetter

from wanmi.registry import Stored

MOST = 4_000
"""Entries kept; of more, the older half is forgotten."""
_POS = attrgetter("pos")


class Recent:
    """Every entry behind one position, in order of application. Thread safe; the writer adds what each commit brought."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[Stored] = []
        self._behind: int | None = None

    def add(self, new: Sequence[Stored]) -> None:
        """What a commit brought."""
        if not new:
            return
        with self._lock:
            if self._behind is None:
                self._behind = new[0].pos - 1
            self._entries.extend(new)
            if len(self._entries) > MOST:
                self._behind = self._entries[len(self._entries) - MOST // 2 - 1].pos
                del self._entries[: -MOST // 2]

    def since(self, pos: int, kinds: Collection[str], limit: int) -> tuple[list[Stored], int] | None:
        """Entries of some kinds after ``pos``, at most ``limit``, and up to which position that is all of them.

        None where it reaches further back than what is kept: then the journal is to be read.
        """
        with self._lock:
            if self._behind is None or pos < self._behind:
                return None
            later = self._entries[bisect_right(self._entries, pos, key=_POS) :]
        wanted = [one for one in later if one.entry is not None and one.entry.kind in kinds]
        if len(wanted) > limit:
            return wanted[:limit], wanted[limit - 1].pos
        return wanted, later[-1].pos if later else pos
