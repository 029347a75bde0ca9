"""``wanmi token …``: tokens for machines."""

from __future__ import annotations

from typing import Annotated

import typer

from wanmi.cli.shared import AsJson, Dir, call, print_json, print_rows

app = typer.Typer(help="Tokens with which machines use the API.", no_args_is_help=True)


@app.command()
def add(
    dir: Dir,
    name: Annotated[str, typer.Argument(help="Which machine holds it.")],
    scope: Annotated[
        list[str],
        typer.Option(
            "--scope",
            help="What it may do, given once for each: cases:read, hotline:events, … or the wide read, write, admin.",
        ),
    ],
    days: Annotated[int, typer.Option(help="Days that it is good for; 0: until it is revoked.", min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """Make a token; its secret is shown this once."""
    lifetime = days * 24 * 3600 if days else None
    made = call(dir, "token.add", {"name": name, "scopes": scope, "lifetime": lifetime})
    print_json(made) if as_json else print(made["secret"])


@app.command("list")
def list_(dir: Dir, as_json: AsJson = False) -> None:
    """Every token, without its secret."""
    tokens = call(dir, "token.list", {})["tokens"]
    if as_json:
        print_json(tokens)
        return
    rows = [
        (t["id"], t["name"], ", ".join(t["scopes"]), _ends(t["expires_at"]), _ends(t["revoked_at"])) for t in tokens
    ]
    print_rows(("id", "name", "scopes", "expires", "revoked"), rows)


@app.command()
def revoke(dir: Dir, id: Annotated[str, typer.Argument(help="The token's id, from the list.")]) -> None:
    """The token is worthless from now on."""
    call(dir, "token.revoke", {"id": id})
    print(f"revoked {id}")


def _ends(at: int | None) -> str:
    from wanmi.clock import iso

    return iso(at) if at is not None else ""
