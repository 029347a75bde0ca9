"""Proof tools: verify chains of a node's directory or a bundle, show and export them, replay projections.

They trust nothing that the journal's own signatures do not cover, and they answer findings, not tracebacks.
"""

from wanmi.journal.proof.bundle import export_bundle, read_bundle
from wanmi.journal.proof.chain import Finding
from wanmi.journal.proof.replay import Difference, compare, rebuild, replay_check, replaying, state_hash
from wanmi.journal.proof.show import shown
from wanmi.journal.proof.sources import Source, database_source
from wanmi.journal.proof.verify import ChainReport, VerifyReport, verify_paths, verify_sources

__all__ = [
    "ChainReport",
    "Difference",
    "Finding",
    "Source",
    "VerifyReport",
    "compare",
    "database_source",
    "export_bundle",
    "read_bundle",
    "rebuild",
    "replay_check",
    "replaying",
    "shown",
    "state_hash",
    "verify_paths",
    "verify_sources",
]
