"""One Samsung display: its frames, what it says, what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from wanmi.clock import SECOND
from wanmi.devices import Identity, Reading, Sample
from wanmi.devices import displays as of
from wanmi.errors import BadInput, DeviceFault, DeviceGarbled, DeviceRefused, DeviceUnreachable
from wanmi_hardware.samsung_mdc import codec

PATIENCE = 3.0
"""Seconds for one answer: displays take up to two to switch an input."""
CHANGES = 30.0
"""Seconds that a display takes at most to come up or to go down; then what it says counts again."""


@dataclass
class Change:
    """What a display was told last about its power, and when (µs): kept over connections, which switching breaks."""

    wanted: str = ""
    since: int = 0

    def word(self, powered: bool, now: int) -> str:
        """The power state: MDC itself knows only on and off."""
        said = "on" if powered else "standby"
        if not self.wanted or self.wanted == ("on" if powered else "off") or now - self.since > CHANGES * SECOND:
            self.wanted = ""
            return said
        return "warming" if self.wanted == "on" else "cooling"


class MdcSession:
    """A line to one display. One command at a time; an answer that was given up ends it."""

    def __init__(
        self, where: str, id: int, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        change: Change, now: Callable[[], int],
    ) -> None:  # fmt: skip
        self._where = where
        self._id = id
        self._reader, self._writer = streams
        self._change = change
        self._now = now
        self._framer = codec.Framer()
        self._owed = False
        self._lacks: set[int] = set()
        self._powered = False
        self._lock = asyncio.Lock()

    async def ask(self, command: int, data: bytes = b"") -> codec.Answer:
        """Send a command and wait for its answer, done or not."""
        async with self._lock:
            if self._owed:
                raise DeviceUnreachable(f"{self._where}: an earlier answer never came; connecting anew")
            self._owed = True
            self._writer.write(codec.Frame(command, self._id, data).encode())
            try:
                answer = await asyncio.wait_for(self._answer(command), PATIENCE)
            except TimeoutError:
                raise self._silence() from None
            self._owed = False
            return answer

    async def identify(self) -> Identity:
        """Model, serial number, software."""
        told = [await self._text(command) for command in (codec.MODEL, codec.SERIAL, codec.SOFTWARE)]
        return Identity("Samsung", *told)

    async def samples(self) -> AsyncIterator[Sample]:
        """Everything that it says of itself, at once."""
        identity: Identity | None = None
        while True:
            readings = [one async for one in self._readings()]
            identity = identity or await self.identify()
            yield Sample(tuple(readings), identity=identity)

    async def command(self, name: str, args: Mapping[str, str]) -> str:
        """Tell it; DeviceRefused while it comes up or goes down."""
        power = await self._power()
        if power in ("warming", "cooling"):
            ends = "on" if power == "warming" else "in standby"
            raise DeviceRefused(
                f"{self._where} is {of.POWER_WORDS[power][1]}: wait until it is {ends} (up to {CHANGES:.0f} s)"
            )
        if name in ("on", "off"):
            return await self._switch(name, power)
        if power != "on":
            raise DeviceRefused(f"{self._where} is in standby: switch it on first (command on)")
        if name == "input":
            return await self._select(args["input"])
        if name == "show":
            return await self._show(args["url"])
        if name == "brightness":
            return await self._set(codec.BRIGHTNESS, _level(args["level"]), "brightness")
        if name == "volume":
            return await self._set(codec.VOLUME, _level(args["level"]), "volume")
        if name == "mute":
            return await self._set(codec.MUTE, _switch(args["state"]), "mute")
        raise BadInput(f"MDC knows no command {name!r}")

    # -- parts --------------------------------------------------------------------------------------------

    async def _readings(self) -> AsyncIterator[Reading]:
        answer = await self._good(codec.STATUS)
        status, raw = codec.read_status(answer.data), answer.data.hex(" ")
        self._powered = status.powered
        yield of.POWER.read(self._change.word(status.powered, self._now()), raw)
        yield of.INPUT.read(codec.input_name(status.input), f"{status.input:02x}")
        if status.muted is not None:
            yield of.VOLUME.read(float(status.volume), str(status.volume))
            yield of.SOUND_MUTED.read("on" if status.muted else "off", raw)
        async for reading in self._faults():
            yield reading
        async for reading in self._others():
            yield reading

    async def _faults(self) -> AsyncIterator[Reading]:
        answer = await self._maybe(codec.FAULTS)
        if answer is None:
            return
        faults, raw = codec.read_faults(answer.data), answer.data.hex(" ")
        fan, lamp, temperature = of.ERRORS[:3]
        yield lamp.read(faults.lamp, raw)
        yield temperature.read(faults.temperature, raw)
        yield fan.read(faults.fan, raw)
        yield of.SIGNAL.read(faults.signal, raw)
        yield of.TEMPERATURE.read(float(faults.celsius), str(faults.celsius))

    async def _others(self) -> AsyncIterator[Reading]:
        level = await self._maybe(codec.BRIGHTNESS)
        if level is not None:
            yield of.BRIGHTNESS.read(float(codec.read_level(level.data)), level.data.hex())
        time = await self._maybe(codec.PANEL_TIME)
        if time is not None:
            yield of.PANEL_HOURS.read(round(codec.read_panel_hours(time.data), 1), time.data.hex(" "))
        url = await self._maybe(codec.LAUNCHER, bytes([codec.LAUNCHER_URL]))
        if url is not None and url.data[:1] == bytes([codec.LAUNCHER_URL]):
            yield of.PAGE.read(codec.read_text(url.data[1:]), url.data.hex(" "))

    async def _power(self) -> str:
        status = codec.read_status((await self._good(codec.STATUS)).data)
        return self._change.word(status.powered, self._now())

    async def _switch(self, name: str, power: str) -> str:
        if (power == "on") == (name == "on"):
            return f"it is {power} already"
        self._change.wanted, self._change.since = name, self._now()
        try:
            return await self._set(codec.POWER, b"\x01" if name == "on" else b"\x00", "power")
        except DeviceRefused:
            self._change.wanted = ""
            raise

    async def _select(self, name: str) -> str:
        code = codec.input_code(name)
        if code is None:
            raise BadInput(f"no input {name!r}: one of {', '.join(codec.INPUTS.values())}, or its code as 0x25")
        return await self._set(codec.INPUT, bytes([code]), "input")

    async def _show(self, url: str) -> str:
        """The display's own browser; models without one answer N."""
        if urlsplit(url).scheme not in ("http", "https") or len(url.encode()) > 200:
            raise BadInput(f"{url[:60]!r}: an http or https address of at most 200 bytes")
        await self._set(codec.LAUNCHER, bytes([codec.LAUNCHER_URL]) + url.encode(), "the page")
        return await self._set(codec.INPUT, bytes([codec.URL_INPUT]), "input")

    async def _set(self, command: int, data: bytes, what: str) -> str:
        await self._good(command, data)
        return f"{what}: done"

    async def _good(self, command: int, data: bytes = b"") -> codec.Answer:
        answer = await self.ask(command, data)
        if not answer.done:
            why = answer.data.hex() or "no code"
            raise DeviceRefused(
                f"{self._where} will not do command {command:02X} (N, {why}): this model or state cannot"
            )
        return answer

    async def _maybe(self, command: int, data: bytes = b"") -> codec.Answer | None:
        """An answer that a model may not have; what it once refused while on is not asked again."""
        if command in self._lacks:
            return None
        answer = await self.ask(command, data)
        if not answer.done and self._powered:
            self._lacks.add(command)
        return answer if answer.done else None

    async def _text(self, command: int) -> str:
        answer = await self._maybe(command)
        return codec.read_text(answer.data) if answer is not None else ""

    async def _answer(self, command: int) -> codec.Answer:
        """The next answer of this display to this command; what others on the line say is passed over."""
        while True:
            for frame in self._framer.feed(await self._read()):
                answer = codec.read_answer(frame)
                if answer.command == command and self._id in (answer.id, codec.EVERYBODY):
                    return answer

    async def _read(self) -> bytes:
        try:
            raw = await self._reader.read(512)
        except OSError as error:
            raise DeviceUnreachable(f"{self._where}: {error.strerror or error}") from error
        if not raw:
            raise DeviceUnreachable(f"{self._where} hung up")
        if self._framer.head.startswith(codec.TLS_HELLO[:8]) or raw.startswith(codec.TLS_HELLO):
            raise DeviceRefused(f"{self._where} wants TLS and a PIN: set `pin` to that of its network menu")
        return raw

    def _silence(self) -> DeviceFault:
        if self._framer.skipped:
            head = self._framer.head[:8].hex(" ")
            return DeviceGarbled(
                f"{self._where}: {self._framer.skipped} bytes that are no frame ({head} …); check the baud rate"
            )
        return DeviceUnreachable(
            f"{self._where}: display {self._id} does not answer within {PATIENCE:g} s; check its id"
        )


def _level(text: str) -> bytes:
    if not text.isascii() or not text.isdigit() or int(text) > 100:
        raise BadInput(f"level {text!r}: 0 to 100")
    return bytes([int(text)])


def _switch(text: str) -> bytes:
    if text not in ("on", "off"):
        raise BadInput(f"state {text!r}: on or off")
    return b"\x01" if text == "on" else b"\x00"
