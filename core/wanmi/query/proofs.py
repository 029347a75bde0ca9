"""Whether an entry is what its chain says it is, and who countersigned it: the mark beside it on a screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from wanmi.entries import Cosign, chain_hash, raw_digest
from wanmi.errors import BadInput
from wanmi.journal import Journal
from wanmi.registry import Stored
from wanmi.reports import Refused, Report
from wanmi.reports.envelope import decode_envelope, from_b64


@dataclass(frozen=True)
class Proof:
    """``sound``: bytes, digest and chain hash fit; ``redacted``: this node holds only the digest, and it fits;
    ``broken``: they do not fit. ``cosigned_by`` holds this entry too and said so at ``cosigned_at`` (µs UTC).
    """

    state: Literal["sound", "redacted", "broken"]
    cosigned_by: str | None = None
    cosigned_at: int | None = None


def proofs_of(journal: Journal, entries: Sequence[Stored]) -> list[Proof]:
    """The proof of each entry, recomputed from the stored bytes; countersignatures are verified."""
    cosigns = {origin: _good_cosign(journal, origin) for origin in {entry.origin for entry in entries}}
    before = journal.hashes_at([(entry.origin, entry.seq - 1) for entry in entries])
    return [_proof(before.get((entry.origin, entry.seq - 1)), entry, cosigns[entry.origin]) for entry in entries]


def report_in(stored: Stored) -> Report | None:
    """The terminal's signed report in a ``report.received`` or ``report.refused`` entry; None if there is none."""
    if stored.entry is None or stored.entry.kind not in ("report.received", "report.refused"):
        return None
    try:
        return decode_envelope(from_b64(str(stored.entry.body.get("envelope", ""))))
    except (Refused, BadInput):
        return None


def _proof(previous: bytes | None, stored: Stored, cosign: Cosign | None) -> Proof:
    digest_fits = stored.raw is None or raw_digest(stored.raw) == stored.digest
    fits = previous is not None and chain_hash(previous, stored.audience, stored.digest) == stored.hash
    if not (digest_fits and fits):
        return Proof("broken")
    covered = cosign is not None and cosign.seq >= stored.seq
    return Proof(
        "redacted" if stored.raw is None else "sound",
        cosign.by if cosign and covered else None,
        cosign.at if cosign and covered else None,
    )


def _good_cosign(journal: Journal, origin: str) -> Cosign | None:
    """The widest countersignature of a chain whose signature and hash are right."""
    cosign = journal.best_cosign(origin)
    if cosign is None or journal.hash_at(origin, cosign.seq) != cosign.hash:
        return None
    keys = journal.chain_keys(cosign.by)
    return cosign if keys is not None and keys.cosigned(cosign) else None
