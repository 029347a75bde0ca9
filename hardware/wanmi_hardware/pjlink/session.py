"""One display over PJLink: its connection, what it says, what it is told."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping

from wanmi.devices import Event, Identity, Quantity, Reading, Sample, Value
from wanmi.devices import displays as of
from wanmi.errors import BadInput, DeviceGarbled, DeviceRefused, DeviceUnreachable
from wanmi_hardware.pjlink import codec

EVENTS_KEPT = 20
"""What a display says by itself between two polls; more push the oldest out: anybody can send datagrams."""
_WAITS = {
    "warming": "it is warming up: it takes commands once it is on (half a minute to two minutes)",
    "cooling": "it is cooling down: it takes commands once it is in standby (one to three minutes); do not cut its power",
    "standby": "it is in standby: switch it on first (command on)",
}
_MUTES = {"picture": "1", "sound": "2", "both": "3"}
_STATES = {"on": "1", "off": "0"}


class PjlinkSession:
    """A connection that is greeted and let in. One command at a time; an answer that was given up ends it."""

    def __init__(self, where: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._where = where
        self._reader, self._writer = reader, writer
        self._prefix = b""
        self._level = 1
        self._owed = False
        self._lacks: set[str] = set()
        self._inputs: dict[str, str] = {}
        self._events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self._lock = asyncio.Lock()

    async def enter(self, password: str) -> None:
        """Read the greeting, prove the password with the first command, learn the class."""
        salt = codec.read_greeting(await self._line())
        if salt and not password:
            raise DeviceRefused(f"{self._where} wants a password and none is set: set `password`")
        self._prefix = codec.digest(salt, password) if salt else b""
        said = await self.ask("CLSS")
        self._level = 2 if said.text == "2" else 1

    @property
    def level(self) -> int:
        """The class that the display says it has: 1 or 2."""
        return self._level

    def noticed(self, event: Event) -> None:
        """The display spoke by itself over UDP; told with the next sample."""
        self._events.append(event)

    async def ask(self, body: str, text: str = "?", level: int = 1) -> codec.Line:
        """Ask or tell; returns the answer, an error among them. DeviceRefused when the password is wrong."""
        async with self._lock:
            if self._owed:
                raise DeviceUnreachable(f"{self._where}: an earlier answer never came; connecting anew")
            self._owed = True
            self._writer.write(self._prefix + codec.ask(level, body, text))
            self._prefix = b""
            answer = await self._line()
            if answer.rstrip(b"\r\n").upper() == codec.REFUSED.encode():
                raise DeviceRefused(f"{self._where}: the password is wrong (it answers ERRA); set `password` again")
            line = codec.read_line(answer)
            if line.body != body or not line.is_answer:
                raise DeviceGarbled(f"{self._where}: asked {body} and was answered {line.body}")
            self._owed = False
            return line

    async def identify(self) -> Identity:
        """Maker, model, serial number and software; the last two from class 2 on."""
        told = {body: await self._told(body) for body in ("INF1", "INF2")}
        if self._level == 2:
            told |= {body: await self._told(body, 2) for body in ("SNUM", "SVER")}
        return Identity(told["INF1"], told["INF2"], told.get("SNUM", ""), told.get("SVER", ""))

    async def samples(self) -> AsyncIterator[Sample]:
        """Everything that it says of itself, at once."""
        identity = await self.identify()
        facts = [one async for one in self._facts()]
        while True:
            readings = facts + [one async for one in self._readings()]
            facts = []
            events = tuple(self._events)
            self._events.clear()
            yield Sample(tuple(readings), events=events, identity=identity)

    async def command(self, name: str, args: Mapping[str, str]) -> str:
        """Tell it; DeviceRefused while it warms up or cools down, with what to wait for."""
        power = codec.read_power((await self._good("POWR")).text)
        if power in ("warming", "cooling"):
            raise DeviceRefused(f"{self._where}: {_WAITS[power]}")
        if name in ("on", "off"):
            return await self._switch(name, power)
        if power != "on":
            raise DeviceRefused(f"{self._where}: {_WAITS[power]}")
        if name == "input":
            return await self._select(args["input"])
        if name == "mute":
            return await self._tell(
                "AVMT", _picked(_MUTES, args["what"], "what") + _picked(_STATES, args["state"], "state")
            )
        if self._level < 2:
            raise DeviceRefused(f"{self._where} is a class 1 display: it knows no {name}")
        if name == "freeze":
            return await self._tell("FREZ", _picked(_STATES, args["state"], "state"), 2)
        if name == "volume":
            return await self._tell("SVOL", _picked({"up": "1", "down": "0"}, args["step"], "step"), 2)
        if name == "microphone":
            return await self._tell("MVOL", _picked({"up": "1", "down": "0"}, args["step"], "step"), 2)
        raise BadInput(f"PJLink knows no command {name!r}")

    # -- parts --------------------------------------------------------------------------------------------

    async def _facts(self) -> AsyncIterator[Reading]:
        """What does not change while the connection stands: told with its first sample."""
        for body, level, quantity in _FACTS:
            text = await self._told(body, level) if level <= self._level else ""
            if text:
                yield quantity.read(codec.read_size(text) if quantity is of.BEST_RESOLUTION else text, text)
        await self._learn_inputs()
        if self._inputs:
            words = ", ".join(f"{codec.read_input(code)} {name}".strip() for code, name in self._inputs.items())
            yield of.INPUTS.read(words, " ".join(self._inputs))

    async def _learn_inputs(self) -> None:
        """The inputs that it has; their names from class 2 on. A display that will not list them is asked again later."""
        said = await self.ask("INST", level=self._level)
        if said.error:
            return
        found = {}
        for code in codec.read_inputs(said.text):
            named = await self.ask("INNM", f"?{code}", 2) if self._level == 2 else None
            found[code] = "" if named is None or named.error else named.text.strip()
        self._inputs = found

    async def _readings(self) -> AsyncIterator[Reading]:
        for body, level, cook in _POLLED:
            if level > self._level or body in self._lacks:
                continue
            said = await self.ask(body, level=level)
            if said.error == "ERR1":
                self._lacks.add(body)
                continue
            if said.error == "ERR4":
                yield of.ERRORS[5].read("error", "ERR4")
            for quantity, value, name in _cooked(cook, said, self._where):
                yield _named(quantity.read(value, said.text), name)

    async def _switch(self, name: str, power: str) -> str:
        if (power == "on") == (name == "on"):
            return f"it is {power} already"
        return await self._tell("POWR", _STATES[name])

    async def _select(self, name: str) -> str:
        """By its code (31), its kind (DIGITAL-1), or the name that the display itself gives it."""
        if not self._inputs:
            await self._learn_inputs()
        named = next((code for code, own in self._inputs.items() if own and own.lower() == name.strip().lower()), None)
        code = named or codec.write_input(name)
        if code is None or code not in self._inputs:
            known = ", ".join(f"{codec.read_input(one)} {own}".strip() for one, own in self._inputs.items())
            raise BadInput(f"{self._where} has no input {name!r}; it has {known or 'told none'}")
        return await self._tell("INPT", code, self._level)

    async def _tell(self, body: str, text: str, level: int = 1) -> str:
        line = await self._good(body, level, text)
        return f"{body} {line.text}"

    async def _good(self, body: str, level: int = 1, text: str = "?") -> codec.Line:
        line = await self.ask(body, text, level)
        if line.error:
            raise DeviceRefused(f"{self._where} answers {body} with {line.error}: {codec.ERRORS[line.error]}")
        return line

    async def _told(self, body: str, level: int = 1) -> str:
        line = await self.ask(body, level=level)
        return "" if line.error else line.text.strip()

    async def _line(self) -> bytes:
        try:
            return await self._reader.readuntil(b"\r")
        except asyncio.IncompleteReadError as error:
            half = f" in the middle of a line ({error.partial[:20]!r})" if error.partial else ""
            raise DeviceUnreachable(f"{self._where} hung up{half}") from None
        except asyncio.LimitOverrunError:
            raise DeviceGarbled(f"{self._where}: a line without an end; is another service on this port?") from None
        except OSError as error:
            raise DeviceUnreachable(f"{self._where}: {error.strerror or error}") from error


Cooked = Iterator[tuple[Quantity, Value, str]]


def _power(text: str) -> Cooked:
    yield of.POWER, codec.read_power(text), ""


def _input(text: str) -> Cooked:
    yield of.INPUT, codec.read_input(text), ""


def _muted(text: str) -> Cooked:
    picture, sound = codec.read_muted(text)
    yield of.PICTURE_MUTED, picture, ""
    yield of.SOUND_MUTED, sound, ""


def _errors(text: str) -> Cooked:
    for quantity, word in zip(of.ERRORS, codec.read_errors(text), strict=True):
        yield quantity, word, ""


def _lamps(text: str) -> Cooked:
    for n, (hours, lit) in enumerate(codec.read_lamps(text), start=1):
        yield of.LAMP_HOURS, float(hours), f"lamp.{n}.hours"
        yield of.LAMP_LIT, lit, f"lamp.{n}.lit"


def _filter(text: str) -> Cooked:
    yield of.FILTER_HOURS, float(codec.read_hours(text)), ""


def _frozen(text: str) -> Cooked:
    yield of.FROZEN, codec.read_switch(text), ""


def _size(text: str) -> Cooked:
    yield of.RESOLUTION, codec.read_size(text), ""


def _name(text: str) -> Cooked:
    yield of.NAME, text, ""


_POLLED: tuple[tuple[str, int, Callable[[str], Cooked]], ...] = (
    ("POWR", 1, _power),
    ("INPT", 1, _input),
    ("AVMT", 1, _muted),
    ("ERST", 1, _errors),
    ("LAMP", 1, _lamps),
    ("NAME", 1, _name),
    ("FILT", 2, _filter),
    ("FREZ", 2, _frozen),
    ("IRES", 2, _size),
)
_FACTS: tuple[tuple[str, int, Quantity], ...] = (
    ("INFO", 1, of.INFO),
    ("RRES", 2, of.BEST_RESOLUTION),
    ("RLMP", 2, of.LAMP_MODEL),
    ("RFIL", 2, of.FILTER_MODEL),
)
_UNKNOWN: Mapping[Callable[[str], Cooked], tuple[Quantity, ...]] = {
    _power: (of.POWER,), _input: (of.INPUT,), _muted: (of.PICTURE_MUTED, of.SOUND_MUTED), _errors: of.ERRORS[:5],
    _filter: (of.FILTER_HOURS,), _frozen: (of.FROZEN,), _size: (of.RESOLUTION,),
}  # fmt: skip
"""What is unknown when a display will not say it now (ERR3, ERR4)."""


def _cooked(cook: Callable[[str], Cooked], said: codec.Line, where: str) -> Cooked:
    if said.error:
        yield from ((quantity, None, "") for quantity in _UNKNOWN.get(cook, ()))
        return
    try:
        yield from cook(said.text)
    except DeviceGarbled as error:
        raise DeviceGarbled(f"{where}: {error}") from None


def _named(reading: Reading, name: str) -> Reading:
    """A row's reading by the row's number."""
    return Reading(name, reading.value, reading.raw, reading.quality) if name else reading


def _picked(words: Mapping[str, str], text: str, what: str) -> str:
    if text not in words:
        raise BadInput(f"{what} {text!r}: one of {', '.join(words)}")
    return words[text]
