"""``wanmi walls …``: which walls may stand at an edge's broker."""

from __future__ import annotations

from typing import Annotated

import typer

from wanmi.cli.shared import AsJson, Dir, call, print_json, print_rows

app = typer.Typer(help="Walls of an edge: admit, list, revoke.", no_args_is_help=True)
Wall = Annotated[str, typer.Argument(help="Its name: wall- and small letters, digits, hyphens.")]


@app.command()
def admit(dir: Dir, wall: Wall, as_json: AsJson = False) -> None:
    """Admit a wall, or give it a new password; the password is shown this once."""
    given = call(dir, "wall.admit", {"wall": wall})
    if as_json:
        print_json(given)
        return
    typer.echo(
        f"wall      {given['wall']}\npassword  {given['password']}\nbroker    {given['broker'] or '(not running)'}"
    )
    if given["ca"]:
        typer.echo(f"authority {given['ca']} (copy it to the wall's PC)")
    typer.echo(
        f"on its PC: wanmi wall init wall.toml --wall {given['wall']} --broker {given['broker']} --allow https://…"
    )


@app.command("list")
def list_(dir: Dir, as_json: AsJson = False) -> None:
    """The walls, and what they show now."""
    found = call(dir, "wall.list", {})["walls"]
    if as_json:
        print_json(found)
        return
    print_rows(("wall", "state", "now", "page"), [(w["wall"], w["state"], w["now"], w["page"]) for w in found])


@app.command()
def revoke(dir: Dir, wall: Wall, reason: Annotated[str, typer.Option(help="Why.")] = "") -> None:
    """End a wall's password: the broker lets it in no more."""
    typer.echo(f"revoked {call(dir, 'wall.revoke', {'wall': wall, 'reason': reason})['wall']}")
