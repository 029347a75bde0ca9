"""What a technician decides of terminals: admit one that asks, turn it away, order a new key, revoke. Its district does it."""

from __future__ import annotations

from textual import work

from wanmi_tui.dialogs import AskChoice, AskText
from wanmi_tui.doing import Doing
from wanmi_tui.state import NodeState
from wanmi_tui.topics import OWN, TERMINALS
from wanmi_tui.watch import Watch
from wanmi_tui.wire_field import Ask, Terminal
from wanmi_tui.words import T


class Admitting(Doing):
    """The actions on terminals; the chosen line may be an edge's, the district that decides is sought among all nodes."""

    @work(exclusive=True, group="doing")
    async def action_approve(self) -> None:
        """Admit the chosen terminal that asks: its id, who carries it, and that its fingerprint was compared."""
        ask, watch = self._asking()
        if ask is None or watch is None:
            return
        lang, title = self.lang, T.approve_title.to(self.lang, what=ask.model or ask.id)
        hint = T.approve_id.to(lang, code=watch.state.code)
        terminal = await self.app.push_screen_wait(AskText(title, hint))
        if terminal is None:
            return
        holder = await self.app.push_screen_wait(AskText(title, T.approve_holder.to(lang)))
        if holder is None:
            return
        choices = [("not", T.approve_not.to(lang)), ("same", T.approve_same.to(lang))]
        if await self.app.push_screen_wait(AskChoice(f"{title}\n\n{ask.fingerprint}\n", choices)) != "same":
            return
        replace = _is_admitted(watch.state, terminal)
        if replace and not await self._typed(title, T.approve_lost.to(lang, word=terminal), terminal):
            return
        await self._do(watch, watch.client.approve(ask, terminal, holder, replace), title)

    @work(exclusive=True, group="doing")
    async def action_deny(self) -> None:
        """Turn the chosen terminal away that asks."""
        ask, watch = self._asking()
        if ask is None or watch is None:
            return
        title = T.deny_title.to(self.lang, what=ask.model or ask.id)
        reason = await self._reason(title, T.deny_hint.to(self.lang))
        if reason:
            await self._do(watch, watch.client.deny(ask, reason), title)

    @work(exclusive=True, group="doing")
    async def action_rotate(self) -> None:
        """Order a new key of the chosen terminal."""
        terminal, watch = self._admitted()
        if watch is None:
            return
        title = T.rotate_title.to(self.lang, what=terminal)
        reason = await self._reason(title, T.rotate_hint.to(self.lang))
        if reason:
            await self._do(watch, watch.client.rotate(terminal, reason), title)

    @work(exclusive=True, group="doing")
    async def action_revoke(self) -> None:
        """Revoke the chosen terminal; its id must be typed."""
        terminal, watch = self._admitted()
        if watch is None:
            return
        title = T.revoke_title.to(self.lang, what=terminal)
        reason = await self._reason(title, T.revoke_hint.to(self.lang))
        if reason and await self._typed(title, T.revoke_sure.to(self.lang, word=terminal), terminal):
            await self._do(watch, watch.client.revoke(terminal, reason), title)

    async def _typed(self, title: str, hint: str, word: str) -> bool:
        return await self.app.push_screen_wait(AskText(title, hint, must=word)) is not None

    async def _reason(self, title: str, hint: str) -> str:
        """Why; empty when nothing is to be done."""
        reason = await self.app.push_screen_wait(AskText(title, hint))
        if reason == "":
            self.wanmi.say(T.reason_needed.to(self.lang), bad=True)
        return reason or ""

    def _asking(self) -> tuple[Ask | None, Watch | None]:
        if self.section_name != "terminals":
            return None, None
        line = self.chosen
        if line is None or not isinstance(line.about, Ask):
            self.wanmi.say(T.not_asking.to(self.lang))
            return None, None
        own = line.node.get(OWN)
        above = own is not None and own.role == "edge" and own.parent
        return line.about, self._district(above or line.node.code)

    def _admitted(self) -> tuple[str, Watch | None]:
        if self.section_name != "terminals":
            return "", None
        line = self.chosen
        if line is None or not isinstance(line.about, Terminal) or line.about.state != "admitted":
            self.wanmi.say(T.not_admitted.to(self.lang))
            return "", None
        return line.about.terminal, self._district(line.about.district)

    def _district(self, code: str) -> Watch | None:
        """Who watches that district; where nobody does, that is said."""
        watch = next((one for one in self.wanmi.watches if one.state.code == code), None)
        if watch is None:
            self.wanmi.say(T.district_decides.to(self.lang, node=code), bad=True)
        return watch


def _is_admitted(district: NodeState, terminal: str) -> bool:
    told = district.get(TERMINALS)
    listed = told.terminals if told is not None else []
    return any((one.terminal, one.district, one.state) == (terminal, district.code, "admitted") for one in listed)
