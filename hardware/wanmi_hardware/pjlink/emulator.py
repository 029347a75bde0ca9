"""A PJLink display of one's own, from the protocol's text: for the demo, and for tests of any PJLink client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from wanmi.errors import DeviceGarbled
from wanmi_hardware.pjlink import codec

IN_STANDBY = frozenset({"POWR", "ERST", "LAMP", "INST", "NAME", "INF1", "INF2", "INFO", "CLSS", "SNUM", "SVER", "FILT", "RLMP", "RFIL", "INNM", "RRES"})  # fmt: skip
"""What is answered in standby; the rest is ERR3 there."""


@dataclass
class Projector:
    """What stands behind the protocol: a lamp that takes its time. ``now`` gives seconds."""

    level: int = 2
    warm_seconds: float = 20.0
    cool_seconds: float = 40.0
    now: Callable[[], float] = time.monotonic
    input: str = "31"
    inputs: dict[str, str] = field(
        default_factory=lambda: {"11": "Computer", "31": "HDMI 1", "32": "HDMI 2", "51": "LAN"}
    )
    picture_muted: bool = False
    sound_muted: bool = False
    frozen: bool = False
    errors: str = "000000"
    lamps: list[tuple[int, bool]] = field(default_factory=lambda: [(1234, False)])
    filter_hours: int = 200
    volume: int = 10
    microphone: int = 10
    failed: bool = False
    lacks: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    _lit: bool = False
    _until: float = 0.0

    @property
    def power(self) -> str:
        """The digit that POWR answers."""
        between = self.now() < self._until
        return ("3" if between else "1") if self._lit else ("2" if between else "0")

    def answer(self, raw: bytes) -> bytes:
        """The line that answers one."""
        try:
            line = codec.read_line(raw)
        except DeviceGarbled:
            return codec.Line(1, "POWR", "ERR1").encode()
        if line.level > self.level or line.is_answer:
            return codec.Line(line.level, line.body, "ERR1").encode()
        self.told.append(f"{line.body} {line.text}")
        return codec.Line(line.level, line.body, self._say(line)).encode()

    def _say(self, line: codec.Line) -> str:
        body, text = line.body, line.text
        known = _FIXED.get(body) or _ASKED.get(body) or (body in _SET and "set")
        if not known or body in self.lacks or (body in _CLASS_2 and line.level < 2):
            return "ERR1"
        if self.failed:
            return "ERR4"
        if body not in IN_STANDBY and self.power != "1":
            return "ERR3"
        if body in _FIXED:
            return _FIXED[body] if text == "?" else "ERR2"
        if text.startswith("?") and body in _ASKED:
            return _ASKED[body](self, text[1:])
        return _SET[body](self, text) if body in _SET else "ERR2"

    def switch(self, text: str) -> str:
        """POWR 1, POWR 0."""
        if text not in ("0", "1"):
            return "ERR2"
        if self.power in ("2", "3"):
            return "ERR3"
        if self._lit != (text == "1"):
            self._lit = text == "1"
            self._until = self.now() + (self.warm_seconds if self._lit else self.cool_seconds)
        return "OK"

    def select(self, text: str) -> str:
        """INPT."""
        if text not in self.inputs:
            return "ERR2"
        self.input = text
        return "OK"

    def mute(self, text: str) -> str:
        """AVMT."""
        if len(text) != 2 or text[0] not in "123" or text[1] not in "01":
            return "ERR2"
        if text[0] in "13":
            self.picture_muted = text[1] == "1"
        if text[0] in "23":
            self.sound_muted = text[1] == "1"
        return "OK"

    def freeze(self, text: str) -> str:
        """FREZ."""
        if text not in ("0", "1"):
            return "ERR2"
        self.frozen = text == "1"
        return "OK"

    def louder(self, name: str, text: str) -> str:
        """SVOL and MVOL: a step up or down."""
        if text not in ("0", "1"):
            return "ERR2"
        setattr(self, name, max(0, min(20, getattr(self, name) + (1 if text == "1" else -1))))
        return "OK"

    def muted(self) -> str:
        """AVMT ?."""
        both = (self.picture_muted, self.sound_muted)
        return {(True, False): "11", (False, True): "21", (True, True): "31", (False, False): "30"}[both]

    def lamp_words(self) -> str:
        """LAMP ?: hours and whether lit."""
        return " ".join(f"{hours} {int(self._lit)}" for hours, _ in self.lamps) or "ERR1"


_FIXED = {
    "INF1": "Wanmi", "INF2": "Emulated projector", "INFO": "no light, no heat", "SNUM": "E0001", "SVER": "1.0",
    "RRES": "1920x1080", "RLMP": "LMP-1", "RFIL": "FIL-1",
}  # fmt: skip
_ASKED: dict[str, Callable[[Projector, str], str]] = {
    "POWR": lambda it, _: it.power,
    "INPT": lambda it, _: it.input,
    "AVMT": lambda it, _: it.muted(),
    "ERST": lambda it, _: it.errors,
    "LAMP": lambda it, _: it.lamp_words(),
    "INST": lambda it, _: " ".join(it.inputs),
    "NAME": lambda _it, _: "教室 emulator",
    "CLSS": lambda it, _: str(it.level),
    "INNM": lambda it, code: it.inputs.get(code, "ERR2"),
    "IRES": lambda _it, _: "1920x1080",
    "FILT": lambda it, _: str(it.filter_hours),
    "FREZ": lambda it, _: str(int(it.frozen)),
}
_SET: dict[str, Callable[[Projector, str], str]] = {
    "POWR": Projector.switch,
    "INPT": Projector.select,
    "AVMT": Projector.mute,
    "FREZ": Projector.freeze,
    "SVOL": lambda it, text: it.louder("volume", text),
    "MVOL": lambda it, text: it.louder("microphone", text),
}
_CLASS_2 = frozenset({"SNUM", "SVER", "INNM", "IRES", "RRES", "FILT", "RLMP", "RFIL", "SVOL", "MVOL", "FREZ"})


class PjlinkEmulator:
    """Serves one projector on TCP, and answers searches over UDP. Faults: ``slow`` s, ``half`` lines, ``hangs_up``."""

    def __init__(self, projector: Projector | None = None, password: str = "", salt: str = "498e4a67") -> None:
        self.projector = projector or Projector()
        self.password = password
        self.salt = salt
        self.mac = "00:11:22:33:44:55"
        self.port = 0
        self.slow = 0.0
        self.half = False
        self.hangs_up = False
        self.says: bytes | None = None
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._search: asyncio.DatagramTransport | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; ``self.port`` says where (TCP and UDP)."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=codec.LONGEST + 32)
        self.port = int(self._server.sockets[0].getsockname()[1])
        loop = asyncio.get_running_loop()
        self._search, _ = await loop.create_datagram_endpoint(lambda: _Searched(self), (host, self.port))

    async def stop(self) -> None:
        """Hang up and listen no more."""
        if self._server is not None:
            self._server.close()
        if self._search is not None:
            self._search.close()
        for writer in list(self._writers):
            writer.close()

    def notify(self, body: str, text: str, to: tuple[str, int]) -> None:
        """Say something over UDP, as class 2 does: LKUP, ERST, POWR, INPT."""
        if self._search is not None:
            self._search.sendto(codec.Line(2, body, text).encode(), to)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.connections += 1
        try:
            writer.write(f"PJLINK 1 {self.salt}\r".encode() if self.password else b"PJLINK 0\r")
            await self._talk(reader, writer, bool(self.password))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, locked: bool) -> None:
        while True:
            line = await reader.readuntil(b"\r")
            if locked:
                proof = codec.digest(self.salt, self.password)
                if not line.lower().startswith(proof):
                    writer.write(b"PJLINK ERRA\r")
                    return
                line, locked = line[len(proof) :], False
            await asyncio.sleep(self.slow)
            answer = self.says or self.projector.answer(line)
            if self.hangs_up:
                return
            if self.half:
                writer.write(answer[: len(answer) // 2])
                return
            writer.write(answer)


class _Searched(asyncio.DatagramProtocol):
    def __init__(self, emulator: PjlinkEmulator) -> None:
        self._emulator = emulator
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data.strip().upper() == b"%2SRCH" and self._transport is not None and self._emulator.projector.level == 2:
            self._transport.sendto(codec.Line(2, "ACKN", self._emulator.mac).encode(), addr)
