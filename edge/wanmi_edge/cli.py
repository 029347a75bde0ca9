"""``wanmi spool …``: the ledger of an edge, what it did not take in, and a second look at it."""

from __future__ import annotations

from typing import Annotated

import typer

from wanmi.cli.shared import AsJson, Dir, call, print_json, print_rows
from wanmi.clock import iso

app = typer.Typer(help="What an edge took in and what not.", no_args_is_help=True)


@app.command()
def ledger(dir: Dir, as_json: AsJson = False) -> None:
    """Taken in = delivered + waiting + refused."""
    found = call(dir, "edge.ledger", {})
    if as_json:
        print_json(found)
        return
    names = ("taken", "delivered", "waiting", "refused", "missing")
    print_rows(("what", *names), [(one["what"], *(one[name] for name in names)) for one in found["kinds"]])
    typer.echo("it holds" if found["holds"] else "IT DOES NOT HOLD: something that was taken in is gone")


@app.command()
def refused(dir: Dir, as_json: AsJson = False) -> None:
    """What was not taken in, newest first: why, and what to do."""
    found = call(dir, "edge.refused", {})["refused"]
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["id"],
            iso(one["at"]),
            one["terminal"] or "",
            one["reason"],
            one["advice_en"],
            "yes" if one["retry"] else "",
        )
        for one in found
    ]
    print_rows(("id", "at", "terminal", "why", "what to do", "retry"), rows)


@app.command()
def retry(dir: Dir, item: Annotated[str, typer.Argument(help="Its id, as listed.")]) -> None:
    """Look again at something refused."""
    found = call(dir, "edge.retry", {"id": item})
    typer.echo(f"{found['id']}: {found['outcome']}")
