"""An Asterisk to the event protocol: calls that ring at seats, by what its manager interface tells."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import structlog

from wanmi.errors import BadInput, LinkError, NotAllowed
from wanmi_hotline.ami import Ami, Packet
from wanmi_hotline.events import Event, Recording, What, event_of

if TYPE_CHECKING:
    from wanmi.registry import NodeContext
    from wanmi_hotline.intake import Intake
    from wanmi_hotline.settings import AsteriskSettings

V = TypeVar("V")
REMEMBERED = 5000
"""Calls that are remembered until they end."""
AGAIN = 5.0
"""Seconds until a broken connection is tried again."""
_ABSENT = frozenset({"", "<unknown>", "s", "<none>"})


class Translator:
    """From manager events to events of the protocol. Ids are made of Asterisk's own, so that the same is the same."""

    def __init__(self, system: str, seat: str) -> None:
        self._system = system
        self._seat = re.compile(seat)
        self._lines: OrderedDict[str, str] = OrderedDict()
        self.live: OrderedDict[str, Literal["in", "out"]] = OrderedDict()

    def translate(self, packet: Packet, now: int) -> Event | None:
        """The event that a packet tells; None for what does not concern calls at seats."""
        linked = packet.get("Linkedid", "")
        match packet.get("Event"):
            case "Newchannel" if packet.get("Uniqueid") == linked:
                _remember(self._lines, linked, _said(packet, "Exten"))
                return None
            case "DialBegin":
                return self._rings(packet, linked, now)
            case "DialEnd" if packet.get("DialStatus") == "ANSWER" and linked in self.live:
                return self._answered(packet, linked, now)
            case "Hold" | "Unhold" if linked in self.live:
                return self._held(packet, linked, now)
            case "Hangup" if packet.get("Uniqueid") == linked and linked in self.live:
                return self.ended(linked, _said(packet, "Cause-txt"), _time(packet, now))
            case "UserEvent" if packet.get("UserEvent") == "WanmiRecording":
                return self._recorded(packet, linked, now)
        return None

    def ended(self, linked: str, reason: str, at: int) -> Event:
        """The end of a call: told, or found out when the connection is back."""
        self.live.pop(linked, None)
        self._lines.pop(linked, None)
        return self._event(linked, "ended", f"{linked}:ended", at, reason=reason)

    def _rings(self, packet: Packet, linked: str, now: int) -> Event | None:
        """A dial to a seat is a call for it; one from a seat to elsewhere is a call of ours."""
        seat, own = self._seat_of(packet, "DestChannel"), self._seat_of(packet, "Channel")
        if not linked or (seat is None) == (own is None):
            return None
        direction: Literal["in", "out"] = "in" if seat is not None else "out"
        _remember(self.live, linked, direction)
        number = _said(packet, "CallerIDNum") if seat is not None else _dialled(packet)
        return self._event(
            linked, "ringing", f"{linked}:ringing:{packet.get('DestUniqueid', '')}", _time(packet, now),
            seat=seat or own or "", number=number, name=_said(packet, "CallerIDName") if seat is not None else "",
            called=self._lines.get(linked, ""),
        )  # fmt: skip

    def _answered(self, packet: Packet, linked: str, now: int) -> Event | None:
        seat = self._seat_of(packet, "DestChannel") or self._seat_of(packet, "Channel")
        if seat is None:
            return None
        key = f"{linked}:answered:{packet.get('DestUniqueid', '')}"
        return self._event(linked, "answered", key, _time(packet, now), seat=seat)

    def _held(self, packet: Packet, linked: str, now: int) -> Event:
        what: What = "held" if packet["Event"] == "Hold" else "resumed"
        at = _time(packet, now)
        return self._event(linked, what, f"{linked}:{what}:{at}", at)

    def _recorded(self, packet: Packet, linked: str, now: int) -> Event:
        """The dialplan tells it: UserEvent(WanmiRecording,File: …,Media: …) after the file is closed."""
        file = packet.get("File", "").rpartition("/")[2]
        recording = Recording(media=packet.get("Media") or "audio/wav", file=file)
        return self._event(linked, "recording", f"{linked}:recording:{file}", _time(packet, now), recording=recording)

    def _seat_of(self, packet: Packet, key: str) -> str | None:
        found = self._seat.match(packet.get(key, ""))
        return found[1] if found else None

    def _event(self, linked: str, what: What, key: str, at: int, **more: str | Recording) -> Event:
        said = {name: value[:60] if isinstance(value, str) else _plain(value) for name, value in more.items()}
        direction = self.live.get(linked, "in")
        return event_of(
            {"v": 1, "id": key[:200], "system": self._system, "event": what, "call": linked[:200], "at": at,
             "direction": direction, **said}
        )  # fmt: skip


