"""One device: who it is, every reading with its raw value and trend, the chosen reading's curve, its newest event."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text as Rich
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import DataTable

from wanmi_tui.cells import cut, spark
from wanmi_tui.client import Refused, Unreached
from wanmi_tui.dialogs import Record
from wanmi_tui.doing import Doing
from wanmi_tui.pages import Line, Look
from wanmi_tui.themes import TONES
from wanmi_tui.topics import DRIVERS, device_topic
from wanmi_tui.views.detail import event_line, head_lines, readings_page
from wanmi_tui.views.records import record_pairs
from wanmi_tui.watch import Watch
from wanmi_tui.widgets import LineTable, Words
from wanmi_tui.wire import Device, Samples
from wanmi_tui.words import Lang, T

if TYPE_CHECKING:
    from wanmi_tui.app import WanmiApp

BEFORE = 60
"""Samples that were before one looked, for the trends."""


class DeviceScreen(Doing, Screen[None]):
    """The details of a device."""

    AUTO_FOCUS = "#readings"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,left,h", "app.pop_screen"),
        Binding("c", "command"),
        Binding("y", "copy"),
        Binding("p", "app.pause"),
        Binding("r", "app.refresh"),
        Binding("question_mark,f1", "help"),
        Binding("colon", "app.command_palette"),
    ]

    def __init__(self, watch: Watch, device: Device) -> None:
        super().__init__()
        self._watch, self._device = watch, device
        self._topic = device_topic(device.id)

    @property
    def wanmi(self) -> WanmiApp:
        """The application."""
        return cast("WanmiApp", self.app)

    @property
    def lang(self) -> Lang:
        """The language of the moment."""
        return self.wanmi.lang

    @property
    def chosen(self) -> Line | None:
        """The chosen reading."""
        return self.query_one(LineTable).chosen

    def look(self) -> Look:
        """How it is looked at; time is the device's own last word, so that a wrong clock here does no harm."""
        return Look(self.lang, max(self.wanmi.clock.now(), self._now().seen_at))

    def _now(self) -> Device:
        return self._watch.state.get(self._topic) or self._device

    def compose(self) -> ComposeResult:
        """The lines, from top to bottom."""
        yield Words(id="head")
        yield LineTable(id="readings")
        yield Words(id="curve")
        yield Words(id="event")
        yield Words(id="keys")

    def on_mount(self) -> None:
        """Read this device, and what it said before."""
        for watch in self.wanmi.watches:
            watch.want((self._topic, DRIVERS) if watch is self._watch else ())
        self._read_before()

    def on_resize(self) -> None:
        """Another width."""
        self.call_after_refresh(self.draw)

    @work(exclusive=True)
    async def _read_before(self) -> None:
        """What is on disk comes before what was seen since; without it the trends start now."""
        for part in self._device.parts[:1]:
            try:
                kept = await self._watch.client.samples(self._device.id, part.part, BEFORE)
            except (Unreached, Refused):
                return
            self._put_before(part.part, kept)
        self.draw()

    def _put_before(self, part: str, kept: Samples) -> None:
        trends: dict[str, list[float | None]] = {}
        for sample in kept.samples:
            for reading in sample.readings:
                if isinstance(reading.value, float | int):
                    trends.setdefault(reading.name, []).append(float(reading.value))
        for name, values in trends.items():
            seen = self._watch.trend(self._device.id, part, name)
            seen.clear()
            seen.extend(values)

    def draw(self) -> None:
        """Draw what has changed."""
        if not self.is_mounted:
            return
        device, look, width = self._now(), self.look(), self.size.width
        first, second = head_lines(device, look)
        away = self._watch.state.reach != "up"
        gone = f"  {T.lost.to(self.lang)}: {self._watch.state.why_in(self.lang)}" if away else ""
        head = Rich(cut(first + gone, width), style="bold" if not away else TONES[self.app.theme]["bad"])
        head.append("\n" + cut(second, width), TONES[self.app.theme]["dim"])
        self.query_one("#head", Words).say(head)
        page = readings_page(device, self._watch.state, look)
        self.query_one(LineTable).show_page(page, self.lang, self.app.theme)
        self.query_one("#event", Words).say(cut(event_line(device, self.lang), width))
        self._draw_curve()
        keys = f"Esc {T.k_back.to(self.lang)}  ↵ {T.key_open.to(self.lang)}  c {T.key_command.to(self.lang)}  "
        keys += f"y {T.key_copy.to(self.lang)}  p {(T.key_go_on if self.wanmi.paused else T.key_pause).to(self.lang)}  "
        keys += f"^P {T.k_palette.to(self.lang)}  ? {T.k_help.to(self.lang)}  F2 {T.k_lang.to(self.lang)}"
        self.query_one("#keys", Words).say(cut(keys, width))

    def _draw_curve(self) -> None:
        line, curve = self.chosen, self.query_one("#curve", Words)
        if line is None:
            curve.say("")
            return
        part, _, name = line.key.partition("|")
        trend = list(self._watch.state.trends.get((self._device.id, part, name), ()))
        width = self.size.width
        told = [cut(note, width) for note in (*line.notes, "", "")[:2]]
        curve.say("\n".join(["─" * width, spark(trend, width), *told]))

    def on_data_table_row_highlighted(self, _event: DataTable.RowHighlighted) -> None:
        """Another reading is chosen."""
        self._draw_curve()

    def on_data_table_row_selected(self, _event: DataTable.RowSelected) -> None:
        """Enter: everything that is known of the device."""
        line = Line("", self._watch.state, (), self._now())
        self.app.push_screen(Record(self._device.name, record_pairs(line, self.look()), self.lang))

    def action_step(self, by: int) -> None:
        """Left: back."""
        if by < 0:
            self.app.pop_screen()

    @work(exclusive=True, group="doing")
    async def action_command(self) -> None:
        """Tell this device something."""
        await self.tell(self._watch, self._now())
