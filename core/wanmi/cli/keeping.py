"""``wanmi backup``, ``restore``, ``migrate``: what keeps a node's data whole over losses and updates."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wanmi.cli.shared import AsJson, Dir, call, forget_progress, print_json, show_progress

if TYPE_CHECKING:
    from wanmi.keeping import Manifest
    from wanmi.store import Migrated

Archive = Annotated[Path, typer.Argument(metavar="ARCHIVE", help="The backup's file, a tar.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command()(backup)
    app.command()(restore)
    app.command()(migrate)


def backup(
    dir: Dir,
    archive: Archive,
    verify: Annotated[
        bool, typer.Option("--verify", help="Write none: read this one through, and prove the chains in it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a backup of a node to a new file, also while it runs: database, sealed blobs, settings, never its keys.

    With --verify DIR may be just a folder with the node's keys.
    """
    if verify:
        _verify(dir, archive, as_json)
        return
    result = call(dir, "backup", {"path": str(archive.absolute())})
    if as_json:
        print_json(result)
        return
    print(f"{result['path']}: {result['entries']} entries, {result['blobs']} blobs in files, {result['bytes']} bytes")
    if result["unsound"]:
        print(f"{len(result['unsound'])} blobs are missing or damaged here; a restore fetches them from other nodes")


def restore(
    archive: Archive,
    dir: Dir,
    keys: Annotated[
        Path,
        typer.Option(help="Folder with the node's key files, or the directory that it had: keys are in no backup."),
    ],
    without: Annotated[
        list[str] | None, typer.Option(help="A peer that never comes back: it is not waited for. May be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a node's directory anew from a backup; the node then gets what it lost back before it writes.

    Erasures are run again, sessions are ended. A PostgreSQL database must be there and empty.
    """
    from wanmi.cli.logs import quiet_logging
    from wanmi.node import restore_node

    quiet_logging()
    restored = restore_node(archive, dir, keys, without=without or (), say=_say)
    forget_progress(sys.stderr.isatty())
    facts = {
        "dir": str(restored.dir),
        "node": restored.manifest.node,
        "made_at": restored.manifest.made_at,
        "entries": restored.manifest.entries,
        "waits_for": list(restored.waits_for),
    }
    if as_json:
        print_json(facts)
        return
    print(f"node {facts['node']} is in {dir}, as of {_when(restored.manifest.made_at)}: {facts['entries']} entries")
    if restored.waits_for:
        print(f"it writes nothing until it has heard {', '.join(restored.waits_for)}, who may hold what it lost")
    print(f"next: wanmi run {dir}")


def migrate(dir: Dir, as_json: AsJson = False) -> None:
    """Bring the database of an older release to this program's, while the node is stopped; all of it or nothing.

    Journal and local tables are changed step by step; what entries add up to is made anew from them.
    """
    from dataclasses import asdict

    from wanmi.cli.logs import quiet_logging
    from wanmi.node import migrate_node

    quiet_logging()
    migrated = migrate_node(dir, told=lambda done, total: _say(done, total, "entries"))
    forget_progress(sys.stderr.isatty())
    if as_json:
        print_json(asdict(migrated))
    else:
        print(_told(migrated))


def _verify(dir: Path, archive: Path, as_json: bool) -> None:
    from wanmi.node import prove_archive

    manifest, findings = prove_archive(archive, dir, say=_say)
    forget_progress(sys.stderr.isatty())
    if as_json:
        print_json({"ok": not findings, "node": manifest.node, "entries": manifest.entries, "findings": findings})
    else:
        for finding in findings:
            print(finding)
        print(_proved(archive, manifest, findings))
    if findings:
        sys.exit(1)


def _proved(archive: Path, manifest: Manifest, findings: list[str]) -> str:
    word = "DOES NOT VERIFY" if findings else "verifies"
    lines = [f"{archive}: backup of {manifest.node} of {_when(manifest.made_at)}: {word}"]
    lines += [f"chain {origin}: {seq} entries" for origin, (seq, _) in sorted(manifest.chains.items())]
    lines += [f"{len(manifest.members)} files, {sum(member.size for member in manifest.members)} bytes"]
    if manifest.database == "postgresql":
        lines += ["the chains are in a PostgreSQL dump: its bytes are proved here, the chains once it is restored"]
    return "\n".join(lines)


def _say(done: int, total: int, message: str) -> None:
    from wanmi.registry import Progress

    if sys.stderr.isatty():
        show_progress(Progress(done, total, message))


def _when(at: int) -> str:
    from datetime import datetime

    return datetime.fromtimestamp(at / 1_000_000).astimezone().isoformat(sep=" ", timespec="seconds")


def _told(migrated: Migrated) -> str:
    stands = f"schema {migrated.after}"
    if migrated.before != migrated.after:
        stands = f"schema {migrated.before} is now {migrated.after}"
    return f"{stands}; {migrated.projections} tables made anew from the entries"
