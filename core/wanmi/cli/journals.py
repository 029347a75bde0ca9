"""``wanmi journal verify|show|export`` and ``wanmi replay``: the proof tools."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wanmi.cli.shared import AsJson, Dir, call, print_json
from wanmi.errors import BadInput

if TYPE_CHECKING:
    from wanmi.entries import Entry
    from wanmi.journal.proof import VerifyReport
    from wanmi.store import Store

app = typer.Typer(help="Look at journals and prove them.", no_args_is_help=True)


def add_to(root: typer.Typer) -> None:
    """Add ``wanmi replay`` to the root."""
    root.command()(replay)


@app.command()
def verify(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Node directories, SQLite files, bundles.")],
    key: Annotated[list[str] | None, typer.Option(help="CODE=64 hex digits: a signing key known from outside.")] = None,
    as_json: AsJson = False,
) -> None:
    """Verify chains, heads and countersignatures, also against one another; exit code 1 with what is wrong."""
    from wanmi.journal.proof import verify_paths

    report = verify_paths(paths, keys=dict(_key(text) for text in key or []))
    if as_json:
        print_json(_report(report))
    else:
        _tell(report)
    if not report.ok:
        sys.exit(1)


@app.command()
def show(
    dir: Dir,
    origin: Annotated[str | None, typer.Option(help="Only this node's chain.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only this subject.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind.")] = None,
    after: Annotated[int, typer.Option(help="Only beyond this seq.")] = 0,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 50,
) -> None:
    """Print entries, one JSON object a line, in order of application."""
    import json

    from wanmi.journal.proof import shown

    store = _open_to_read(dir)
    try:
        for line in shown(store, origin=origin, subject=subject, kind=kind, after=after, limit=limit):
            print(json.dumps(line, ensure_ascii=False))
    finally:
        store.close()


@app.command()
def export(
    dir: Dir,
    out: Annotated[Path | None, typer.Argument(help="File to write; default: standard output.")] = None,
    origin: Annotated[list[str] | None, typer.Option(help="Only these nodes' chains.")] = None,
    redact: Annotated[list[str] | None, typer.Option(help="Kinds (or `case.*`) that go as digests only.")] = None,
) -> None:
    """Write chains as a bundle that anybody can verify without the database."""
    from wanmi.journal.proof import database_source, export_bundle
    from wanmi.settings import read_settings

    source = database_source(dir.name, read_settings(dir).database_url)
    patterns = redact or []

    def hidden(entry: Entry) -> bool:
        return any(_matches(entry.kind, pattern) for pattern in patterns)

    if out is None:
        export_bundle(source, sys.stdout, origins=origin, redact=hidden if patterns else None)
        return
    with out.open("w", encoding="utf-8") as file:
        count = export_bundle(source, file, origins=origin, redact=hidden if patterns else None)
    print(f"{count} entries in {out}")


def replay(
    dir: Dir,
    check: Annotated[
        bool, typer.Option("--check", help="Rebuild the projections and compare, change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Rebuild every projection from the chains; with --check compare row by row, exit code 1 with what differs."""
    if not check:
        raise BadInput("wanmi replay: say --check; projections are compared, nothing is changed")
    result = call(dir, "replay.check", {})
    if as_json:
        print_json(result)
    else:
        for difference in result["differences"]:
            print(difference)
        print(f"{result['entries']} entries replayed, {len(result['differences'])} rows differ")
    if result["differences"]:
        sys.exit(1)


def _open_to_read(dir: Path) -> Store:
    from wanmi.settings import read_settings
    from wanmi.store import Store

    return Store.open_to_read(read_settings(dir).database_url)


def _key(text: str) -> tuple[str, str]:
    code, _, key = text.partition("=")
    if not code or len(key) != 64:
        raise BadInput(f"--key {text!r} is not CODE=64 hex digits")
    return code, key


def _matches(kind: str, pattern: str) -> bool:
    return kind == pattern or (pattern.endswith(".*") and kind.startswith(pattern[:-1]))


def _report(report: VerifyReport) -> dict[str, object]:
    chains = [
        {
            "source": chain.source,
            "origin": chain.origin,
            "entries": chain.entries,
            "redacted": chain.redacted,
            "head": chain.head_hash,
            "signed": chain.signed_seq,
            "ok": chain.ok,
        }
        for chain in report.chains
    ]
    return {"ok": report.ok, "chains": chains, "findings": [str(finding) for finding in report.findings]}


def _tell(report: VerifyReport) -> None:
    for chain in report.chains:
        word = "verifies" if chain.ok else "DOES NOT VERIFY"
        print(
            f"{chain.source}: chain {chain.origin}: {chain.entries} entries ({chain.redacted} redacted), "
            f"signed up to {chain.signed_seq}: {word}"
        )
    for finding in report.findings:
        print(finding)
    if not report.chains:
        print("no chains")
