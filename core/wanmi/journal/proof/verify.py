"""Verify: walk every chain and name origin, seq and kind of each damage.

Kinds: ``flipped`` (bytes are not the ones that were hashed), ``dropped``, ``inserted``, ``reordered``,
``back-dated``, ``truncated`` (behind a signed head or countersignature), ``rewritten`` (a consistent chain
that a signed head or countersignature contradicts), ``column`` (a column disagrees with ``raw``), ``link``
(a stored hash does not follow), ``erased`` (bytes that this node should hold are gone), ``forged-head``, ``fork``, ``foreign`` (bytes of another chain).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wanmi.entries import Entry
from wanmi.errors import StoreError
from wanmi.journal.keys import KEY_KINDS, KeyHistory, key_history
from wanmi.journal.proof.bundle import read_bundle
from wanmi.journal.proof.chain import ChainWalk, Finding
from wanmi.journal.proof.heads import check_heads
from wanmi.journal.proof.sources import Source, database_source


@dataclass
class ChainReport:
    """What verify found of one chain in one source."""

    source: str
    origin: str
    entries: int = 0
    redacted: int = 0
    head_seq: int = 0
    head_hash: str = ""
    signed_seq: int = 0
    findings: list[Finding] = field(default_factory=list)
    marks: dict[int, bytes] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with the chain."""
        return not self.findings


@dataclass
class VerifyReport:
    """What verify found of all chains, and the signing keys that it went by."""

    chains: list[ChainReport] = field(default_factory=list)
    keys: dict[str, KeyHistory] = field(default_factory=dict)
    forks: list[Finding] = field(default_factory=list)

    @property
    def findings(self) -> list[Finding]:
        """Everything that is wrong."""
        return [finding for chain in self.chains for finding in chain.findings] + self.forks

    @property
    def ok(self) -> bool:
        """Whether every chain verifies."""
        return not self.findings


def verify_paths(paths: Sequence[Path], *, keys: Mapping[str, str] | None = None) -> VerifyReport:
    """Verify node directories, SQLite files and bundles, each in itself and against one another.

    ``keys`` (node code to hex public key) are trusted from outside; others come from the chains' own
    ``node.admitted`` and ``key.replaced`` entries. StoreError when a path cannot be read.
    """
    return verify_sources([open_source(path) for path in paths], keys=keys)


def open_source(path: Path) -> Source:
    """A node's directory, its SQLite file, or a bundle."""
    if path.is_dir():
        settings = _node_toml(path)
        database = path / "journal.db"
        url = settings.get("database", {}).get("url") or f"sqlite:///{database.resolve()}"
        if url.startswith("sqlite") and not database.exists():
            raise StoreError(f"{path}: there is no journal.db in it; give a node's directory or a bundle")
        return database_source(path.name, url, settings.get("node", {}).get("code"))
    if not path.exists():
        raise StoreError(f"{path}: there is no such file or directory")
    with path.open("rb") as file:
        if file.read(16) == b"SQLite format 3\x00":
            return database_source(path.name, f"sqlite:///{path.resolve()}")
    return read_bundle(path)


def _node_toml(directory: Path) -> dict[str, Any]:
    """What node.toml says, if it can be read: a damaged one does not stop a verification."""
    import tomllib

    try:
        return tomllib.loads((directory / "node.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def verify_sources(sources: Sequence[Source], *, keys: Mapping[str, str] | None = None) -> VerifyReport:
    """As ``verify_paths`` for sources that are open."""
    report = VerifyReport()
    given = dict(keys or {})
    for source in sources:
        _verify_source(source, given, report)
    report.forks = _forks_between(report.chains)
    return report


def _verify_source(source: Source, given: Mapping[str, str], report: VerifyReport) -> None:
    chains: list[ChainReport] = []
    about: list[Entry] = []
    for origin in source.origins():
        chain, giving = _walk(source, origin)
        about += giving
        chains.append(chain)
    report.keys.update(_histories(about, given))
    for chain in chains:
        heads = [head for head in source.heads if head.origin == chain.origin]
        cosigns = [cosign for cosign in source.cosigns if cosign.origin == chain.origin]
        signed, findings = check_heads(chain.origin, heads, cosigns, chain.marks, chain.head_seq, report.keys)
        chain.signed_seq = signed
        chain.findings.extend(findings)
        chain.findings.extend(
            Finding(source.name, f.origin, f.seq, "fork", f"evidence was kept: {f.peer} sent another entry")
            for f in source.forks
            if f.origin == chain.origin
        )
    report.chains.extend(chains)


def _walk(source: Source, origin: str) -> tuple[ChainReport, list[Entry]]:
    """The chain, and its entries that give nodes their keys."""
    walk = ChainWalk(source.name, origin, source.node)
    giving: list[Entry] = []
    for line in source.lines(origin):
        entry = walk.line(line)
        if entry is not None and entry.kind in KEY_KINDS:
            giving.append(entry)
    walk.finish()
    chain = ChainReport(source.name, origin, walk.count, walk.redacted, walk.seq, walk.hash.hex(), 0)
    chain.findings = walk.findings
    chain.marks = walk.hashes
    return chain, giving


def _histories(about: Sequence[Entry], given: Mapping[str, str]) -> dict[str, KeyHistory]:
    """Every node's keys by what the chains say; one that is given from outside must be among them, or stands alone."""
    by_node: dict[str, list[Entry]] = {}
    for entry in about:
        by_node.setdefault(entry.subject.removeprefix("node:"), []).append(entry)
    said = {code: keys for code, entries in by_node.items() if (keys := key_history(code, entries)) is not None}
    trusted = {code: bytes.fromhex(key) for code, key in given.items()}
    alone = {code: KeyHistory.single(key) for code, key in trusted.items()}
    return {**alone, **{code: keys.trusting(trusted.get(code, keys.present)) for code, keys in said.items()}}


def _forks_between(chains: Sequence[ChainReport]) -> list[Finding]:
    """The same chain in several sources: the first seq at which they differ is a fork."""
    first: dict[str, ChainReport] = {}
    findings = []
    for chain in chains:
        other = first.setdefault(chain.origin, chain)
        if other is chain:
            continue
        for seq in sorted(other.marks.keys() & chain.marks.keys()):
            if other.marks[seq] != chain.marks[seq]:
                detail = f"{other.source} and {chain.source} hold different entries"
                findings.append(Finding(chain.source, chain.origin, seq, "fork", detail))
                break
    return findings
