"""Prove a backup without restoring it: its signature and bytes, its database, the chains in it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from wanmi.identity import NodeKeys
from wanmi.journal.proof import database_source, verify_sources
from wanmi.keeping import Manifest, check_archive, extract_archive
from wanmi.node.restoring import take_keys


def prove_archive(
    archive: Path, keys: Path, *, say: Callable[[int, int, str], None] = lambda *_: None
) -> tuple[Manifest, list[str]]:
    """The manifest, and what is wrong with the chains: nothing, as a rule. ``keys`` as for ``restore_node``.

    Needs space for the database beside the archive. StoreError: no whole archive of the node with these keys.
    """
    folder = Path(tempfile.mkdtemp(prefix=".wanmi-verify-", dir=archive.absolute().parent))
    try:
        take_keys(keys, folder)
        public = NodeKeys.load(folder).sign_public
        manifest = check_archive(archive, public, lambda done, total: say(done, total, "bytes read"))
        if manifest.database == "postgresql":
            return manifest, []
        extract_archive(archive, public, folder, only="journal.db")
        say(0, 0, "walking the chains")
        return manifest, [*_integrity(folder / "journal.db"), *_chains(folder / "journal.db", manifest)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _integrity(database: Path) -> list[str]:
    from pysqlite3 import dbapi2

    with closing(dbapi2.connect(database)) as connection:
        said = [str(line) for (line,) in connection.execute("PRAGMA integrity_check(10)")]
    return [] if said == ["ok"] else [f"database: {line}" for line in said]


def _chains(database: Path, manifest: Manifest) -> list[str]:
    """What is wrong with the chains, by the keys that they name themselves: the node may have had others before."""
    source = database_source(manifest.node, f"sqlite:///{database}", manifest.node)
    report = verify_sources([source])
    found = [str(finding) for finding in report.findings]
    held = {chain.origin: (chain.head_seq, chain.head_hash) for chain in report.chains}
    found += [
        f"chain {origin}: the manifest says it ends at {seq}, the database does not"
        for origin, (seq, hash_) in manifest.chains.items()
        if held.get(origin) != (seq, hash_)
    ]
    return found
