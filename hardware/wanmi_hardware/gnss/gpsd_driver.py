"""``gnss-gpsd``: a receiver behind gpsd, over its TCP port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from wanmi.devices import DeviceSettings, Driver, Found, Identity, Place, Sample
from wanmi.errors import DeviceGarbled, DeviceRefused, DeviceUnreachable
from wanmi_hardware.gnss.gpsd import Device, Lines, Message, Sky, identity_of, read_message
from wanmi_hardware.gnss.listening import Teller
from wanmi_hardware.gnss.quantities import GARBLED, QUANTITIES, RULES
from wanmi_hardware.gnss.settings import GpsdSettings

WATCH = b'?WATCH={"enable":true,"json":true}\n'
CHUNK = 16_384


class GpsdReceiver:
    """The session: gpsd's messages, watched."""

    def __init__(
        self, place: Place, settings: GpsdSettings, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    ):
        self._place = place
        self._settings = settings
        self._reader, self._writer = streams
        self._lines = Lines()
        self._sky = Sky()
        self._teller = Teller(settings)
        self._garbled = 0
        self._version = Message()
        self._devices: tuple[Device, ...] = ()
        self._listed = False

    async def begin(self) -> None:
        """Greet: VERSION, then the watch and the list of its devices. DeviceRefused when the wanted one is not there."""
        self._writer.write(WATCH)
        while not self._version.release or not self._listed:
            await self._more()
        self.named()

    async def _more(self) -> list[Sample]:
        chunk = await self._reader.read(CHUNK)
        if not chunk:
            raise DeviceUnreachable(f"gpsd at {self.where}: it hung up")
        came_at = self._place.clock.now()
        return [sample for line in self._lines.feed(chunk) for sample in self._line(line, came_at)]

    @property
    def where(self) -> str:
        """Its address."""
        return f"{self._settings.host}:{self._settings.port}"

    @property
    def devices(self) -> tuple[Device, ...]:
        """What gpsd says that it has."""
        return self._devices

    def named(self) -> None:
        """See to it that gpsd has the receiver that the settings name."""
        wanted, had = self._settings.device, [one.path for one in self._devices]
        if wanted and wanted not in had:
            raise DeviceRefused(f"gpsd at {self.where} has no device {wanted} (it has {', '.join(had) or 'none'})")

    def _line(self, line: bytes, came_at: int) -> list[Sample]:
        try:
            message = read_message(line)
        except DeviceGarbled:
            self._garbled += 1
            return []
        return self._message(message, came_at)

    def _message(self, message: Message, came_at: int) -> list[Sample]:
        kind = message.class_
        if kind == "VERSION":
            self._version = message
        elif kind == "DEVICES":
            self._devices, self._listed = message.devices, True
        elif kind == "ERROR":
            raise DeviceRefused(f"gpsd at {self.where} says: {message.message[:200]}")
        if self._settings.device and message.device != self._settings.device:
            return []
        if kind == "SKY":
            self._sky.take(message)
        elif kind == "TPV":
            return self._told(message, came_at)
        return []

    def _told(self, tpv: Message, came_at: int) -> list[Sample]:
        sample = self._teller.tell(self._sky.epoch(tpv, came_at))
        if sample is None:
            return []
        count = GARBLED.read(float(self._garbled), str(self._garbled))
        return [Sample((*sample.readings, count), sample.fixes)]

    async def identify(self) -> Identity:
        """gpsd's release and its receiver."""
        return identity_of(self._version, self._devices)

    async def samples(self) -> AsyncIterator[Sample]:
        """A sample for each TPV, at the settings' pace."""
        while True:
            try:
                samples = await self._more()
            except OSError as error:
                raise DeviceUnreachable(f"gpsd at {self.where}: {error.strerror or error}") from error
            for sample in samples:
                yield sample

    async def command(self, name: str, args: Mapping[str, str]) -> str:
        """There are none."""
        raise DeviceRefused(f"a receiver behind gpsd takes no commands ({name})")


@asynccontextmanager
async def connect(place: Place, settings: DeviceSettings) -> AsyncIterator[GpsdReceiver]:
    """Reach gpsd and watch."""
    assert isinstance(settings, GpsdSettings)  # noqa: S101 - the book parses settings by the driver's own class
    where = f"{settings.host}:{settings.port}"
    try:
        streams = await asyncio.open_connection(settings.host, settings.port)
    except OSError as error:
        raise DeviceUnreachable(f"gpsd at {where}: {error.strerror or error}; does it run, and with -G for others?") from error  # fmt: skip
    try:
        session = GpsdReceiver(place, settings, streams)
        await session.begin()
        yield session
    finally:
        streams[1].close()
        with suppress(OSError):
            await streams[1].wait_closed()


async def discover(place: Place, where: str) -> AsyncIterator[Found]:
    """The receivers of a gpsd; ``where`` is host or host:port, "" this machine."""
    host, _, port = where.partition(":")
    settings = GpsdSettings(host=host or "127.0.0.1", port=int(port) if port.isdigit() else 2947)
    async with asyncio.timeout(5), connect(place, settings) as session:
        identity = await session.identify()
        for device in session.devices:
            given = {"host": settings.host, "port": str(settings.port), "device": device.path}
            who = Identity(identity.maker, device.driver, firmware=device.subtype)
            yield Found("gnss-gpsd", device.path, given, who, f"gpsd at {session.where} has it")


GNSS_GPSD = Driver(
    "gnss-gpsd", "gnss", "gpsd 卫星定位", "GNSS receiver behind gpsd", GpsdSettings, QUANTITIES, connect,
    rules=RULES, every=0, deadline=8.0, stale_after=15.0, discover=discover,
)  # fmt: skip
