"""Cases that a desk has at hand: read from the journal, kept while they are worked. Never the last word on a refusal."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from wanmi.cases import CASE_ENTRIES, Case, fold, fold_all
from wanmi.entries import Entry
from wanmi.errors import NotFound
from wanmi.registry import NodeContext, Stored

MOST = 2000
"""Cases kept; those put away first are forgotten first."""


class CaseShelf:
    """Thread safe. A kept case may be behind the journal: the append's version check finds that out."""

    def __init__(self, node: NodeContext) -> None:
        self._node = node
        self._kept: dict[str, Case] = {}
        self._lock = threading.Lock()

    def read(self, number: str, version: int | None = None) -> Case:
        """A case as its owner's entries add up to it (up to a version); NotFound if there is none here."""
        owner = number.partition("-")[0]
        entries = [
            stored.entry
            for stored in self._node.journal.subject(f"case:{number}")
            if stored.entry is not None and stored.entry.origin == owner
        ]
        upto = [one for one in entries if version is None or one.version <= version]
        case = fold_all(one for one in upto if one.kind in CASE_ENTRIES)
        if case is None:
            raise NotFound(f"case {number}: not known at this node")
        return case if case.version == upto[-1].version else replace(case, version=upto[-1].version)

    def take(self, number: str) -> Case:
        """A case from the shelf, else read; it may be behind."""
        kept = self._kept.get(number)
        return self.read(number) if kept is None else kept

    def fresh(self, number: str) -> Case:
        """A case read anew."""
        self.forget(number)
        return self.read(number)

    def after(self, before: Case, made: Sequence[Stored]) -> Case:
        """The case after the entries just made on it; other cases among them are forgotten."""
        subject, case = f"case:{before.number}", before
        entries: list[Entry] = [stored.entry for stored in made if stored.entry is not None]
        for entry in entries:
            if entry.subject == subject:
                case = fold(case, entry)
            else:
                self.forget(entry.subject.removeprefix("case:"))
        self._put(case)
        return case

    def forget(self, number: str) -> None:
        """Take a case off the shelf."""
        with self._lock:
            self._kept.pop(number, None)

    def _put(self, case: Case) -> None:
        with self._lock:
            kept = self._kept.pop(case.number, None)
            self._kept[case.number] = case if kept is None or kept.version <= case.version else kept
            if len(self._kept) > MOST:
                self._kept.pop(next(iter(self._kept)))
