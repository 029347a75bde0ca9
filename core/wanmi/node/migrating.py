"""Bring the database of an older release to this one: `wanmi migrate`, while the node does not run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from wanmi.journal import refill
from wanmi.node.lock import NodeLock
from wanmi.node.node import load_enabled, new_registry
from wanmi.plugins import Plugin, read_off
from wanmi.settings import read_settings
from wanmi.store import Migrated, Store


def migrate_node(
    dir: Path, *, plugins: Sequence[Plugin] = (), told: Callable[[int, int], None] = lambda _done, _total: None
) -> Migrated:
    """Migrate the database of the node in ``dir``, all or nothing; ``told`` gets (entries done, entries in all).

    ``plugins`` as in ``Node.open``. Raises SettingsError, StoreError (the node runs; what cannot be migrated).
    """
    lock = NodeLock.take(dir)
    try:
        settings = read_settings(dir)
        registry = new_registry(load_enabled(settings.plugins, settings.node.role, plugins, read_off(dir)))
        return Store.migrate(settings.database_url, registry.rows.values(), lambda tx: refill(tx, registry, told))
    finally:
        lock.release()
