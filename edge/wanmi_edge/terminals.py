"""Which terminals are admitted: kept in memory from the projection, read again when a district says something new."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet

from sqlalchemy import select

from wanmi.journal import Journal
from wanmi.journal.terminal_keys import known_terminals, ordered_terminals
from wanmi.models import TerminalRow, table
from wanmi.registry import Stored
from wanmi.reports import Known
from wanmi.store import Store
from wanmi_edge.walls.rows import wall_verifiers


class TerminalBook:
    """The admitted and the revoked terminals of this node's projection."""

    def __init__(self, store: Store, journal: Journal) -> None:
        self._store = store
        self._stale = threading.Event()
        self._reading = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._known: dict[str, Known] = {}
        self._verifiers: dict[str, str] = {}
        self._walls: dict[str, str] = {}
        self._ordered: set[str] = set()
        self._node = journal.node
        self.refresh()
        journal.listen(self._heard)

    def known(self, terminal: str) -> Known | None:
        """Key and state of a terminal, None when no district admitted it."""
        return self._known.get(terminal)

    def all_known(self) -> Mapping[str, Known]:
        """Every terminal with its keys, revoked ones too."""
        return self._known

    def is_ordered(self, terminal: str) -> bool:
        """Whether the district wants this terminal's key rotated."""
        return terminal in self._ordered

    def ordered(self) -> AbstractSet[str]:
        """The terminals whose district wants their keys rotated."""
        return self._ordered

    def verifiers(self) -> dict[str, str]:
        """The broker's password hash of every admitted terminal and wall."""
        return {**self._verifiers, **self._walls}

    def __len__(self) -> int:
        return len(self._verifiers)

    def on_change(self, told: Callable[[], None]) -> None:
        """Have ``told`` called (in the writer's thread: return at once) when a terminal entry came."""
        self._listeners.append(told)

    def refresh_if_stale(self) -> None:
        """Read the projection again if something was said since."""
        if self._stale.is_set():
            with self._reading:  # of two readings the older one must not come last
                self._stale.clear()
                self.refresh()

    def refresh(self) -> None:
        """Read the projection."""
        row = table(TerminalRow).c
        query = select(row.terminal, row.broker_verifier).where(row.state == "admitted")
        with self._store.reader() as connection:
            known = {terminal: keys for (_, terminal), keys in known_terminals(connection).items()}
            verifiers = {one.terminal: one.broker_verifier for one in connection.execute(query)}
            ordered = ordered_terminals(connection)
            walls = wall_verifiers(connection, self._node)
        self._known, self._verifiers, self._walls, self._ordered = known, verifiers, walls, ordered

    def _heard(self, stored: list[Stored]) -> None:
        if any(item.entry is not None and item.entry.kind.startswith(("terminal.", "wall.")) for item in stored):
            self._stale.set()
            for told in self._listeners:
                told()
