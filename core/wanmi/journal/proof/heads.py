"""Signed heads and countersignatures against a chain that was walked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wanmi.entries import Cosign, Head
from wanmi.journal.keys import KeyHistory
from wanmi.journal.proof.chain import Finding


def check_heads(
    origin: str,
    heads: Sequence[Head],
    cosigns: Sequence[Cosign],
    hashes: Mapping[int, bytes],
    end: int,
    keys: Mapping[str, KeyHistory],
) -> tuple[int, list[Finding]]:
    """The newest seq that the origin's signature covers, and what is wrong.

    ``hashes`` are the chain's by seq, ``end`` its last seq, ``keys`` each node's signing keys by its code.
    """
    findings: list[Finding] = []
    signed = 0
    for head in sorted(heads, key=lambda h: h.seq):
        if origin in keys and not keys[origin].signed(head):
            findings.append(_finding(origin, head.seq, "forged-head", "the head's signature does not verify"))
            continue
        findings.extend(_against(origin, head.seq, head.hash, hashes, end, "the head that its node signed"))
        signed = max(signed, head.seq)
    if heads and end > signed:
        findings.append(
            _finding(origin, signed + 1, "inserted", f"it stands behind the signed head {signed}: nobody signed it")
        )
    if not heads and end:
        findings.append(_finding(origin, end, "forged-head", "there is no signed head at all"))
    for cosign in cosigns:
        findings.extend(_check_cosign(origin, cosign, hashes, end, keys))
    return signed, _first_of_each(findings)


def _check_cosign(
    origin: str, cosign: Cosign, hashes: Mapping[int, bytes], end: int, keys: Mapping[str, KeyHistory]
) -> list[Finding]:
    if cosign.by in keys and not keys[cosign.by].cosigned(cosign):
        detail = f"a countersignature of {cosign.by} does not verify"
        return [_finding(origin, cosign.seq, "forged-head", detail)]
    return _against(origin, cosign.seq, cosign.hash, hashes, end, f"the head that {cosign.by} countersigned")


def _against(origin: str, seq: int, hash_: bytes, hashes: Mapping[int, bytes], end: int, what: str) -> list[Finding]:
    if seq > end:
        return [_finding(origin, end + 1, "truncated", f"the chain ends at {end}, but {what} is at {seq}")]
    if seq in hashes and hashes[seq] != hash_:
        return [_finding(origin, seq, "rewritten", f"the chain does not lead to {what}")]
    return []


def _first_of_each(findings: Sequence[Finding]) -> list[Finding]:
    """One finding a kind: the first one names the place, the others follow from it."""
    first: dict[tuple[str, str], Finding] = {}
    for finding in sorted(findings, key=lambda f: f.seq):
        first.setdefault((finding.damage, finding.detail if finding.damage == "forged-head" else ""), finding)
    return list(first.values())


def _finding(origin: str, seq: int, damage: str, detail: str) -> Finding:
    return Finding("heads", origin, seq, damage, detail)
