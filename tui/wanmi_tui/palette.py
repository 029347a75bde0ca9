"""The command palette (Ctrl-P): everything by name, in the language of the moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from wanmi_tui.sections import SECTIONS
from wanmi_tui.words import T

if TYPE_CHECKING:
    from wanmi_tui.app import WanmiApp
    from wanmi_tui.board import Board


class WanmiCommands(Provider):
    """Sections, nodes, language, theme, pause, verify, help, quit."""

    async def discover(self) -> Hits:
        """All of them."""
        for name, run in self._commands():
            yield DiscoveryHit(name, run)

    async def search(self, query: str) -> Hits:
        """Those that fit."""
        matcher = self.matcher(query)
        for name, run in self._commands():
            if (score := matcher.match(name)) > 0:
                yield Hit(score, matcher.highlight(name), run)

    def _commands(self) -> Iterator[tuple[str, Callable[[], object]]]:
        from wanmi_tui.board import Board

        app = cast("WanmiApp", self.app)
        lang = app.lang
        board = next((screen for screen in app.screen_stack if isinstance(screen, Board)), None)
        if board is not None:
            yield from _of_board(app, board)
        yield T.p_lang.to(lang), app.action_language
        yield T.p_theme.to(lang, name=app.theme), app.action_theme
        yield T.p_pause.to(lang), app.action_pause
        yield T.p_refresh.to(lang), app.action_refresh
        yield T.p_quit.to(lang), partial(app.exit)


def _of_board(app: WanmiApp, board: Board) -> Iterator[tuple[str, Callable[[], object]]]:
    lang = app.lang
    for section in SECTIONS:
        yield T.p_go.to(lang, where=section.title.to(lang)), partial(board.action_section, section.name)
    if len(app.watches) > 1:
        yield T.p_all_nodes.to(lang), partial(board.only, None)
        for state in app.states:
            yield T.p_node.to(lang, name=state.code), partial(board.only, state)
    yield T.p_verify.to(lang), board.action_verify
    yield T.p_help.to(lang), board.action_help
