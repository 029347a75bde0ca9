"""A device that speaks lines over TCP, and its driver: real sockets, and a peer that does as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import ModuleType

from pydantic import SecretStr

from wanmi.devices import AlarmRule, Command, DeviceSettings, Driver, Identity, Place, Quantity, Sample
from wanmi.errors import DeviceRefused, DeviceUnreachable
from wanmi.hookspecs import hookimpl
from wanmi.plugins import Plugin
from wanmi.registry import Registry

LOAD = Quantity("load", "%", "负载", "load", 0, 200)
POWER = Quantity("power.state", "", "供电", "power", words={"mains": ("市电", "mains"), "battery": ("电池", "battery")})
HOT = AlarmRule("load.high", "load", "warning", "负载过高", "load is high", above=80, back=10)
STUCK = AlarmRule("load.stuck", "load", "critical", "负载越限", "load was over 150", above=150, latching=True)


class LineSettings(DeviceSettings):
    """Where the device listens."""

    port: int
    """TCP port on loopback."""
    password: SecretStr = SecretStr("")
    """What it wants to hear first."""


class LineSession:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def identify(self) -> Identity:
        return Identity("Lines", await self._ask("who"))

    async def samples(self) -> AsyncIterator[Sample]:
        while True:
            load, power = (await self._ask("say")).split()
            yield Sample((LOAD.read(float(load), load), POWER.read(power, power)))

    async def command(self, name: str, args: Mapping[str, str]) -> str:
        return await self._ask(f"{name} {args['to']}")

    async def _ask(self, text: str) -> str:
        self._writer.write(f"{text}\n".encode())
        line = await self._reader.readline()
        if not line:
            raise DeviceUnreachable("it hung up")
        return line.decode().strip()


@asynccontextmanager
async def connect(place: Place, settings: DeviceSettings) -> AsyncIterator[LineSession]:
    assert isinstance(settings, LineSettings)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", settings.port)
    except OSError as error:
        raise DeviceUnreachable(f"127.0.0.1:{settings.port}: {error.strerror}") from error
    try:
        session = LineSession(reader, writer)
        if await session._ask(f"password {settings.password.get_secret_value()}") != "ok":
            raise DeviceRefused(f"127.0.0.1:{settings.port}: the password is wrong")
        yield session
    finally:
        writer.close()


LINES = Driver(
    "lines", "ups", "行式设备", "line device", LineSettings, (LOAD, POWER), connect,
    commands=(Command("dim", "调光", "dim", {"to": "0 to 100"}, risky=True),),
    rules=(HOT, STUCK), every=0.02, deadline=1.5, stale_after=5.0,
)  # fmt: skip


class LinePeer:
    """The device: says what ``says`` holds; hangs when told so; remembers what it was told."""

    def __init__(self) -> None:
        self.says = "20 mains"
        self.password = ""
        self.hangs = False
        self.told: list[str] = []
        self.answered = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while line := (await reader.readline()).decode().strip():
                while self.hangs:  # noqa: ASYNC110 - the test says when
                    await asyncio.sleep(0.01)
                writer.write(f"{self._answer(line)}\n".encode())
        except ConnectionError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _answer(self, line: str) -> str:
        self.told.append(line)
        if line.startswith("password"):
            return "ok" if line.removeprefix("password").strip() == self.password else "no"
        self.answered += 1
        return "model 1" if line == "who" else self.says if line == "say" else f"did {line}"


def lines_plugin() -> Plugin:
    module = ModuleType("wanmi_lines")

    @hookimpl
    def register(to: Registry) -> None:
        to.driver(LINES)

    module.register = register  # type: ignore[attr-defined]
    return Plugin("lines", "0", module)
