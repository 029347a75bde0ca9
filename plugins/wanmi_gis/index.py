"""The locator of a node's unit grids in force: built from its table, kept until an entry changes the grids."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import orjson
from sqlalchemy import select

from wanmi.hookspecs import Located
from wanmi.registry import Stored
from wanmi_gis.cutter import UnitGrid
from wanmi_gis.locate import Locator
from wanmi_gis.reading import rings_of
from wanmi_gis.tables import UNIT_GRID

if TYPE_CHECKING:
    from wanmi.coords import Datum
    from wanmi.journal import Journal
    from wanmi.registry import NodeContext
    from wanmi.store import Store

GRIDS_IMPORTED = "grids.imported"


@dataclass(frozen=True)
class GridIndex:
    """A locator, and for each grid the entry (`origin:seq`) that brought it: the data version of an answer."""

    locator: Locator
    versions: dict[str, str]

    def located(self, lon_e7: int, lat_e7: int, datum: Datum) -> Located | None:
        """The grid of a point, None outside every grid."""
        grid = self.locator.locate(lon_e7, lat_e7, datum)
        return None if grid is None else Located(grid, self.versions[grid])


def read_index(store: Store) -> GridIndex:
    """The index of the grids that are in force in a node's database."""
    with store.reader() as connection:
        rows = connection.execute(select(UNIT_GRID).where(UNIT_GRID.c.ends.is_(None))).all()
    grids = [
        UnitGrid(row.code, row.community, rings_of(orjson.loads(row.rings)), row.area_m2, row.begins) for row in rows
    ]
    return GridIndex(Locator(grids), {row.code: f"{row.origin}:{row.seq}" for row in rows})


class KeptIndex:
    """A node's index: read on first use, and again after entries that change the grids. Thread safe.

    It holds neither journal nor store, so that a node that is gone is let go.
    """

    def __init__(self, journal: Journal) -> None:
        self._lock = threading.Lock()
        self._changes = 1
        self._read_at = 0
        self._index: GridIndex | None = None
        journal.listen(self._told)

    def current(self, store: Store) -> GridIndex:
        """The index of the grids as they are now committed."""
        with self._lock:
            changes = self._changes
            if self._index is None or self._read_at != changes:
                self._index, self._read_at = read_index(store), changes
            return self._index

    def _told(self, new: list[Stored]) -> None:
        if any(stored.entry is not None and stored.entry.kind == GRIDS_IMPORTED for stored in new):
            self._changes += 1


class Indexes:
    """The kept indexes of the nodes of this process, dropped with their journals."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[Journal, KeptIndex] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def of(self, node: NodeContext) -> KeptIndex:
        """The node's index."""
        with self._lock:
            kept = self._kept.get(node.journal)
            if kept is None:
                kept = self._kept[node.journal] = KeptIndex(node.journal)
            return kept
