"""A Samsung display of one's own, by MDC: for the demo, and for tests of any MDC client."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field

from wanmi_hardware.samsung_mdc import codec


@dataclass
class Panel:
    """What stands behind the protocol. ``feed`` takes bytes of any line and gives those that answer."""

    id: int = 1
    powered: bool = False
    volume: int = 20
    muted: bool = False
    input: int = 0x21
    brightness: int = 60
    faults: bytes = bytes([0, 0, 0, 0, 36, 0])
    panel_tens: int = 6_000
    url: str = ""
    model: str = "QM55R"
    serial: str = "0ABCHCLN100001"
    software: str = "S-KTM2ELAKUC 2023.1"
    lacks: set[int] = field(default_factory=set)
    told: list[tuple[int, bytes]] = field(default_factory=list)
    framer: codec.Framer = field(default_factory=codec.Framer)

    def feed(self, raw: bytes) -> bytes:
        """The answers to the frames that are whole now and meant for this display."""
        return b"".join(self._answer(one) for one in self.framer.feed(raw) if one.id in (self.id, codec.EVERYBODY))

    def _answer(self, frame: codec.Frame) -> bytes:
        self.told.append((frame.command, frame.data))
        said = None if frame.command in self.lacks else self._say(frame.command, frame.data)
        if said is None:
            return codec.answer(self.id, frame.command, b"\x01", done=False)
        return codec.answer(self.id, frame.command, said)

    def _say(self, command: int, data: bytes) -> bytes | None:
        texts = {codec.MODEL: self.model, codec.SERIAL: self.serial, codec.SOFTWARE: self.software}
        if command in texts and not data:
            return texts[command].encode()
        if command == codec.STATUS and not data:
            return bytes([self.powered, self.volume, self.muted, self.input, 0x10, 0, 0])
        if command == codec.FAULTS and not data:
            return self.faults
        if command == codec.PANEL_TIME and not data:
            return self.panel_tens.to_bytes(2, "big")
        if command == codec.LAUNCHER:
            return self._launch(data)
        return self._level(command, data) if command in _LEVELS else None

    def _level(self, command: int, data: bytes) -> bytes | None:
        name, most = _LEVELS[command]
        if data and (len(data) > 1 or data[0] > most or not (self.powered or command == codec.POWER)):
            return None
        if data:
            setattr(self, name, data[0])
        return bytes([int(getattr(self, name))])

    def _launch(self, data: bytes) -> bytes | None:
        if data[:1] != bytes([codec.LAUNCHER_URL]):
            return None
        if len(data) > 1:
            self.url = codec.read_text(data[1:])
        return bytes([codec.LAUNCHER_URL]) + self.url.encode()


_LEVELS = {
    codec.POWER: ("powered", 1), codec.VOLUME: ("volume", 100), codec.MUTE: ("muted", 1), codec.INPUT: ("input", 255),
    codec.BRIGHTNESS: ("brightness", 100),
}  # fmt: skip


class MdcEmulator:
    """Serves one panel on TCP, with TLS and a PIN where ``tls`` is given. Faults: ``slow`` s, ``half``, ``hangs_up``."""

    def __init__(self, panel: Panel | None = None, tls: ssl.SSLContext | None = None, pin: str = "") -> None:
        self.panel = panel or Panel()
        self.tls = tls
        self.pin = pin
        self.port = 0
        self.slow = 0.0
        self.half = False
        self.hangs_up = False
        self.noise = b""
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; ``self.port`` says where."""
        self._server = await asyncio.start_server(self._serve, host, port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Hang up and listen no more."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self.tls is None or await self._let_in(reader, writer, self.tls):
                await self._talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tls: ssl.SSLContext) -> bool:
        writer.write(codec.TLS_HELLO)
        await writer.drain()
        await writer.start_tls(tls)
        passed = (await reader.readexactly(4)).decode("ascii", "replace") == self.pin
        writer.write(codec.TLS_PASSED if passed else b"MDCAUTH<<FAIL:0001>>")
        await writer.drain()
        return passed

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while raw := await reader.read(512):
            answer = self.panel.feed(raw)
            await asyncio.sleep(self.slow)
            if self.hangs_up:
                return
            if self.half:
                writer.write(answer[: len(answer) // 2])
                return
            writer.write(self.noise + answer)