class Asterisk:
    """Keeps a connection to an Asterisk and hands its calls to the intake; supervised as a task."""

    def __init__(self, node: NodeContext, intake: Intake, settings: AsteriskSettings) -> None:
        self._node = node
        self._intake = intake
        self._settings = settings
        self._translator = Translator(settings.system, settings.seat)
        self._log = structlog.get_logger("wanmi.hotline").bind(node=node.code)
        self.connected = False
        self.connections = 0
        self.last_error = ""

    async def run(self) -> None:
        """Connect, listen, connect again, until cancelled."""
        while True:
            try:
                await self._listen()
            except (LinkError, NotAllowed) as error:
                self.last_error = str(error)
                self._log.warning("asterisk_gone", error=str(error), again_seconds=AGAIN)
            finally:
                self.connected = False
            await asyncio.sleep(AGAIN)

    async def _listen(self) -> None:
        settings = self._settings
        secret = await asyncio.to_thread(_read_secret, settings.secret_file)
        tls = ssl.create_default_context(cafile=settings.ca_file or None) if settings.tls else None
        ami = await Ami.connect(settings.host, settings.port, settings.user, secret, tls=tls)
        self.connected, self.connections, self.last_error = True, self.connections + 1, ""
        asking = asyncio.create_task(self._ask_alive(ami))
        try:
            await self._catch_up(ami)
            async for packet in ami.events():
                await self._take(partial(self._translator.translate, packet, self._node.clock.now()))
        finally:
            asking.cancel()
            await ami.close()

    async def _catch_up(self, ami: Ami) -> None:
        """Calls that ended while nobody listened."""
        if not self._translator.live:
            return
        there = {packet.get("Linkedid", "") for packet in await ami.collect("CoreShowChannels")}
        for linked in gone(self._translator.live, there):
            await self._take(partial(self._translator.ended, linked, "", self._node.clock.now()))

    async def _take(self, made: Callable[[], Event | None]) -> None:
        """Hand an event over; one that does not fit is counted, and the rest goes on."""
        try:
            event = made()
        except BadInput as error:
            self._intake.refuse(self._settings.system, str(error))
            return
        if event is not None:
            await asyncio.to_thread(self._hand_over, event)

    def _hand_over(self, event: Event) -> None:
        try:
            self._intake.take(event)
        except BadInput:
            return  # counted and logged there

    async def _ask_alive(self, ami: Ami) -> None:
        """A connection can be dead without saying so."""
        while True:
            await asyncio.sleep(self._settings.alive)
            try:
                await ami.action("Ping")
            except LinkError:
                await ami.close()
                return


def gone(live: Iterable[str], there: Iterable[str]) -> list[str]:
    """The calls that are remembered as live and are there no longer."""
    here = set(there)
    return [linked for linked in live if linked not in here]


def _remember(into: OrderedDict[str, V], key: str, value: V) -> None:
    into[key] = value
    if len(into) > REMEMBERED:
        into.popitem(last=False)


def _said(packet: Packet, key: str) -> str:
    value = packet.get(key, "").strip()
    return "" if value in _ABSENT else value


def _dialled(packet: Packet) -> str:
    """The number that we dial: what the dial string begins with, before its trunk."""
    number = _said(packet, "DestCallerIDNum") or _said(packet, "DialString").partition("@")[0]
    return number.rpartition("/")[2]


def _time(packet: Packet, now: int) -> int:
    """The packet's own time in µs (Asterisk's `timestampevents`), else now."""
    seconds, _, part = packet.get("Timestamp", "").partition(".")
    if not seconds.isdigit() or not (part or "0").isdigit():
        return now
    return int(seconds) * 1_000_000 + int(part[:6].ljust(6, "0"))


def _plain(recording: Recording) -> dict[str, str]:
    return {"media": recording.media, "file": recording.file or ""}


def _read_secret(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise LinkError(f"asterisk secret_file {file}: {error.strerror}") from error
