"""`wanmi restore`: a node's directory made anew from a backup and its keys; all of it or nothing.

What came after the backup is with the node's peers. Until each of them has been heard the node writes nothing (R6, R7):
it would use numbers again that its peers hold other entries for.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, delete, select

from wanmi.clock import SECOND, Clock, SystemClock
from wanmi.errors import BadInput, Conflict, StoreError
from wanmi.identity import NodeKeys
from wanmi.identity.sessions import SessionRow
from wanmi.keeping import Manifest, extract_archive, restore_postgresql
from wanmi.links import HoldRow
from wanmi.models import BlobRow, NodeRow, table
from wanmi.node.migrating import migrate_node
from wanmi.node.node import Node
from wanmi.node.restored import RestoredRow
from wanmi.plugins import Plugin
from wanmi.settings import read_settings
from wanmi.store import upsert_rows
from wanmi.store.migrations import SCHEMA

Say = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Restored:
    """What was put back: the backup's manifest, and the peers that the node waits for before it writes."""

    dir: Path
    manifest: Manifest
    waits_for: tuple[str, ...]


def restore_node(
    archive: Path,
    dir: Path,
    keys: Path,
    *,
    without: Collection[str] = (),
    clock: Clock | None = None,
    plugins: Sequence[Plugin] = (),
    say: Say = lambda *_: None,
) -> Restored:
    """Make ``dir``, which must not be there or be empty, from a backup.

    ``keys`` is a folder with the node's key files (or a node's directory: its keys and its CA are taken). ``without``
    are peers that will not come back: they are not waited for, which is journaled. Erasures are run again.
    Raises Conflict, BadInput (a peer that is none), StoreError (keys, archive, database), SettingsError.
    """
    if dir.exists() and (not dir.is_dir() or any(dir.iterdir())):
        raise Conflict(f"{dir}: something is there already; a node is restored into a new or empty directory")
    building = dir.absolute().with_name(f".{dir.absolute().name}.restoring")
    shutil.rmtree(building, ignore_errors=True)
    try:
        building.mkdir(mode=0o700, parents=True)
        take_keys(keys, building)
        manifest = extract_archive(
            archive, NodeKeys.load(building).sign_public, building, lambda done, total: say(done, total, "bytes")
        )
        _make_folders(building)
        _bring_database(building, manifest, plugins, say)
        waits_for = _ready(building, manifest, without, clock or SystemClock(), plugins)
        building.replace(dir)
    except OSError as error:
        raise StoreError(f"{dir}: cannot be restored: {error.strerror or error}") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return Restored(dir, manifest, waits_for)


def take_keys(keys: Path, building: Path) -> None:
    """Copy the key files, and the CA where it lies beside them, readable by their owner alone."""
    folder = keys / "keys" if (keys / "keys").is_dir() else keys
    for source, target in ((folder, building / "keys"), (keys / "tls", building / "tls")):
        if not source.is_dir():
            continue
        target.mkdir(mode=0o700)
        for file in sorted(source.iterdir()):
            if file.suffix in (".key", ".crt"):
                with os.fdopen(os.open(target / file.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
                    copy.write(file.read_bytes())


def _make_folders(building: Path) -> None:
    for folder in ("blobs", "spool", "log", "broker"):
        (building / folder).mkdir(exist_ok=True)


def _bring_database(building: Path, manifest: Manifest, plugins: Sequence[Plugin], say: Say) -> None:
    """The database where the settings want it, in this program's schema."""
    settings = read_settings(building)
    if (settings.node.code, settings.node.role) != (manifest.node, manifest.role):
        raise StoreError(f"the backup is of {manifest.node}, its node.toml of {settings.node.code}: damaged")
    if settings.database_url.startswith("sqlite") != (manifest.database == "sqlite"):
        raise StoreError(
            f"the backup holds a {manifest.database} database, database.url names another kind; "
            "set WANMI_DATABASE__URL to where it shall be"
        )
    if manifest.database == "postgresql":
        dump = building / "journal.pg_dump"
        restore_postgresql(dump, settings.database_url, lambda *_: say(0, 0, "loading the database"))
        dump.unlink()
    if manifest.schema < SCHEMA:
        migrate_node(building, plugins=plugins, told=lambda done, total: say(done, total, "entries migrated"))


def _ready(
    building: Path, manifest: Manifest, without: Collection[str], clock: Clock, plugins: Sequence[Plugin]
) -> tuple[str, ...]:
    """Open the node once: holds set, sessions ended, blobs without bytes forgotten; erasures are run again by opening."""
    with Node.open(building, clock=clock, plugins=plugins) as node:
        peers = _peers(node)
        strange = sorted(set(without) - set(peers))
        if strange:
            raise BadInput(f"{strange[0]} is no peer of {node.code}; its peers are {', '.join(peers) or 'nobody'}")
        waits_for = tuple(peer for peer in peers if peer not in without)
        if waits_for and HoldRow.__tablename__ not in node.registry.rows:
            raise BadInput("plugin federation is not enabled, so that no peer can give back what was lost; enable it")
        at, made = clock.now(), datetime.fromtimestamp(manifest.made_at / SECOND, UTC).isoformat(timespec="seconds")
        held = node.journal.cursor(node.code).seq

        def mark(tx: Connection) -> None:
            upsert_rows(tx, HoldRow, [(peer, f"restored from a backup of {made}", at) for peer in waits_for])
            upsert_rows(tx, RestoredRow, [(at, manifest.made_at, held, ",".join(sorted(without)))])
            tx.execute(delete(table(SessionRow)))
            _forget_blobs_without_bytes(tx, building / "blobs", manifest)

        node.store.write(mark).result()
        return waits_for


def _peers(node: Node) -> list[str]:
    """The parent and the admitted children: whoever may hold entries that this node lost."""
    nodes = table(NodeRow).c
    with node.store.reader() as tx:
        query = select(nodes.code).where(nodes.parent == node.code, nodes.state == "admitted").order_by(nodes.code)
        children = list(tx.execute(query).scalars())
    return [*([node.parent] if node.parent else []), *children]


def _forget_blobs_without_bytes(tx: Connection, root: Path, manifest: Manifest) -> None:
    """A blob that the archive has not, or not soundly, is fetched from other nodes again."""
    blob = table(BlobRow)
    for unsound in manifest.unsound:
        (root / unsound[:2] / unsound).unlink(missing_ok=True)
        tx.execute(delete(blob).where(blob.c.blob == unsound, blob.c.data.is_(None)))
