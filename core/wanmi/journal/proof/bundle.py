"""Bundles: chains in a file that anybody can verify without the database, redacted on request.

Text, one JSON object a line (``wanmi-bundle/1``): a header; then for each chain its entries
``{"o": origin, "s": seq, "a": audience, "d": digest, "h": chain hash, "raw": text}``, redacted ones without
``raw``; then ``{"head": …}`` and ``{"cosign": …}``. ``raw`` is the entry's canonical JSON as a string: its UTF-8
bytes are what was hashed. Who verifies computes digests and hashes anew and compares with the signed heads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import orjson

from wanmi.entries import Audience, Cosign, Entry, Head, decode_trusted
from wanmi.errors import BadEntry, StoreError
from wanmi.journal.proof.sources import Fork, Line, MemorySource, Source

FORMAT = "wanmi-bundle/1"
Redact = Callable[[Entry], bool]


def export_bundle(
    source: Source, out: TextIO, *, origins: list[str] | None = None, redact: Redact | None = None
) -> int:
    """Write a source's chains as a bundle; entries for which ``redact`` is true go as digests only.

    Returns the number of entries written.
    """
    _write(out, {"format": FORMAT, "source": source.name})
    count = 0
    chosen = [origin for origin in source.origins() if origins is None or origin in origins]
    for origin in chosen:
        for line in source.lines(origin):
            _write(out, _line_out(line, redact))
            count += 1
    for head in source.heads:
        if head.origin in chosen:
            _write(out, {"head": _head_out(head)})
    for cosign in source.cosigns:
        if cosign.origin in chosen:
            _write(out, {"cosign": {**_head_out(cosign), "by": cosign.by}})
    for fork in source.forks:
        if fork.origin in chosen:
            _write(out, {"fork": {"origin": fork.origin, "seq": fork.seq, "peer": fork.peer}})
    return count


def read_bundle(path: Path) -> MemorySource:
    """Read a bundle; StoreError names the line that cannot be read."""
    source = MemorySource(path.name)
    for number, record in _records(path):
        try:
            _take(source, record)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise StoreError(f"{path}: line {number} cannot be read as part of a bundle: {error!r}") from error
    return source


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            try:
                record = orjson.loads(text)
            except orjson.JSONDecodeError as error:
                raise StoreError(f"{path}: line {number} is not JSON: {error}") from error
            if number == 1:
                if not isinstance(record, dict) or record.get("format") != FORMAT:
                    raise StoreError(f"{path}: not a {FORMAT} file, a node's directory or a SQLite file")
                continue
            yield number, record


def _take(source: MemorySource, record: dict[str, Any]) -> None:
    if "head" in record:
        source.heads.append(Head(**_signed(record["head"])))
    elif "cosign" in record:
        source.cosigns.append(Cosign(**_signed(record["cosign"])))
    elif "fork" in record:
        source.forks.append(Fork(**record["fork"]))
    else:
        line = _line_in(record)
        source.chains.setdefault(line.origin, []).append(line)


def _line_in(record: dict[str, Any]) -> Line:
    audience: Audience = record["a"] if isinstance(record["a"], str) else tuple(record["a"])
    raw = record["raw"].encode() if "raw" in record else None
    return Line(record["o"], int(record["s"]), audience, raw, bytes.fromhex(record["d"]), bytes.fromhex(record["h"]))


def _line_out(line: Line, redact: Redact | None) -> dict[str, Any]:
    audience = line.audience if isinstance(line.audience, str) else list(line.audience)
    record: dict[str, Any] = {"o": line.origin, "s": line.seq, "a": audience, "d": line.digest.hex()}
    record["h"] = (line.hash or b"").hex()
    if line.raw is None or (redact is not None and _hidden(line.raw, redact)):
        return record
    return {**record, "raw": line.raw.decode("utf-8", "backslashreplace")}


def _hidden(raw: bytes, redact: Redact) -> bool:
    try:
        return redact(decode_trusted(raw))
    except BadEntry:
        return False


def _signed(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "hash": bytes.fromhex(record["hash"]), "sig": bytes.fromhex(record["sig"])}


def _head_out(head: Head | Cosign) -> dict[str, Any]:
    return {"origin": head.origin, "seq": head.seq, "hash": head.hash.hex(), "at": head.at, "sig": head.sig.hex()}


def _write(out: TextIO, record: dict[str, Any]) -> None:
    out.write(orjson.dumps(record).decode() + "\n")
