"""Which terminals are admitted: kept in memory from the projection, read again when a district says something new."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sqlalchemy import select

from wanmi.journal import Journal
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
        self._listeners: list[Callable[[], None]] = []
        self._known: dict[str, Known] = {}
        self._verifiers: dict[str, str] = {}
        self._walls: dict[str, str] = {}
        self._node = journal.node
        self.refresh()
        journal.listen(self._heard)

    def known(self, terminal: str) -> Known | None:
        """Key and state of a terminal, None when no district admitted it."""
        return self._known.get(terminal)

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
            self._stale.clear()
            self.refresh()

    def refresh(self) -> None:
        """Read the projection."""
        row = table(TerminalRow).c
        query = select(row.terminal, row.sign_key, row.broker_verifier, row.state)
        known: dict[str, Known] = {}
        verifiers: dict[str, str] = {}
        with self._store.reader() as connection:
            for terminal, key, verifier, state in connection.execute(query):
                known[terminal] = Known(bytes.fromhex(key), revoked=state != "admitted")
                if state == "admitted":
                    verifiers[terminal] = verifier
            walls = wall_verifiers(connection, self._node)
        self._known, self._verifiers, self._walls = known, verifiers, walls

    def _heard(self, stored: list[Stored]) -> None:
        if any(item.entry is not None and item.entry.kind.startswith(("terminal.", "wall.")) for item in stored):
            self._stale.set()
            for told in self._listeners:
                told()
