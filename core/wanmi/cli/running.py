"""``wanmi init``, ``run``, ``status``."""

from __future__ import annotations

import gc
import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from wanmi.cli.shared import AsJson, Dir, call, print_json, print_rows

if TYPE_CHECKING:
    from pathlib import Path

    from wanmi.node import Created, Node


SETTLED = 3.0
"""Seconds after the start when all that a node is made of stands."""
YOUNG = 20_000
"""New objects after which the collector looks through the young ones (Python's own 700 is for small programs)."""


class RoleName(StrEnum):
    """A node's role, as the command line takes it."""

    city = "city"
    district = "district"
    edge = "edge"


def add_to(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command()(init)
    app.command()(run)
    app.command()(status)


def init(  # noqa: PLR0913, PLR0917 - a command's options
    dir: Dir,
    role: Annotated[RoleName, typer.Option(help="What the node is in the city.")],
    code: Annotated[str, typer.Option(help="210100 a city, 210102 a district, 21010201 an edge.")],
    parent: Annotated[
        str, typer.Option(help="The parent's URL with its keys, as its `wanmi node card` prints it.")
    ] = "",
    name: Annotated[str, typer.Option(help="Name on screens.")] = "",
    web: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where pages and API are served.")] = "",
    listen: Annotated[str, typer.Option(metavar="tcp://HOST:PORT", help="Where children dial in.")] = "",
    database: Annotated[str, typer.Option(metavar="URL", help="postgresql+psycopg://…; default SQLite in DIR.")] = "",
    plugins: Annotated[str, typer.Option(help="Plugins by name, comma between; default: the role's.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a node: keys, settings, CA and founding entry; prints its token (for the parent) and its card."""
    from wanmi.cli.logs import quiet_logging
    from wanmi.node import NewNode, create_node

    quiet_logging()
    chosen = tuple(part.strip() for part in plugins.split(",") if part.strip()) if plugins else None
    new = NewNode(role.value, code, name, parent, web, listen, database, chosen)
    created = create_node(dir, new)
    if as_json:
        print_json(_facts(created))
    else:
        _tell(created)


def run(dir: Dir) -> None:
    """Run a node until SIGTERM or Ctrl-C; a plugin that hangs is turned off and the node restarts without it."""
    import asyncio
    import logging

    from wanmi.cli.lean import import_structlog

    import_structlog()
    from wanmi.errors import WanmiError
    from wanmi.node import give_up, restart_in_place, restart_process

    node = _open(dir)
    loop = asyncio.new_event_loop()
    loop.call_later(SETTLED, _settle)
    try:
        loop.run_until_complete(node.run(on_hang=restart_process))
    except WanmiError as error:
        if not give_up(dir, str(error)):
            raise
        node.restarting = str(error)
    finally:
        node.close()
    if node.restarting:
        restart_in_place(node.restarting)
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)  # a task or thread that does not end would be waited for; everything durable is closed


def _open(dir: Path) -> Node:
    """The node with the settings of its file; where those are on trial and no node opens with them, with the old ones."""
    from wanmi.errors import WanmiError
    from wanmi.node import await_commands, begin_start, give_up

    await_commands(dir)
    begin_start(dir)
    try:
        return _open_as_it_stands(dir)
    except WanmiError as error:
        if not give_up(dir, str(error)):
            raise
    begin_start(dir)
    return _open_as_it_stands(dir)


def _open_as_it_stands(dir: Path) -> Node:
    from wanmi.cli.logs import configure_logging
    from wanmi.node import Node
    from wanmi.settings import read_settings

    configure_logging(read_settings(dir).log, dir)
    return Node.open(dir)


def _settle() -> None:
    """Take what the node is made of (some 200,000 objects) out of the collector's sight: it stays until the end, and
    looking through it again and again stood everything still for 100 ms a second under load.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 20)


def status(dir: Dir, as_json: AsJson = False) -> None:
    """Health lines and chains of a node, live or not."""
    facts = call(dir, "status", {})
    if as_json:
        print_json(facts)
        return
    print(f"{facts['code']} {facts['role']}, parent {facts['parent'] or 'none'}")
    lines = [
        (line["state"], line["name"], line["reason"] or ", ".join(f"{k} {v}" for k, v in line["facts"].items()))
        for line in facts["health"]
    ]
    print_rows(("state", "what", "why"), lines)
    print_rows(("chain", "entries"), list(facts["cursors"].items()))


def _facts(created: Created) -> dict[str, str]:
    from wanmi.identity import fingerprint, z85_decode

    keys = created.keys
    return {
        "dir": str(created.dir),
        "code": created.who.code,
        "role": created.who.role,
        "name": created.who.name,
        "card": created.card,
        "token": created.token,
        "sign_key": keys.sign_public.hex(),
        "sign_fingerprint": fingerprint(keys.sign_public),
        "curve_fingerprint": fingerprint(z85_decode(keys.curve_public)),
    }


def _tell(created: Created) -> None:
    facts = _facts(created)
    print(f"node {facts['code']} ({facts['name']}) is made in {facts['dir']}")
    print(f"signing key  {facts['sign_fingerprint']}")
    print(f"link key     {facts['curve_fingerprint']}")
    if created.card:
        print(f"for its children (--parent): {created.card}")
    if created.token:
        print("for its parent (wanmi node admit DIR TOKEN), once, within a week:")
        print(created.token)
    print(f"next: wanmi run {created.dir}")
