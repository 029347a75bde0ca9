"""The driver ``samsung-mdc``."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import Field, SecretStr, model_validator

from wanmi.devices import Command, DeviceSettings, Driver, Place
from wanmi.devices import displays as of
from wanmi.errors import DeviceGarbled, DeviceRefused, DeviceUnreachable, NeedsExtra
from wanmi_hardware.samsung_mdc import codec
from wanmi_hardware.samsung_mdc.session import Change, MdcSession

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class MdcSettings(DeviceSettings):
    """A display on the network (``host``) or on a serial line (``serial``)."""

    host: str = ""
    """Its address or name, for MDC over the network."""
    port: int = Field(default=codec.PORT, ge=1, le=65535)
    """TCP port."""
    serial: str = ""
    """The serial port, best by its stable name (/dev/serial/by-id/…), for MDC over RS-232."""
    baud: int = Field(default=9600, ge=1200, le=115_200)
    """Speed of the serial line."""
    id: int = Field(default=0, ge=0, le=254)
    """The display's id in its menu; 254 stands for whichever is alone on the line."""
    pin: SecretStr = SecretStr("")
    """The PIN of a display that wants TLS (4 digits). Its certificate is its own: encrypted, not proven."""

    @model_validator(mode="after")
    def _is_one(self) -> MdcSettings:
        if bool(self.host) == bool(self.serial):
            raise ValueError("give host (network) or serial (RS-232), one of them")
        return self


@asynccontextmanager
async def connect(place: Place, settings: DeviceSettings) -> AsyncIterator[MdcSession]:
    """A line to the display."""
    assert isinstance(settings, MdcSettings)  # noqa: S101 - the driver's own settings class
    where = f"{settings.host}:{settings.port}" if settings.host else settings.serial
    streams = await (_by_network(where, settings) if settings.host else _by_serial(settings))
    change = place.shared(f"samsung_mdc.{where}.{settings.id}", Change)
    assert isinstance(change, Change)  # noqa: S101 - made in the line above
    try:
        if settings.pin.get_secret_value():
            await _prove(where, streams, settings.pin.get_secret_value())
        yield MdcSession(f"{where} id {settings.id}", settings.id, streams, change, place.clock.now)
    finally:
        streams[1].close()


async def _by_network(where: str, settings: MdcSettings) -> Streams:
    try:
        return await asyncio.open_connection(settings.host, settings.port)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DeviceUnreachable(f"{where}: {reason}; is MDC over RJ45 chosen in the display's menu?") from error


async def _by_serial(settings: MdcSettings) -> Streams:
    try:
        from serial_asyncio_fast import open_serial_connection
    except ImportError as error:
        raise NeedsExtra("edge", "serial_asyncio_fast") from error
    try:
        streams: Streams = await open_serial_connection(url=settings.serial, baudrate=settings.baud)
    except (OSError, ValueError) as error:
        raise DeviceUnreachable(f"{settings.serial}: {error}; is the adapter plugged in?") from error
    return streams


async def _prove(where: str, streams: Streams, pin: str) -> None:
    """MDC's own way into TLS: a hello in plain, the handshake, the PIN, a word of passing."""
    reader, writer = streams
    try:
        if await reader.readexactly(len(codec.TLS_HELLO)) != codec.TLS_HELLO:
            raise DeviceGarbled(
                f"{where}: it does not begin with TLS; leave `pin` out, or switch its secured protocol on"
            )
        await writer.start_tls(_any_certificate())
        writer.write(pin.rjust(4, "0").encode())
        said = await reader.readexactly(len(codec.TLS_PASSED))
    except asyncio.IncompleteReadError as error:
        raise DeviceUnreachable(f"{where} hung up before TLS stood ({error.partial[:20]!r})") from None
    except OSError as error:
        raise DeviceUnreachable(f"{where}: TLS does not come about: {error}") from error
    if said != codec.TLS_PASSED:
        raise DeviceRefused(f"{where}: the PIN is wrong ({said.decode('ascii', 'replace')}…); set `pin` again")


def _any_certificate() -> ssl.SSLContext:
    """Displays sign their own certificates and have no names: nothing to check them by."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


MDC = Driver(
    "samsung-mdc", "display", "三星显示器（MDC）", "Samsung display (MDC)", MdcSettings,
    quantities=(
        of.POWER, of.INPUT, of.VOLUME, of.SOUND_MUTED, *of.ERRORS[:3], of.SIGNAL, of.TEMPERATURE, of.BRIGHTNESS,
        of.PANEL_HOURS, of.PAGE,
    ),
    connect=connect,
    commands=(of.ON, of.OFF, of.SELECT, of.SHOW, of.DIM, of.LOUD, Command("mute", "静音", "mute the sound", {"state": "on or off"})),
    rules=tuple(rule for rule in of.DISPLAY_RULES if rule.reading in ("error.fan", "error.lamp", "error.temperature", "temperature")),
    every=15.0, deadline=12.0, stale_after=90.0,
)  # fmt: skip
