"""The tail of each node's own chain, the newest first."""

from __future__ import annotations

from collections.abc import Sequence

from wanmi_tui.cells import clock
from wanmi_tui.pages import Column, Line, Look, Page, dim, joined, page_of, plain
from wanmi_tui.state import NodeState, TailLine
from wanmi_tui.topics import HEADS
from wanmi_tui.words import T

COLUMNS = (
    Column(T.seq, 7, right=True),
    Column(T.time, 14),
    Column(T.entry, 20, 1),
    Column(T.subject, 18, 2),
    Column(T.actor, 12, 1),
)


def journal_page(look: Look, states: Sequence[NodeState]) -> Page:
    """A line for each entry that is kept of the tails."""
    pairs = [(one, state) for state in states for one in state.tail]
    pairs.sort(key=lambda pair: (pair[0].at, pair[0].seq), reverse=True)
    return page_of(look, states, HEADS, T.what_entries, COLUMNS, (_line(look, *pair) for pair in pairs))


def _line(look: Look, entry: TailLine, state: NodeState) -> Line:
    hidden = not entry.kind
    cells = (
        plain(str(entry.seq)), dim(clock(entry.at, date=True)),
        dim(T.redacted.to(look.lang)) if hidden else plain(entry.kind), plain(entry.subject), dim(entry.actor),
    )  # fmt: skip
    notes = (entry.text, joined(f"{state.code}:{entry.seq}", entry.hash))
    return Line(f"{state.code}|{entry.seq}", state, cells, entry, notes)
