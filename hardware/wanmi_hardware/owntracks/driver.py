"""``owntracks``: listens at a broker for what telephones with OwnTracks publish. Its parts are ``user/device``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from wanmi.devices import DeviceSettings, Driver, Identity, Place, Quantity, Sample
from wanmi.errors import BadInput, DeviceGarbled, DeviceRefused, DeviceUnreachable
from wanmi.mqtt import Message, MqttClient, Session, read_address
from wanmi_hardware.owntracks.reading import QUANTITIES, read_message

PATIENCE = 1.0
CONNECT = 6.0
QUIET = 20.0
"""Seconds after which a quiet but connected source says so, that it does not count as stale."""
GARBLED = Quantity("messages.garbled", "", "损坏消息数", "damaged messages", 0)


class OwnTracksSettings(DeviceSettings):
    """Where telephones publish."""

    url: str = Field(max_length=300)
    """The broker: mqtt://host:port or mqtts://host:port, without a password."""
    user: str = Field(default="", max_length=100)
    """Who this edge is there; it needs to read owntracks/+/+ and nothing else."""
    password: SecretStr = SecretStr("")
    """Its password."""
    ca: str = Field(default="", max_length=300)
    """For mqtts: the file with the authority to trust; empty: the system's."""
    users: str = Field(default="", max_length=4000)
    """Users whose positions are taken, with commas between; empty: all that the broker lets publish."""

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        try:
            if read_address(url).password:
                raise ValueError("leave the password out of the address; it is a setting of its own")
        except BadInput as error:
            raise ValueError(str(error)) from error
        return url


class OwnTracksSession:
    """A standing subscription."""

    def __init__(self, place: Place, client: MqttClient, settings: OwnTracksSettings) -> None:
        self._place = place
        self._client = client
        self._users = {one.strip() for one in settings.users.split(",") if one.strip()}
        self._garbled = 0

    async def identify(self) -> Identity:
        """The broker."""
        return Identity(model=f"OwnTracks at {self._client.address.url}")

    async def samples(self) -> AsyncIterator[Sample]:
        """A sample a position; a message is acknowledged once its sample has been taken."""
        quiet = self._place.clock.monotonic() - QUIET
        while True:
            if self._place.clock.monotonic() - quiet >= QUIET:
                quiet = self._place.clock.monotonic()
                yield Sample((GARBLED.read(float(self._garbled), str(self._garbled)),))
            messages = await asyncio.to_thread(self._client.take, 50, PATIENCE)
            if not messages and not self._client.connected:
                raise DeviceUnreachable(f"broker {self._client.address.url}: {self._client.last_error}")
            for message in messages:
                sample = self._read(message)
                if sample is not None:
                    yield sample
                message.ack()

    def _read(self, message: Message) -> Sample | None:
        try:
            sample = read_message(message.topic, message.payload, self._place.clock.now())
        except DeviceGarbled:
            self._garbled += 1
            return None
        known = sample is not None and (not self._users or sample.part.partition("/")[0] in self._users)
        return sample if known else None

    async def command(self, name: str, args: Mapping[str, str]) -> str:
        """There are none."""
        raise DeviceRefused(f"OwnTracks takes no commands from here ({name})")


@asynccontextmanager
async def connect(place: Place, settings: DeviceSettings) -> AsyncIterator[OwnTracksSession]:
    """Stand at the broker. DeviceUnreachable says why not."""
    assert isinstance(settings, OwnTracksSettings)  # noqa: S101 - the book parses settings by the driver's own class
    address = read_address(settings.url, Path(settings.ca) if settings.ca else None)
    if settings.user:
        address = address.login(settings.user, settings.password.get_secret_value())
    # the folder is the device's own: two of one edge do not put each other out
    session = Session(f"wanmi-owntracks-{place.dir.name}", ("owntracks/+/+",), expiry=86_400, max_packet=65_536)
    client = MqttClient(address, session)
    client.start()
    try:
        if not await asyncio.to_thread(client.wait_connected, CONNECT):
            raise DeviceUnreachable(f"broker {address.url}: {client.last_error}; look at address, user and password")
        yield OwnTracksSession(place, client, settings)
    finally:
        await asyncio.to_thread(client.stop)


OWNTRACKS = Driver(
    "owntracks", "tracks", "手机轨迹（OwnTracks）", "telephones with OwnTracks", OwnTracksSettings, (*QUANTITIES, GARBLED),
    connect, every=0, deadline=8.0, stale_after=60.0,
)  # fmt: skip
