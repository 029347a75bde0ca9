"""What became of reports: in memory for the newest, else from the projection. It makes a duplicate harmless."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select, tuple_

from wanmi.models import EntryRow, ReportRow, table
from wanmi.store import Store

MEMORY = 20_000
Key = tuple[str, str]
"""(terminal, report id); refusals have the row id ``REPORT_ID!first 16 digits of the digest``."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A report that has an entry in this edge's chain: ``kept`` or ``refused``; ``hash`` is the chain's there."""

    digest: str
    seq: int
    hash: str
    status: str
    reason: str | None = None


def refusal_id(report_id: str, digest: str) -> str:
    """The row id of a refusal: several contents may be refused under one report id."""
    return f"{report_id}!{digest[:16]}"


class Ledger:
    """The newest reports of this edge in memory, the others by a look into the store, a batch at a time."""

    def __init__(self, store: Store, edge: str, memory: int = MEMORY) -> None:
        self._store = store
        self._edge = edge
        self._memory = memory
        self._known: OrderedDict[Key, Taken] = OrderedDict()

    def load(self, keys: Iterable[Key]) -> None:
        """Look up the keys that are not in memory, so that ``find`` can answer for them."""
        wanted = list({key for key in keys if key not in self._known})
        for start in range(0, len(wanted), 1000):
            self._query(wanted[start : start + 1000])

    def find(self, terminal: str, report_id: str) -> Taken | None:
        """What became of a report whose key was loaded."""
        key = (terminal, report_id)
        taken = self._known.get(key)
        if taken is not None:
            self._known.move_to_end(key)
        return taken

    def add(self, terminal: str, report_id: str, taken: Taken) -> None:
        """A report got its entry."""
        self._known[terminal, report_id] = taken
        while len(self._known) > self._memory:
            self._known.popitem(last=False)

    def _query(self, keys: list[Key]) -> None:
        report, entry = table(ReportRow).c, table(EntryRow).c
        query = (
            select(
                report.terminal, report.report_id, report.digest, report.seq, entry.hash, report.status, report.reason
            )
            .join_from(table(ReportRow), table(EntryRow), (entry.origin == report.edge) & (entry.seq == report.seq))
            .where(report.edge == self._edge, tuple_(report.terminal, report.report_id).in_(keys))
        )
        with self._store.reader() as connection:
            for terminal, report_id, digest, seq, hash_, status, reason in connection.execute(query):
                self.add(terminal, report_id, Taken(digest, seq, bytes(hash_).hex(), status, reason))
