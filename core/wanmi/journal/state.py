"""The journal's state in memory: cursors of every chain, staged within a transaction, true after its commit."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from wanmi.journal.types import Cursor


@dataclass
class ChainState:
    """Where chains, positions and the own chain's time stand."""

    cursors: dict[str, Cursor] = field(default_factory=dict)
    pos: int = 0
    last_at: int = 0

    def copy(self) -> ChainState:
        """A copy to stage changes in."""
        return ChainState(dict(self.cursors), self.pos, self.last_at)

    def cursor(self, origin: str) -> Cursor:
        """The cursor of a chain; at genesis when nothing of it is held."""
        return self.cursors.get(origin, Cursor())


class Versions:
    """The newest versions of subjects of the own chain, kept for the ones used last.

    Staged like the cursors: what a rolled back transaction learned is forgotten.
    """

    def __init__(self, size: int = 50_000) -> None:
        self._size = size
        self._known: OrderedDict[str, int] = OrderedDict()
        self._staged: dict[str, int] = {}

    def get(self, subject: str) -> int | None:
        """The version, if it is known in memory."""
        staged = self._staged.get(subject)
        return self._known.get(subject) if staged is None else staged

    def put(self, subject: str, version: int) -> None:
        """Within the transaction: the subject is at this version."""
        self._staged[subject] = version

    def rollback(self) -> None:
        """Forget what was staged."""
        self._staged = {}

    def commit(self) -> None:
        """Keep what was staged, drop the oldest beyond the size."""
        self._known.update(self._staged)
        self._staged = {}
        while len(self._known) > self._size:
            self._known.popitem(last=False)

    def clear(self) -> None:
        """Forget everything: the own chain was given back by a peer."""
        self._known.clear()
        self._staged = {}
