"""The widgets: a table that redraws only what changed, and a line of text that does so too."""

from __future__ import annotations

from typing import Any

from rich.text import Text as Rich
from textual.content import Content
from textual.widgets import DataTable, Static

from wanmi_tui.cells import column_widths, fit
from wanmi_tui.pages import Cell, Column, Line, Page
from wanmi_tui.themes import TONES
from wanmi_tui.words import Lang


class Words(Static):
    """Some lines of text; saying the same again costs nothing."""

    def __init__(self, **given: Any) -> None:
        super().__init__("", markup=False, **given)
        self._said: object = None

    def say(self, content: Content | Rich | str) -> None:
        """Show this."""
        said = content.markup if isinstance(content, Rich | Content) else content
        if said != self._said:
            self._said = said
            self.update(content)


class LineTable(DataTable[Rich]):
    """A page as a table. The chosen line stays chosen by its key, wherever it moves."""

    def __init__(self, **given: Any) -> None:
        super().__init__(cursor_type="row", cell_padding=0, zebra_stripes=False, **given)
        self._lines: tuple[Line, ...] = ()
        self._shape: object = None
        self._drawn: dict[tuple[str, int], Cell] = {}
        self._wish = ""

    @property
    def chosen(self) -> Line | None:
        """The line under the cursor."""
        return self._lines[self.cursor_row] if 0 <= self.cursor_row < len(self._lines) else None

    def show_page(self, page: Page, lang: Lang, theme: str) -> None:
        """Draw the page; where only cells changed, only those."""
        room = max(self.screen.size.width - 1, 1)  # a scrollbar; the table's own width is 0 while it is hidden
        widths = column_widths([(column.least, column.weight) for column in page.columns], room)
        shape = (page.columns, tuple(widths), lang, theme, tuple(line.key for line in page.lines))
        if shape == self._shape:
            self._redraw(page, widths, theme)
        else:
            self._rebuild(page, widths, lang, theme)
        self._shape, self._lines = shape, page.lines

    def _redraw(self, page: Page, widths: list[int], theme: str) -> None:
        for line in page.lines:
            for n, width in enumerate(widths):
                if width and self._drawn[line.key, n] != line.cells[n]:
                    self._drawn[line.key, n] = line.cells[n]
                    self.update_cell(line.key, str(n), drawn(line.cells[n], page.columns[n], width, theme))

    def _rebuild(self, page: Page, widths: list[int], lang: Lang, theme: str) -> None:
        chosen, row, top = self.chosen, self.cursor_row, self.scroll_y
        wish = self._wish or (chosen.key if chosen is not None else "")
        self.clear(columns=True)
        self._drawn = {(line.key, n): line.cells[n] for line in page.lines for n in range(len(widths))}
        for n, (column, width) in enumerate(zip(page.columns, widths, strict=True)):
            if width:
                title = fit(column.title.to(lang), width, column.right)
                self.add_column(Rich(title), width=width + 1, key=str(n))
        for line in page.lines:
            cells = [
                drawn(cell, column, width, theme)
                for cell, column, width in zip(line.cells, page.columns, widths, strict=True)
                if width
            ]
            self.add_row(*cells, key=line.key)
        keys = [line.key for line in page.lines]
        self._wish = "" if wish in keys else wish
        if keys:
            at = keys.index(wish) if wish in keys else min(row, len(keys) - 1)
            self.move_cursor(row=at, animate=False)
            self.call_after_refresh(self.scroll_to, y=top, animate=False, force=True)
            self.call_after_refresh(self._show_cursor)

    def _show_cursor(self) -> None:
        self.move_cursor(row=self.cursor_row, animate=False, scroll=True)

    def action_cursor_left(self) -> None:
        """Not within the table, which is never wider than the screen: to the section before."""
        self.app.call_later(self.run_action, "screen.step(-1)")

    def action_cursor_right(self) -> None:
        """To the next section."""
        self.app.call_later(self.run_action, "screen.step(1)")

    def forget(self) -> None:
        """Start at the top: another section comes."""
        self._wish, self._lines, self._shape = "", (), None
        self.clear(columns=True)


def drawn(cell: Cell, column: Column, width: int, theme: str) -> Rich:
    """A cell as it is drawn."""
    text = cell.text[-width:] if column.tail else cell.text
    return Rich(fit(text, width, column.right), style=TONES[theme][cell.tone], no_wrap=True, end="")
