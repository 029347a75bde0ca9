"""Good reports whose parts have not all come: kept in a local table, and in memory by the parts they want."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select

from wanmi.models import table
from wanmi.store import Store
from wanmi_edge.ledger import Key
from wanmi_edge.rows import WaitingRow


@dataclass(frozen=True, slots=True)
class Waiting:
    """A report's message, and the digests that were missing when it was last looked at."""

    payload: bytes
    missing: frozenset[str]


class WaitingRoom:
    """At most ``limit`` reports wait; the oldest goes, and its terminal, which was promised nothing, sends it again."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: OrderedDict[Key, Waiting] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, key: Key) -> bool:
        return key in self._waiting

    def add(self, key: Key, payload: bytes, missing: Collection[str]) -> list[Key]:
        """Let a report wait; the keys of those that had to go for it."""
        self._waiting[key] = Waiting(payload, frozenset(missing))
        self._waiting.move_to_end(key)
        gone = []
        while len(self._waiting) > self._limit:
            gone.append(self._waiting.popitem(last=False)[0])
        return gone

    def remove(self, key: Key) -> bool:
        """A report no longer waits; whether it did."""
        return self._waiting.pop(key, None) is not None

    def for_part(self, terminal: str, digest: str) -> list[bytes]:
        """The messages of reports that wait for this part."""
        return [
            waiting.payload
            for (whose, _), waiting in self._waiting.items()
            if whose == terminal and digest in waiting.missing
        ]


def load_waiting(store: Store) -> list[tuple[Key, bytes]]:
    """Key and message of every report that waited when the node stopped, oldest first."""
    row = table(WaitingRow).c
    with store.reader() as connection:
        query = select(row.terminal, row.report_id, row.payload).order_by(row.at)
        return [((terminal, report_id), bytes(payload)) for terminal, report_id, payload in connection.execute(query)]
