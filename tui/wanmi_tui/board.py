"""The main screen: a line of state, the sections, a table, what is known of the chosen line, the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import DataTable, Input

from wanmi_tui.admitting import Admitting
from wanmi_tui.cells import clock, cut
from wanmi_tui.pages import Line, Look, Page
from wanmi_tui.sections import BY_NAME, SECTIONS, Section
from wanmi_tui.state import NodeState
from wanmi_tui.tabs import key_line, status_line, tab_at, tab_line
from wanmi_tui.views.alarms import open_alarms
from wanmi_tui.widgets import LineTable, Words
from wanmi_tui.words import Lang, T

if TYPE_CHECKING:
    from wanmi_tui.app import WanmiApp

NOTES = 3
"""Lines below the table about the chosen line."""


class Board(Admitting, Screen[None]):
    """Sections over all nodes."""

    AUTO_FOCUS = "#table"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(section.key, f"section('{section.name}')") for section in SECTIONS),
        Binding("tab", "step(1)", priority=True),
        Binding("shift+tab", "step(-1)", priority=True),
        Binding("right,l", "step(1)"),
        Binding("left,h", "step(-1)"),
        Binding("slash", "find"),
        Binding("escape", "stop_finding"),
        Binding("question_mark,f1", "help"),
        Binding("n", "next_node"),
        Binding("p", "app.pause"),
        Binding("r", "app.refresh"),
        Binding("a", "agree"),
        Binding("d", "deny"),
        Binding("o", "rotate"),
        Binding("x", "revoke"),
        Binding("s", "silence"),
        Binding("t", "retry"),
        Binding("v", "verify"),
        Binding("c", "command"),
        Binding("w", "wall"),
        Binding("y", "copy"),
        Binding("j", "move(1)"),
        Binding("k", "move(-1)"),
        Binding("q", "app.quit"),
        Binding("colon", "app.command_palette"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.section: Section = SECTIONS[0]
        self._find = ""
        self._node: NodeState | None = None
        self._rule = ""

    @property
    def wanmi(self) -> WanmiApp:
        """The application."""
        return cast("WanmiApp", self.app)

    @property
    def lang(self) -> Lang:
        """The language of the moment."""
        return self.wanmi.lang

    @property
    def section_name(self) -> str:
        """The section that is shown."""
        return self.section.name

    @property
    def chosen(self) -> Line | None:
        """The chosen line."""
        return self.query_one(LineTable).chosen

    def compose(self) -> ComposeResult:
        """The lines, from top to bottom."""
        yield Words(id="top")
        yield Words(id="tabs")
        yield Words(id="banner")
        yield LineTable(id="table")
        yield Words(id="empty")
        yield Words(id="notes")
        yield Input(id="find", select_on_focus=False)
        yield Words(id="keys")

    def on_mount(self) -> None:
        """Say what is to be read."""
        self.query_one("#find").display = False
        self._want()

    def on_resize(self) -> None:
        """Another width: other columns."""
        self.call_after_refresh(self.draw)

    def on_screen_resume(self) -> None:
        """Back from the details of something: read what this section shows."""
        self._want()
        self.draw()

    def _want(self) -> None:
        for watch in self.wanmi.watches:
            watch.want(self.section.topics, self.section.tail)

    def look(self) -> Look:
        """How the page is looked at."""
        several = len(self.wanmi.watches) > 1 and self._node is None and self.section.name != "nodes"
        return Look(self.lang, self.wanmi.clock.now(), self._find, several)

    def shown(self) -> list[NodeState]:
        """The nodes that are shown."""
        return [self._node] if self._node is not None else self.wanmi.states

    def draw(self) -> None:
        """Draw what has changed."""
        if not self.is_mounted:
            return
        look = self.look()
        page = self.section.page(look, self.shown())
        table, empty = self.query_one(LineTable), self.query_one("#empty", Words)
        table.display, empty.display = bool(page.lines), not page.lines
        empty.say(page.empty)
        table.show_page(page, self.lang, self.app.theme)
        if page.lines and self.focused is None and self.is_current:
            table.focus()  # a hidden table loses the keys
        self._draw_lines(page)

    def _draw_lines(self, page: Page) -> None:
        width, app = self.size.width, self.wanmi
        alarms = [alarm for alarm, _ in open_alarms(app.states)]
        top = status_line(app.states, self._node, alarms, app.paused, self.lang, self.app.theme, width)
        self.query_one("#top", Words).say(top)
        self.query_one("#tabs", Words).say(tab_line(self.section, self.lang, self.app.theme, width))
        self._draw_banner(width)
        self._draw_notes(page)
        keys = key_line(self.section, app, self.lang, self.app.theme, width)
        self.query_one("#keys", Words).say(keys)

    def _draw_banner(self, width: int) -> None:
        banner = self.query_one("#banner", Words)
        away = [state for state in self.shown() if state.reach != "up"]
        banner.display = bool(away)
        if away:
            banner.say(cut(_banner(away[0], self.lang), width))

    def _draw_notes(self, page: Page | None = None) -> None:
        """A rule with the section's name and how many lines there are; below it what is known of the chosen line."""
        width, line = self.size.width, self.chosen
        if page is not None:
            n = len(page.lines)
            count = T.count.to(self.lang, n=n) if n == page.of else T.counted.to(self.lang, shown=n, all=page.of)
            self._rule = f"── {self.section.title.to(self.lang)} {count} "
        shown = line is not None and self.query_one(LineTable).display
        told = [cut(note, width) for note in line.notes if note.strip()] if line is not None and shown else []
        rule = self._rule + "─" * max(width - cell_len(self._rule), 0)
        self.query_one("#notes", Words).say("\n".join([rule, *[*told, *[""] * NOTES][:NOTES]]))

    def on_data_table_row_highlighted(self, _event: DataTable.RowHighlighted) -> None:
        """Another line is chosen."""
        self._draw_notes()

    def on_data_table_row_selected(self, _event: DataTable.RowSelected) -> None:
        """Enter: details."""
        self.open_chosen()

    def action_section(self, name: str) -> None:
        """Go to a section."""
        if self.section.name != name:
            self.section = BY_NAME[name]
            self.query_one(LineTable).forget()
            self._end_find()
            self._want()
        self.draw()

    def action_step(self, by: int) -> None:
        """The next section, or the one before."""
        if self.query_one("#find", Input).has_focus:
            return
        at = (SECTIONS.index(self.section) + by) % len(SECTIONS)
        self.action_section(SECTIONS[at].name)

    def action_agree(self) -> None:
        """Acknowledge an alarm; admit a terminal that asks."""
        if self.section_name == "terminals":
            self.action_approve()
        else:
            self.action_acknowledge()

    def action_move(self, by: int) -> None:
        """Up or down."""
        table = self.query_one(LineTable)
        table.move_cursor(row=max(table.cursor_row + by, 0), animate=False)

    def action_next_node(self) -> None:
        """Only the next node; all after the last."""
        states = [None, *self.wanmi.states]
        self.only(states[(states.index(self._node) + 1) % len(states)])

    def only(self, state: NodeState | None) -> None:
        """Show one node only, None all."""
        self._node = state
        self.query_one(LineTable).forget()
        self.draw()

    def action_find(self) -> None:
        """Seek."""
        find = self.query_one("#find", Input)
        find.display = True
        find.placeholder = T.key_find.to(self.lang)
        find.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """While they type."""
        self._find = event.value.strip()
        self.draw()

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        """Enter: back to the table, what is sought stays."""
        self.query_one("#find").display = bool(self._find)
        self.query_one(LineTable).focus()

    def action_stop_finding(self) -> None:
        """Everything again."""
        self._end_find()
        self.draw()

    def _end_find(self) -> None:
        find = self.query_one("#find", Input)
        with find.prevent(Input.Changed):
            find.value = ""
        self._find = ""
        find.display = False
        self.query_one(LineTable).focus()

    def on_click(self, event: events.Click) -> None:
        """A click on the line of sections."""
        if event.widget is not None and event.widget.id == "tabs":
            name = tab_at(event.x, self.lang, self.size.width)
            if name:
                self.action_section(name)


def _banner(state: NodeState, lang: Lang) -> str:
    why = state.why_in(lang)
    if state.reach == "refused":
        return T.banner_refused.to(lang, node=state.code, why=why)
    if not state.failures:
        return T.banner_connecting.to(lang, node=state.code)
    return T.banner_lost.to(lang, node=state.code, why=why, at=clock(state.heard_at))
