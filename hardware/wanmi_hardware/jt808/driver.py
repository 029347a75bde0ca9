"""``jt808``: a port where vehicles' terminals report. The device is the port; its parts are the vehicles."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from pydantic import Field, field_validator

from wanmi.coords import Datum
from wanmi.devices import Command, DeviceSettings, Driver, Found, Identity, Place, Sample
from wanmi.errors import DeviceRefused, DeviceUnreachable
from wanmi_hardware.jt808.codes import CodeBook
from wanmi_hardware.jt808.connection import Connection
from wanmi_hardware.jt808.gateway import Gateway
from wanmi_hardware.jt808.taking import CONNECTED, GARBLED, QUANTITIES, RULES, VEHICLE_RULES, WAITING

HEARD_EVERY = 10.0
"""Seconds between two samples of the port itself when no vehicle speaks."""
_PHONE = re.compile(r"[1-9][0-9]{0,19}", re.ASCII)


class GatewaySettings(DeviceSettings):
    """Where vehicles report, and which may."""

    host: str = Field(default="0.0.0.0", max_length=255)  # noqa: S104 - vehicles come from outside
    """The address to listen on."""
    port: int = Field(default=8080, ge=0, le=65535)
    """The TCP port that is set in the vehicles' terminals."""
    vehicles: str = Field(default="", max_length=20_000)
    """Numbers of the terminals that are approved, with commas between; others are refused and listed as waiting."""
    datum: Datum = "WGS84"
    """What the terminals send: WGS84, or GCJ02 if they were set up for Chinese maps."""
    most_connections: int = Field(default=500, ge=1, le=20_000)
    """Connections at once; further ones are closed."""
    silent_after: float = Field(default=600.0, gt=0, le=86_400)
    """Seconds of silence after which a connection is closed; terminals send a heartbeat every minute or so."""

    @field_validator("vehicles")
    @classmethod
    def _numbers(cls, text: str) -> str:
        for one in filter(None, (part.strip() for part in text.split(","))):
            if not _PHONE.fullmatch(one.lstrip("0")):
                raise ValueError(f"{one!r} is no terminal's number")
        return text

    @property
    def approved(self) -> frozenset[str]:
        """The numbers, without leading zeros."""
        return frozenset(one.strip().lstrip("0") for one in self.vehicles.split(",") if one.strip())


class GatewaySession:
    """The open port."""

    def __init__(self, gateway: Gateway, server: asyncio.Server) -> None:
        self._gateway = gateway
        self._server = server

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def identify(self) -> Identity:
        """The protocol."""
        return Identity(model="JT/T 808-2013/2019")

    async def samples(self) -> AsyncIterator[Sample]:
        """What vehicles say, as they say it; each message is answered once its sample has been taken."""
        while True:
            taken = await self._gateway.next(HEARD_EVERY)
            if taken is None:
                yield self._own()
                continue
            yield taken.sample
            taken.done()

    def _own(self) -> Sample:
        waiting = self._gateway.waiting
        counts = ((CONNECTED, self._gateway.connected), (WAITING, len(waiting)), (GARBLED, self._gateway.garbled))
        names = " ".join(waiting)
        return Sample(tuple(
            quantity.read(float(n), names if quantity is WAITING else str(n)) for quantity, n in counts
        ))  # fmt: skip

    async def command(self, name: str, args: Mapping[str, str]) -> str:
        """``waiting`` lists who wants in; ``forget`` empties that list."""
        if name == "waiting":
            return "\n".join(f"{phone}: {why}" for phone, why in self._gateway.waiting.items()) or "nobody waits"
        if name == "forget":
            self._gateway.waiting.clear()
            return "forgotten"
        raise DeviceRefused(f"the vehicles' port knows no command {name}")


@asynccontextmanager
async def connect(place: Place, settings: DeviceSettings) -> AsyncIterator[GatewaySession]:
    """Listen. DeviceUnreachable when the port is taken."""
    assert isinstance(settings, GatewaySettings)  # noqa: S101 - the book parses settings by the driver's own class
    codes = await asyncio.to_thread(CodeBook.open, place.dir)
    waiting = _waiting(place, str(settings.port))
    for phone in settings.approved:
        waiting.pop(phone, None)
    gateway = Gateway(place, codes, settings.approved, settings.datum, settings.most_connections, waiting)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Connection(gateway, reader, writer, settings.silent_after).run()

    try:
        server = await asyncio.start_server(serve, settings.host, settings.port, limit=65_536)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise DeviceUnreachable(f"cannot listen on {where}: {error.strerror or error}; is the port taken?") from error
    try:
        yield GatewaySession(gateway, server)
    finally:
        server.close()
        gateway.close()


async def discover(place: Place, where: str) -> AsyncIterator[Found]:
    """Terminals that wait for approval at the port ``where`` (default 8080) of this edge."""
    for phone, why in _waiting(place, where or "8080").items():
        yield Found("jt808", phone, {"vehicles": phone}, Identity(serial=phone), why)


def _waiting(place: Place, port: str) -> dict[str, str]:
    """Who waits at a port; outlives the session, so that approving one forgets no other."""
    waiting = place.shared(f"jt808:{port}", dict)
    assert isinstance(waiting, dict)  # noqa: S101 - made in the line above
    return waiting


def _approved(settings: DeviceSettings) -> frozenset[str]:
    assert isinstance(settings, GatewaySettings)  # noqa: S101 - the book parses settings by the driver's own class
    return settings.approved


JT808 = Driver(
    "jt808", "vehicles", "车载终端接入（JT/T 808）", "vehicles' terminals (JT/T 808)", GatewaySettings, QUANTITIES, connect,
    commands=(
        Command("waiting", "待批准终端", "who waits for approval", {}),
        Command("forget", "清空待批准名单", "empty the list of those who wait", {}),
    ),
    rules=RULES, part_rules=VEHICLE_RULES, every=0, deadline=8.0, stale_after=60.0, discover=discover, parts=_approved,
)  # fmt: skip
