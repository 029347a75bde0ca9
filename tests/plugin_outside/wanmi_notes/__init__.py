"""Notes on cases: the hooks, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wanmi.hookspecs import ReportFacts, hookimpl

if TYPE_CHECKING:
    from wanmi.registry import NodeContext, Registry


@hookimpl
def register(to: Registry) -> None:
    """What the plugin brings; imported here, so that an enabled plugin costs nothing before it is used."""
    from wanmi_notes import journal, pages
    from wanmi_notes.settings import NotesSettings

    to.section("notes", NotesSettings)
    to.entry_kind("note.taken", journal.NoteTaken, zh="便笺", en="Note taken")
    to.entry_kind("note.flagged", journal.NoteFlagged, zh="便笺加旗", en="Note flagged")
    to.projection("notes", kinds=("note.taken", "note.flagged"), rows=(journal.NoteRow,), apply=journal.project_notes)
    to.reactor("notes.flag", kinds=("note.taken",), decide=journal.flag_notes)
    to.action("notes.take", pages.take_note, help="take a note on a case")
    to.right("notes.read", zh="看便笺", en="Read notes", scope="notes:read", posts=("operator", "shift_leader"))
    to.router("/api/v1/notes", pages.build_routes)
    to.page("/api/v1/notes", zh="便笺", en="Notes")
    to.command("notes", pages.commands, help="Notes on cases.")


@hookimpl
def find_duplicates(node: NodeContext, facts: ReportFacts) -> list[str]:
    """Cases whose flagged notes name the report's category."""
    from wanmi_notes.journal import flagged_cases

    return flagged_cases(node, facts.category)
