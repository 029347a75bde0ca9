"""``wanmi link …``: look at links, cut one, let it work again."""

from __future__ import annotations

from typing import Annotated

import typer

from wanmi.cli.shared import AsJson, Dir, call, print_json, print_rows

app = typer.Typer(help="Links to the parent and the children.", no_args_is_help=True)

PeerCode = Annotated[str, typer.Option("--peer", help="Code of the peer; default: the parent.")]


@app.command()
def status(dir: Dir, as_json: AsJson = False) -> None:
    """Every link: state, what waits, why."""
    links = call(dir, "link.status", {})["links"]
    if as_json:
        print_json(links)
        return
    rows = [(k["name"], k["state"], k.get("waiting_entries", ""), k.get("oldest_s", ""), k["reason"]) for k in links]
    print_rows(("link", "state", "waiting", "oldest s", "reason"), rows)


@app.command()
def pause(dir: Dir, peer: PeerCode = "") -> None:
    """Cut a link, as if its cable were pulled, until it is resumed or the node restarts."""
    typer.echo(f"paused {call(dir, 'link.pause', {'peer': peer})['peer']}")


@app.command()
def resume(dir: Dir, peer: PeerCode = "") -> None:
    """Let a paused link work again."""
    typer.echo(f"resumed {call(dir, 'link.resume', {'peer': peer})['peer']}")


@app.command()
def recover(
    dir: Dir,
    accept_loss: Annotated[bool, typer.Option("--accept-loss", help="End the wait: what is lacking is lost.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is journaled.")] = "",
) -> None:
    """What a restored node waits for before it writes; with --accept-loss and --reason, wait no longer."""
    answer = call(dir, "link.recover", {"accept_loss": accept_loss, "reason": reason})
    if "given_up" in answer:
        typer.echo(f"given up and journaled: {answer['given_up']}")
    elif not answer["waits_for"]:
        typer.echo("this node waits for nothing; it writes")
    else:
        print_rows(("waits for", "why"), list(answer["waits_for"].items()))
        if answer["lacking"]:
            typer.echo("own entries whose bytes nobody has given back: " + ", ".join(map(str, answer["lacking"])))
