"""``wanmi route …``: check and import routing data, and ask who would handle something and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wanmi.cli.shared import AsJson, Dir, call, print_json

if TYPE_CHECKING:
    from wanmi.registry import AdminResult

app = typer.Typer(help="Who handles what, where and when.", no_args_is_help=True)

SOME_REFUSED = 2
"""Exit code when rows were refused and the others taken."""
MOST_TOLD = 50
"""Refused rows that are shown; --json shows all."""

Files = Annotated[
    list[Path] | None,
    typer.Argument(help="CSV files of departments, responsibility grids, rules.", exists=True, dir_okay=False),
]
Shipped = Annotated[bool, typer.Option("--shipped", help="The schematic (示意) data shipped for this node.")]
Strict = Annotated[bool, typer.Option("--strict", help="Take nothing if one row is bad.")]


@app.command()
def check(dir: Dir, files: Files = None, shipped: Shipped = False, as_json: AsJson = False) -> None:
    """Read files as an import would, and say what it would do; nothing is journaled."""
    result = call(dir, "route.check", {"files": _paths(files), "shipped": shipped})
    _tell(result, as_json, f"{result['changed']} rows would be journaled")


@app.command(name="import")
def import_(
    dir: Dir, files: Files = None, shipped: Shipped = False, strict: Strict = False, as_json: AsJson = False
) -> None:
    """Import departments, responsibility grids and rules; rows that are here already make no entry."""
    result = call(dir, "route.import", {"files": _paths(files), "shipped": shipped, "strict": strict})
    _tell(result, as_json, f"{result['journaled']} rows journaled")


@app.command()
def explain(
    dir: Dir,
    category: Annotated[str, typer.Argument(help="event:0102 or component:0101")],
    grid: Annotated[str, typer.Argument(help="Unit grid (15 digits); or community, street, district.")],
    at: Annotated[str, typer.Option(help="2026-11-24T17:30, local; now when left out.")] = "",
    source: Annotated[str, typer.Option(help="Who told of it.")] = "collector",
    version: Annotated[str, typer.Option(help="Earlier data, as an answer named them.")] = "",
    as_json: AsJson = False,
) -> None:
    """Who would handle it, by which rule and why; which rules came near."""
    asked = {"category": category, "grid": grid, "at": at, "source": source, "version": version}
    found = call(dir, "route.explain", asked)
    if as_json:
        print_json(found)
        return
    for line in found["why"]:
        typer.echo(f"{line['zh']}  |  {line['en']}")
    for miss in found["rejected"]:
        typer.echo(f"  × {miss['zh']}  |  {miss['en']}")


def _paths(files: list[Path] | None) -> list[str]:
    return [str(file.absolute()) for file in files or []]


def _tell(result: AdminResult, as_json: bool, done: str) -> None:
    print_json(result) if as_json else typer.echo("\n".join(_lines(result, done)))
    if result["refused"]:
        raise typer.Exit(SOME_REFUSED if result["taken"] else 1)


def _lines(result: AdminResult, done: str) -> Iterator[str]:
    for bad in result["refused"][:MOST_TOLD]:
        yield f"{bad['file']}, row {bad['row']}: {bad['reason']}"
    if len(result["refused"]) > MOST_TOLD:
        yield f"… and {len(result['refused']) - MOST_TOLD} more refused rows (--json shows all)"
    for pair in result["contested"]:
        yield f"contested: rules {' and '.join(pair['rules'])} at {pair['where']} name different departments"
    yield f"{done}, {result['unchanged']} unchanged, {len(result['refused'])} refused"
    if not result["taken"]:
        yield "nothing was taken: --strict refuses files with a bad row; mend the rows above"
