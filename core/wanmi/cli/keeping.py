"""``wanmi migrate``: what keeps a node's data whole over updates and losses."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from wanmi.cli.shared import AsJson, Dir, forget_progress, print_json, show_progress

if TYPE_CHECKING:
    from wanmi.store import Migrated


def add_to(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command()(migrate)


def migrate(dir: Dir, as_json: AsJson = False) -> None:
    """Bring the database of an older release to this program's, while the node is stopped; all of it or nothing.

    Journal and local tables are changed step by step; what entries add up to is made anew from them.
    """
    from dataclasses import asdict

    from wanmi.cli.logs import quiet_logging
    from wanmi.node import migrate_node
    from wanmi.registry import Progress

    quiet_logging()
    shown = sys.stderr.isatty()
    told = (lambda done, total: show_progress(Progress(done, total, "entries"))) if shown else (lambda *_: None)
    migrated = migrate_node(dir, told=told)
    forget_progress(shown)
    if as_json:
        print_json(asdict(migrated))
    else:
        print(_told(migrated))


def _told(migrated: Migrated) -> str:
    stands = f"schema {migrated.after}"
    if migrated.before != migrated.after:
        stands = f"schema {migrated.before} is now {migrated.after}"
    return f"{stands}; {migrated.projections} tables made anew from the entries"
