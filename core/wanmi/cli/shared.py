"""What the commands share: calling actions, printing, reading passwords."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wanmi.errors import BadInput

if TYPE_CHECKING:
    from wanmi.registry import Progress

Dir = Annotated[Path, typer.Argument(metavar="DIR", help="The node's directory.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def call(dir: Path, action: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """Call an action of the node, live or not, with its progress on standard error."""
    from wanmi.cli.logs import quiet_logging
    from wanmi.node import call_action

    quiet_logging()
    shown = sys.stderr.isatty()
    result = call_action(dir, action, args, show_progress if shown else lambda _: None)
    forget_progress(shown)
    return result


def print_json(value: object) -> None:
    """JSON on standard output, for programs."""
    print(json.dumps(value, ensure_ascii=False, indent=1))


def print_rows(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table, or a word that there is nothing."""
    if not rows:
        print("none")
        return
    from rich.cells import cell_len

    cells = [[str(cell) if cell is not None else "" for cell in row] for row in (head, *rows)]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        print("  ".join(padded).rstrip())


def read_password(login: str) -> str:
    """A new password: asked twice at a terminal, else the first line of standard input; never an argument."""
    if not sys.stdin.isatty():
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise BadInput(f"password of {login}: give it as a line on standard input")
        return password
    from getpass import getpass

    password = getpass(f"Password of {login}: ")
    if getpass("Again: ") != password:
        raise BadInput(f"password of {login}: the two differ; nothing was changed")
    return password


def show_progress(progress: Progress) -> None:
    """The line of progress on standard error, over the one before."""
    total = f"/{progress.total}" if progress.total else ""
    print(f"\r\x1b[K{progress.done}{total} {progress.message}", end="", file=sys.stderr, flush=True)


def forget_progress(shown: bool) -> None:
    """Empty the line of progress, if one was shown."""
    if shown:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
