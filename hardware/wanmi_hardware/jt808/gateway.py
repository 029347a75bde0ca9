"""What the connections of one port share: who may report, who waits, the samples that are to be taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from wanmi.coords import Datum
from wanmi.devices import Place, Sample
from wanmi_hardware.jt808.codes import CodeBook
from wanmi_hardware.jt808.taking import Vehicle

WAITING_MOST = 200
"""Unapproved terminals that are listed; a stranger with a thousand numbers fills no memory."""
QUEUE = 256
"""Samples that wait to be taken; when they are that many, connections are not read on."""


class Closable(Protocol):
    """A connection."""

    def close(self) -> None:
        """End it."""
        ...


@dataclass(frozen=True)
class Taken:
    """A sample, and what to do once somebody has it."""

    sample: Sample
    done: Callable[[], None]


class Gateway:
    """One port."""

    def __init__(
        self, place: Place, codes: CodeBook, approved: frozenset[str], datum: Datum, most: int, waiting: dict[str, str]
    ) -> None:
        self.place = place
        self.codes = codes
        self.datum: Datum = datum
        self.waiting = waiting
        self.garbled = 0
        self._approved = approved
        self._most = most
        self._queue: asyncio.Queue[Taken] = asyncio.Queue(QUEUE)
        self._connections: set[Closable] = set()
        self._vehicles: dict[str, Vehicle] = {}

    @property
    def connected(self) -> int:
        """Connections now."""
        return len(self._connections)

    def admit(self, connection: Closable) -> bool:
        """Whether one more connection may be."""
        if len(self._connections) >= self._most:
            return False
        self._connections.add(connection)
        return True

    def leave(self, connection: Closable) -> None:
        """It is closed."""
        self._connections.discard(connection)

    def close(self) -> None:
        """End every connection."""
        for connection in list(self._connections):
            connection.close()

    def may_report(self, phone: str) -> bool:
        """Whether the terminal is approved."""
        return phone in self._approved

    def note_waiting(self, phone: str, why: str) -> None:
        """List a terminal that is not approved."""
        if phone in self.waiting or len(self.waiting) < WAITING_MOST:
            self.waiting[phone] = why

    def vehicle(self, phone: str) -> Vehicle:
        """What is remembered of an approved terminal."""
        return self._vehicles.setdefault(phone, Vehicle())

    async def take(self, sample: Sample, done: Callable[[], None]) -> None:
        """Hand a sample over; waits while too many do."""
        await self._queue.put(Taken(sample, done))

    async def next(self, patience: float) -> Taken | None:
        """The next sample; None after ``patience`` seconds of silence."""
        try:
            return await asyncio.wait_for(self._queue.get(), patience)
        except TimeoutError:
            return None
