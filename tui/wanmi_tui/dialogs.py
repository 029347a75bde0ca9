"""Questions to a person: a line of text, a choice. Esc answers None."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from wanmi_tui.cells import pair_lines
from wanmi_tui.words import Lang, T

RECORD_WIDTH = 70
"""Cells of a record's text: the dialog leaves so many at 80 columns."""


class AskText(ModalScreen[str | None]):
    """A line of text; with ``must``, only that word is taken."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss(None)")]

    def __init__(self, title: str, hint: str, must: str = "") -> None:
        super().__init__()
        self._title, self._hint, self._must = title, hint, must

    def compose(self) -> ComposeResult:
        """Title, and where to write."""
        with Vertical(id="dialog"):
            yield Static(self._title, id="dialog-title", markup=False)
            yield Static(self._hint, id="dialog-hint", markup=False)
            yield Input(max_length=500)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        if not self._must or event.value.strip() == self._must:
            self.dismiss(event.value.strip())


class AskChoice(ModalScreen[str | None]):
    """One of some (key, words)."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss(None)")]

    def __init__(self, title: str, choices: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._title, self._choices = title, choices

    def compose(self) -> ComposeResult:
        """Title and list."""
        with Vertical(id="dialog"):
            yield Static(self._title, id="dialog-title", markup=False)
            yield OptionList(*(Option(words, id=key) for key, words in self._choices), markup=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter."""
        self.dismiss(event.option.id)


class Record(ModalScreen[None]):
    """Everything about one thing: names with their texts, to scroll through."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,enter", "dismiss(None)"), ("y", "copy")]

    def __init__(self, title: str, pairs: Sequence[tuple[str, str]], lang: Lang) -> None:
        super().__init__()
        self._title, self._pairs, self._lang = title, pairs, lang

    def compose(self) -> ComposeResult:
        """Title, pairs, keys."""
        with Vertical(id="record"):
            yield Static(self._title, id="dialog-title", markup=False)
            with VerticalScroll():
                lines = [line for name, text in self._pairs for line in pair_lines(name, text, RECORD_WIDTH)]
                yield Static("\n".join(lines), markup=False)
            keys = f"Esc {T.k_back.to(self._lang)}   y {T.key_copy.to(self._lang)}   ↑↓ {T.k_move.to(self._lang)}"
            yield Static(keys, id="record-keys", markup=False)

    def on_mount(self) -> None:
        """Scroll with the arrows at once."""
        self.query_one(VerticalScroll).focus()

    def action_copy(self) -> None:
        """Copy all of it."""
        self.app.copy_to_clipboard("\n".join(f"{name}: {text}" for name, text in self._pairs))
        self.app.notify(T.copied.to(self._lang), timeout=2)
