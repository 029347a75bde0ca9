"""``wanmi node …``: enrolment of children and terminals, plugins that were turned off."""

from __future__ import annotations

from typing import Annotated

import typer

from wanmi.cli.shared import AsJson, Dir, call, print_json, print_rows
from wanmi.errors import NotFound

app = typer.Typer(help="Children of a node, terminals of a district, a node's own card.", no_args_is_help=True)

Reason = Annotated[str, typer.Option(help="Why; it is journaled.")]


@app.command()
def card(
    dir: Dir,
    host: Annotated[str, typer.Option(help="Name by which children reach it; default: where it listens.")] = "",
) -> None:
    """Print the URL with keys that a child's `wanmi init --parent` takes."""
    from wanmi.node import node_card

    url = node_card(dir, host)
    if not url:
        raise NotFound(f"{dir}: the node does not say where it listens; set link.listen to tcp://HOST:PORT, or run it")
    print(url)


@app.command()
def token(dir: Dir) -> None:
    """Print a new one-time token of this node for its parent."""
    print(call(dir, "node.token", {})["token"])


@app.command()
def rekey(dir: Dir) -> None:
    """Make new keys for a stopped node whose old ones are lost or known to others; then revoke and admit it again."""
    from wanmi.identity import fingerprint, z85_decode
    from wanmi.node import rekey_node

    keys = rekey_node(dir)
    print(f"signing key  {fingerprint(keys.sign_public)}")
    print(f"link key     {fingerprint(z85_decode(keys.curve_public))}")
    print("Its parent must revoke it and admit it again, by a new `wanmi node token`; its children, if any, need its")
    print("new card (`wanmi node card`) as their link.parent.")


@app.command()
def admit(dir: Dir, token: Annotated[str, typer.Argument(help="The child's token.")]) -> None:
    """Admit a child by its one-time token; compare the fingerprints with what its `wanmi init` printed."""
    admitted = call(dir, "node.admit", {"token": token})
    print(f"admitted {admitted['role']} {admitted['code']} ({admitted['name']})")
    print(f"signing key  {admitted['sign_fingerprint']}")
    print(f"link key     {admitted['curve_fingerprint']}")


@app.command()
def revoke(dir: Dir, code: Annotated[str, typer.Argument(help="The child's code.")], reason: Reason) -> None:
    """Speak no more with a child's keys."""
    call(dir, "node.revoke", {"code": code, "reason": reason})
    print(f"revoked {code}")


@app.command("list")
def list_(dir: Dir, as_json: AsJson = False) -> None:
    """The nodes that are known here."""
    nodes = call(dir, "node.list", {})["nodes"]
    if as_json:
        print_json(nodes)
        return
    columns = ("code", "role", "name", "parent", "state")
    print_rows(columns, [[node[column] for column in columns] for node in nodes])


@app.command("admit-terminal")
def admit_terminal(
    dir: Dir,
    card: Annotated[str, typer.Argument(help="The card that `wanmi terminal init` printed.")],
    holder: Annotated[str, typer.Option(help="Id of the person who carries it.")] = "",
) -> None:
    """Admit a terminal at its district."""
    admitted = call(dir, "terminal.admit", {"card": card, "holder": holder or None})
    print(f"admitted {admitted['terminal']}, signing key {admitted['sign_fingerprint']}")


@app.command("revoke-terminal")
def revoke_terminal(dir: Dir, terminal: Annotated[str, typer.Argument(help="T210102-0001")], reason: Reason) -> None:
    """Refuse a terminal's reports from now on."""
    call(dir, "terminal.revoke", {"terminal": terminal, "reason": reason})
    print(f"revoked {terminal}")


@app.command("rotate-terminal")
def rotate_terminal(dir: Dir, terminal: Annotated[str, typer.Argument(help="T210102-0001")], reason: Reason) -> None:
    """Have a terminal make a new key and broker password; it does so when it hears of it."""
    call(dir, "terminal.rotate", {"terminal": terminal, "reason": reason})
    print(f"ordered: {terminal} makes a new key when it hears of it")


@app.command("list-terminals")
def list_terminals(dir: Dir, as_json: AsJson = False) -> None:
    """The terminals that are admitted."""
    terminals = call(dir, "terminal.list", {})["terminals"]
    if as_json:
        print_json(terminals)
        return
    print_rows(("terminal", "holder", "key"), [(t["terminal"], t["holder"], t["sign_key"][:16]) for t in terminals])


@app.command("plugin-on")
def plugin_on(dir: Dir, plugin: Annotated[str, typer.Argument(help="The plugin's name.")]) -> None:
    """Let a plugin be loaded again that was found hanging; from the next start on."""
    call(dir, "node.plugin_on", {"plugin": plugin})
    print(f"plugin {plugin} is on again from the next start")
