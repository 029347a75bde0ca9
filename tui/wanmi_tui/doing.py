"""What a technician does with the chosen line: open, acknowledge, silence, tell a device, verify, copy. Each asks, then
does, then says what came of it.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from textual import work
from textual.screen import Screen

from wanmi_tui.client import Refused, Unreached
from wanmi_tui.dialogs import AskChoice, AskText, Record
from wanmi_tui.topics import DRIVERS
from wanmi_tui.views.alarms import alarm_device, alarm_words
from wanmi_tui.views.records import help_pairs, record_pairs
from wanmi_tui.watch import Watch
from wanmi_tui.wire import Alarm, Command, Device
from wanmi_tui.wire_field import RefusedReport, Scene, Wall
from wanmi_tui.words import Lang, T

if TYPE_CHECKING:
    from wanmi_tui.app import WanmiApp
    from wanmi_tui.pages import Line, Look

MINUTE = 60
SILENCES = (15, 60, 240, 480, 1440)
"""Minutes that an alarm may be silenced for."""


class Doing(Screen[None]):
    """The actions; who mixes it in has a chosen line."""

    if TYPE_CHECKING:

        @property
        def wanmi(self) -> WanmiApp: ...
        @property
        def lang(self) -> Lang: ...
        @property
        def chosen(self) -> Line | None: ...
        @property
        def section_name(self) -> str: ...
        def look(self) -> Look: ...

    def open_chosen(self) -> None:
        """Details of the chosen line: a device's own screen, a record for anything else."""
        line = self.chosen
        if line is None:
            return
        if isinstance(line.about, Device):
            from wanmi_tui.detail import DeviceScreen

            self.app.push_screen(DeviceScreen(self.wanmi.watch_of(line.node), line.about))
            return
        title = " ".join(cell.text.strip() for cell in line.cells[:2])
        self.app.push_screen(Record(title, record_pairs(line, self.look()), self.lang))

    def action_help(self) -> None:
        """The keys."""
        self.app.push_screen(Record(T.help_title.to(self.lang), help_pairs(self.lang), self.lang))

    def action_copy(self) -> None:
        """Copy the chosen line with its notes."""
        line = self.chosen
        if line is None:
            self.wanmi.say(T.nothing_chosen.to(self.lang))
            return
        self.wanmi.copy("\n".join(["\t".join(cell.text.strip() for cell in line.cells), *line.notes]))

    @work(exclusive=True, group="doing")
    async def action_acknowledge(self) -> None:
        """Acknowledge the chosen alarm."""
        alarm, watch = self._alarm()
        if alarm is None or watch is None:
            return
        what = f"{alarm_device(alarm)} {alarm_words(alarm, self.look())}"
        note = await self.app.push_screen_wait(AskText(T.ack_title.to(self.lang, what=what), T.note_hint.to(self.lang)))
        if note is not None:
            await self._do(watch, watch.client.acknowledge(alarm, note), T.ack_title.to(self.lang, what=what))

    @work(exclusive=True, group="doing")
    async def action_silence(self) -> None:
        """Silence the chosen alarm until a time."""
        alarm, watch = self._alarm()
        if alarm is None or watch is None:
            return
        lang = self.lang
        title = T.silence_title.to(lang, what=f"{alarm_device(alarm)} {alarm_words(alarm, self.look())}")
        choices = [(str(n * MINUTE), _span(n, lang)) for n in SILENCES]
        choices += [("0", T.silence_end.to(lang))] if alarm.silenced_until else []
        seconds = await self.app.push_screen_wait(AskChoice(title, choices))
        if seconds is None:
            return
        note = await self.app.push_screen_wait(AskText(title, T.note_hint.to(lang)))
        if note is not None:
            await self._do(watch, watch.client.silence(alarm, int(seconds), note), title)

    @work(exclusive=True, group="doing")
    async def action_retry(self) -> None:
        """Have the chosen refused report looked at again."""
        line = self.chosen
        if line is None or not isinstance(line.about, RefusedReport):
            self.wanmi.say(T.not_refused.to(self.lang))
            return
        watch = self.wanmi.watch_of(line.node)
        what = T.retry_title.to(self.lang, what=line.about.report_id or line.about.id)
        await self._do(watch, watch.client.retry(line.about.id), what)

    @work(exclusive=True, group="doing")
    async def action_command(self) -> None:
        """Tell the chosen device something."""
        line = self.chosen
        if line is not None and isinstance(line.about, Device):
            await self.tell(self.wanmi.watch_of(line.node), line.about)
        elif line is not None and isinstance(line.about, Scene):
            await self._direct(self.wanmi.watch_of(line.node), line.about)
        elif line is not None and isinstance(line.about, Wall):
            await self._keep_wall(self.wanmi.watch_of(line.node), line.about)
        else:
            self.wanmi.say(T.nothing_chosen.to(self.lang))

    async def _direct(self, watch: Watch, scene: Scene) -> None:
        """Call a scene, or end its calls."""
        lang = self.lang
        title = T.scene_title.to(lang, name=(scene.zh if lang == "zh" else scene.en) or scene.name)
        choices = [("call", T.call_scene.to(lang))] + ([("end", T.end_scene.to(lang))] if scene.calls else [])
        wish = await self.app.push_screen_wait(AskChoice(title, choices))
        if wish == "end":
            await self._do(watch, watch.client.end_scene(scene.name), title)
        elif wish == "call":
            why = await self.app.push_screen_wait(AskText(title, T.why_hint.to(lang)))
            if why is not None:
                await self._do(watch, watch.client.call_scene(scene.name, why), title)

    @work(exclusive=True, group="doing")
    async def action_wall(self) -> None:
        """Admit a wall at the chosen line's node, or at the first one."""
        if self.section_name != "displays":
            return
        line = self.chosen
        watch = self.wanmi.watch_of(line.node) if line is not None else self.wanmi.watches[0]
        name = await self.app.push_screen_wait(AskText(T.wall_new.to(self.lang), T.wall_name_hint.to(self.lang)))
        if name:
            await self._admit(watch, name)

    async def _keep_wall(self, watch: Watch, wall: Wall) -> None:
        """Give a wall a new password, or end it."""
        lang = self.lang
        title = T.wall_title.to(lang, name=wall.wall)
        choices = [("password", T.wall_password.to(lang))]
        choices += [("revoke", T.wall_revoke.to(lang))] if wall.state == "admitted" else []
        wish = await self.app.push_screen_wait(AskChoice(title, choices))
        if wish == "password":
            await self._admit(watch, wall.wall)
        elif wish == "revoke":
            why = await self.app.push_screen_wait(AskText(title, T.why_hint.to(lang)))
            if why is not None:
                await self._do(watch, watch.client.revoke_wall(wall.wall, why), title)

    async def _admit(self, watch: Watch, name: str) -> None:
        """Admit, and show once what the wall's PC needs."""
        lang = self.lang
        try:
            given = await watch.client.admit_wall(name)
        except (Unreached, Refused) as error:
            self.wanmi.say(T.failed.to(lang, why=self.told(error)), bad=True)
            return
        watch.refresh()
        start = f"wanmi wall init wall.toml --wall {given.wall} --broker {given.broker}" + (
            " --ca ca.crt" if given.ca else ""
        )
        pairs = [
            ("", T.wall_once.to(lang)), (T.wall.to(lang), given.wall), (T.password.to(lang), given.password),
            (T.broker.to(lang), given.broker or "–"), (T.authority.to(lang), given.ca or "–"),
            (T.wall_on_pc.to(lang), f"{start} --allow https://…"),
        ]  # fmt: skip
        self.app.push_screen(Record(T.wall_title.to(lang, name=given.wall), pairs, lang))

    async def tell(self, watch: Watch, device: Device) -> None:
        """Ask which command, its arguments, and for a risky one its name once more; then send it."""
        lang = self.lang
        command = await self._ask_command(watch, device)
        if command is None:
            return
        title = f"{T.command_title.to(lang, name=device.name)}: {command.zh if lang == 'zh' else command.en or command.name}"
        args: dict[str, str] = {}
        for name, hint in command.args.items():
            given = await self.app.push_screen_wait(AskText(title, f"{name}: {hint}"))
            if given is None:
                return
            args[name] = given
        if command.risky:
            sure = AskText(title, T.confirm_risky.to(lang, word=command.name), must=command.name)
            if await self.app.push_screen_wait(sure) is None:
                return
        await self._do(watch, watch.client.command(device.id, command.name, args, command.risky), title)

    async def _ask_command(self, watch: Watch, device: Device) -> Command | None:
        drivers = watch.state.get(DRIVERS)
        known = next((one.commands for one in drivers.drivers if one.name == device.driver), []) if drivers else []
        if not known:
            self.wanmi.say(T.no_commands.to(self.lang))
            return None
        choices = [(one.name, f"{one.zh if self.lang == 'zh' else one.en} ({one.name})") for one in known]
        name = await self.app.push_screen_wait(AskChoice(T.command_title.to(self.lang, name=device.name), choices))
        return next((one for one in known if one.name == name), None)

    @work(exclusive=True, group="verifying")
    async def action_verify(self) -> None:
        """Verify the chain of the chosen line's node, or of the first one."""
        from wanmi_tui.proof import verify_chain

        line = self.chosen
        watch = self.wanmi.watch_of(line.node) if line is not None else self.wanmi.watches[0]
        self.wanmi.say(T.verifying.to(self.lang, origin=watch.state.code))
        try:
            verdict = await verify_chain(watch.client, watch.state.code)
        except (Unreached, Refused) as error:
            self.wanmi.say(T.failed.to(self.lang, why=self.told(error)), bad=True)
            return
        self.wanmi.say(verdict.to(self.lang), bad=verdict.why is not None)

    def told(self, error: Unreached | Refused) -> str:
        """An error in words of the moment's language; a node's own words stay as they are."""
        return error.why.to(self.lang, **error.facts) if isinstance(error, Unreached) else error.detail

    def _alarm(self) -> tuple[Alarm | None, Watch | None]:
        line = self.chosen
        if line is None or not isinstance(line.about, Alarm):
            self.wanmi.say(T.not_an_alarm.to(self.lang))
            return None, None
        return line.about, self.wanmi.watch_of(line.node)

    async def _do(self, watch: Watch, doing: Awaitable[object], what: str) -> None:
        try:
            said = await doing
        except (Unreached, Refused) as error:
            self.wanmi.say(T.failed.to(self.lang, why=self.told(error)), bad=True)
            return
        answer = f" — {said}" if isinstance(said, str) and said else ""
        self.wanmi.say(T.done.to(self.lang, what=what) + answer)
        watch.refresh()


def _span(minutes: int, lang: Lang) -> str:
    return T.for_minutes.to(lang, n=minutes) if minutes < MINUTE else T.for_hours.to(lang, n=minutes // MINUTE)
