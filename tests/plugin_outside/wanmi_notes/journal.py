"""Notes in the journal: two kinds, the rows they add up to, and a reactor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Connection, Integer, String, Text, select, update
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.entries import Entry
from wanmi.journal import body_of
from wanmi.models import Row, mark, table
from wanmi.registry import Draft, NodeContext, Stored
from wanmi.store import upsert_rows
from wanmi_notes.settings import NotesSettings


class NoteTaken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``note.taken``, subject ``note:<id>``: somebody wrote something on a case."""

    case: str
    text: str


class NoteFlagged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``note.flagged``, subject ``note:<id>``: the note is one to look at."""

    reason: str


class NoteRow(Row):
    """A note as its entries add up to it."""

    __tablename__ = "note"
    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    case: Mapped[str] = mapped_column(String(60))
    text: Mapped[str] = mapped_column(Text)
    flagged: Mapped[int] = mapped_column(Integer)
    __table_args__ = mark("projection")


def project_notes(tx: Connection, entries: Sequence[Entry]) -> None:
    """The projection: it reads its entries and its own rows, nothing else, so that replay comes out the same."""
    notes = table(NoteRow)
    for entry in entries:
        if entry.kind == "note.taken":
            body = body_of(entry, NoteTaken)
            upsert_rows(tx, NoteRow, [(entry.subject, body.case, body.text, 0)])
        else:
            tx.execute(update(notes).where(notes.c.subject == entry.subject).values(flagged=1))


def flag_notes(node: NodeContext, batch: Sequence[Stored]) -> Iterator[tuple[Stored, Draft]]:
    """The reactor: flags what begins with the flag, exactly once a note, and only notes of this very node."""
    flag = node.settings.section("notes", NotesSettings).flag
    for stored in batch:
        entry = stored.entry
        if entry is not None and entry.origin == node.code and entry.body["text"].startswith(flag):
            yield stored, Draft("note.flagged", entry.subject, NoteFlagged(f"begins with {flag}"))


def flagged_cases(node: NodeContext, word: str) -> list[str]:
    """Cases whose flagged notes hold the word, by their numbers."""
    notes = table(NoteRow)
    query = select(notes.c.case).distinct().where(notes.c.flagged == 1, notes.c.text.contains(word, autoescape=True))
    with node.store.reader() as connection:
        return sorted(connection.execute(query).scalars())
