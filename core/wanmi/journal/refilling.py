"""Projections made anew in their own tables: what an update changes about them, and what a restored copy lacks."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, func, select

from wanmi.entries import decode_trusted
from wanmi.journal.projecting import Projector
from wanmi.journal.rows import ENTRY
from wanmi.registry import Registry

BATCH = 1000
Told = Callable[[int, int], None]
"""Told (entries done, entries in all) while it runs."""


def refill(tx: Connection, registry: Registry, told: Told = lambda _done, _total: None) -> int:
    """Apply every entry, in the order of local application, to projections whose tables are empty; how many there are.

    Within the caller's transaction. The same comes out as ``wanmi replay --check`` compares with.
    """
    projector, done, pos = Projector(registry), 0, 0
    total = int(tx.execute(select(func.count()).select_from(ENTRY)).scalar_one())
    while True:
        query = select(ENTRY.c.pos, ENTRY.c.raw).where(ENTRY.c.pos > pos).order_by(ENTRY.c.pos).limit(BATCH)
        rows = tx.execute(query).all()
        if not rows:
            return done
        projector.project_replica(tx, [decode_trusted(raw) for _, raw in rows if raw is not None])
        done, pos = done + len(rows), rows[-1].pos
        told(done, total)
