"""Where notes are taken and read: an admin action, a command, a route."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
from fastapi import APIRouter
from sqlalchemy import select

from wanmi.models import table
from wanmi.registry import AdminResult, Draft, NodeContext, Progress
from wanmi_notes.journal import NoteRow, NoteTaken


def take_note(node: NodeContext, args: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    """The action: append, wait until it is durable, answer."""
    subject = f"note:{node.ids.token(8).hex()}"
    draft = Draft("note.taken", subject, NoteTaken(str(args["case"]), str(args["text"])), expect=0)
    (stored,) = node.journal.append(draft).result()
    yield {"subject": subject, "seq": stored.seq}


def commands() -> typer.Typer:
    """The group ``notes``, with ``take DIR CASE TEXT``: the node may be live or not."""
    app = typer.Typer()

    @app.command()
    def take(dir: Path, case: str, text: str) -> None:
        """Take a note on a case."""
        from wanmi.node import call_action

        print(call_action(dir, "notes.take", {"case": case, "text": text})["subject"])

    return app


def build_routes(node: NodeContext) -> APIRouter:
    """``GET /api/v1/notes``: a route is closed until it says which right it needs."""
    from wanmi.web import needs

    router = APIRouter()

    @router.get("")
    @needs("notes.read")
    def list_notes() -> list[dict[str, Any]]:
        with node.store.reader() as connection:
            rows = connection.execute(select(table(NoteRow)).order_by(table(NoteRow).c.subject))
            return [dict(row._mapping) for row in rows]

    return router
