"""The application: watches the nodes, holds language, theme and pause; the screens draw what it knows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import CommandPalette, Provider

from wanmi.clock import Clock, SystemClock
from wanmi_tui.board import Board
from wanmi_tui.client import NodeClient
from wanmi_tui.palette import WanmiCommands
from wanmi_tui.state import NodeState
from wanmi_tui.themes import NAMES, themes
from wanmi_tui.watch import Watch
from wanmi_tui.words import Lang, T

DRAW_AFTER = 0.15
"""Seconds in which changes are gathered before they are drawn: a slow link gets one redraw, not ten."""


class WanmiApp(App[None]):
    """``wanmi tui``."""

    TITLE = "Wanmi 万米"
    CSS_PATH = "wanmi.tcss"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {WanmiCommands}
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "language", priority=True),
        Binding("f3", "theme", priority=True),
        Binding("ctrl+q", "quit", priority=True),
    ]

    def __init__(self, clients: Sequence[NodeClient], lang: Lang = "zh", clock: Clock | None = None) -> None:
        super().__init__()
        self.animation_level = "none"
        self.lang: Lang = lang
        self.clock: Clock = clock or SystemClock()
        self.paused = False
        self.watches = [Watch(client, self.clock, self.changed) for client in clients]
        self._drawing = False
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def states(self) -> list[NodeState]:
        """What is known of each node."""
        return [watch.state for watch in self.watches]

    def watch_of(self, state: NodeState) -> Watch:
        """Who watches that node."""
        return next(watch for watch in self.watches if watch.state is state)

    def on_mount(self) -> None:
        """Themes, the board, and a task for each node."""
        for theme in themes():
            self.register_theme(theme)
        self.theme = NAMES[0]
        self.push_screen(Board())
        self._tasks = [asyncio.create_task(watch.run(), name=watch.client.url) for watch in self.watches]
        for task in self._tasks:
            task.add_done_callback(self._watch_ended)

    def _watch_ended(self, task: asyncio.Task[None]) -> None:
        """A watch ends only when the screens do: anything else is a fault of ours, told instead of a standing screen."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.exit(return_code=1, message=f"wanmi tui: {task.get_name()}: {type(error).__name__}: {error}")

    async def on_unmount(self) -> None:
        """Hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def changed(self) -> None:
        """Something has changed: draw soon, once."""
        if not self._drawing:
            self._drawing = True
            self.set_timer(DRAW_AFTER, self.draw)

    def draw(self) -> None:
        """Draw every screen that shows nodes."""
        self._drawing = False
        for screen in self.screen_stack:
            show = getattr(screen, "draw", None)
            if show is not None:
                show()

    def say(self, text: str, bad: bool = False) -> None:
        """A word in the corner that goes by itself."""
        self.notify(text, severity="error" if bad else "information", timeout=8 if bad else 4, markup=False)

    def action_command_palette(self) -> None:
        """Everything by name."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(CommandPalette(placeholder=T.p_hint.to(self.lang), id="--command-palette"))

    def action_language(self) -> None:
        """Chinese or English."""
        self.lang = "en" if self.lang == "zh" else "zh"
        self.draw()

    def action_theme(self) -> None:
        """The next theme."""
        self.theme = NAMES[(NAMES.index(self.theme) + 1) % len(NAMES)] if self.theme in NAMES else NAMES[0]
        self.draw()

    def action_pause(self) -> None:
        """Read nothing more, or go on."""
        self.paused = not self.paused
        for watch in self.watches:
            watch.pause(self.paused)
        self.draw()

    def action_refresh(self) -> None:
        """Read again now."""
        for watch in self.watches:
            watch.refresh()

    def get_system_commands(self, screen: Any) -> Any:
        """None of Textual's own: ours are in both languages."""
        return ()

    def copy(self, text: str) -> None:
        """To the clipboard of the technician's own terminal, by OSC 52."""
        self.copy_to_clipboard(text)
        self.say(T.copied.to(self.lang))
