"""Back up a node while it runs: its database as of one moment, its sealed blobs, its settings; never its keys.

A blob's file is never changed and stands before the entry that names it, so the files are read after the database
without anybody waiting. A file that is missing or damaged is listed as such: it does not keep the rest from being kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from wanmi.errors import BadInput, StoreError
from wanmi.keeping.archive import ArchiveWriter
from wanmi.keeping.copying import Held, copied
from wanmi.keeping.manifest import BACKUP, Manifest
from wanmi.keeping.working import Say, working
from wanmi.registry import AdminResult, NodeContext, Progress, Registry


def register_keeping(to: Registry) -> None:
    """Register the action behind ``wanmi backup``."""
    to.action("backup", backup_action, help="write a backup of the node to a file")


def backup_action(node: NodeContext, args: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    """``path``: the file to write, absolute."""
    path = Path(str(args.get("path") or ""))
    if not path.is_absolute():
        raise BadInput("backup: path must be absolute")
    manifest = yield from working(lambda say: back_up(node, path, say))
    yield {
        "path": str(path),
        "bytes": path.stat().st_size,
        "entries": manifest.entries,
        "blobs": len(manifest.members) - 2,
        "unsound": manifest.unsound,
    }


def back_up(node: NodeContext, path: Path, say: Say = lambda *_: None) -> Manifest:
    """Write the archive ``path``; Conflict if it is there, StoreError if it cannot be written. A half one never is."""
    made_at = node.clock.now()
    try:
        with (
            ArchiveWriter(path) as archive,
            copied(node.store, path, _saying(say, "pages of the database copied")) as (name, file, held),
        ):
            archive.add("node.toml", node.dir / "node.toml")
            archive.add(name, file, lambda _: say(0, 0, "writing the database"))
            unsound = _add_blobs(archive, node.dir / "blobs", held, say)
            manifest = _manifest(node, archive, held, made_at, unsound)
            archive.finish(manifest, node.keys.sign)
            return manifest
    except OSError as error:
        raise StoreError(f"{path}: the backup cannot be written: {error.strerror or error}") from error


def _saying(say: Say, message: str) -> Callable[[int, int], None]:
    return lambda done, total: say(done, total, message)


def _add_blobs(archive: ArchiveWriter, root: Path, held: Held, say: Say) -> list[str]:
    """Add the blobs' files; those that are missing or do not have their hash."""
    unsound = []
    for n, blob in enumerate(held.blobs):
        say(n, len(held.blobs), "blobs")
        try:
            member = archive.add(f"blobs/{blob[:2]}/{blob}", root / blob[:2] / blob)
        except FileNotFoundError:
            unsound.append(blob)
            continue
        if member.sha256 != blob:
            unsound.append(blob)
    return unsound


def _manifest(node: NodeContext, archive: ArchiveWriter, held: Held, made_at: int, unsound: list[str]) -> Manifest:
    return Manifest(
        BACKUP,
        node.code,
        node.role,
        made_at,
        held.schema,
        dict(node.registry.plugins),
        "sqlite" if node.store.dialect == "sqlite" else "postgresql",
        held.chains,
        archive.members,
        unsound,
    )
