"""The driver ``pjlink``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import Field, SecretStr

from wanmi.devices import Command, DeviceSettings, Driver, Event, Place
from wanmi.devices import displays as of
from wanmi.errors import DeviceUnreachable
from wanmi_hardware.pjlink import codec, udp
from wanmi_hardware.pjlink.session import PjlinkSession

POKE_SECONDS = 1.0
"""At most so often a datagram makes a display be asked before its time."""
STEP = {"step": "up or down"}


class PjlinkSettings(DeviceSettings):
    """Where the display listens."""

    host: str = Field(min_length=1)
    """Its address or name."""
    port: int = Field(default=codec.PORT, ge=1, le=65535)
    """TCP port."""
    password: SecretStr = SecretStr("")
    """The password of its network menu; empty when it wants none."""
    notices: bool = False
    """Listen for what a class 2 display says by itself (its network menu names this machine as the receiver)."""
    notice_port: int = Field(default=codec.PORT, ge=1, le=65535)
    """UDP port for that."""


@asynccontextmanager
async def connect(place: Place, settings: DeviceSettings) -> AsyncIterator[PjlinkSession]:
    """A session that was let in."""
    assert isinstance(settings, PjlinkSettings)  # noqa: S101 - the driver's own settings class
    where = f"{settings.host}:{settings.port}"
    try:
        opened = await asyncio.open_connection(settings.host, settings.port, limit=codec.LONGEST)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DeviceUnreachable(f"{where}: {reason}; is the display's network control switched on?") from error
    session = PjlinkSession(where, *opened)
    try:
        await session.enter(settings.password.get_secret_value())
        async with _heard(place, settings, session, opened[1]):
            yield session
    finally:
        opened[1].close()


@asynccontextmanager
async def _heard(
    place: Place, settings: PjlinkSettings, session: PjlinkSession, writer: asyncio.StreamWriter
) -> AsyncIterator[None]:
    """While the session stands its display is listened to, where the settings say so."""
    if not settings.notices:
        yield
        return
    notices = place.shared(f"pjlink.notices.{settings.notice_port}", lambda: udp.Notices(settings.notice_port))
    assert isinstance(notices, udp.Notices)  # noqa: S101 - made two lines above
    address = str(writer.get_extra_info("peername")[0])

    polled_at = -POKE_SECONDS

    def ear(event: Event) -> None:
        nonlocal polled_at
        session.noticed(event)
        now = place.clock.monotonic()
        if now - polled_at >= POKE_SECONDS:
            polled_at = now
            place.poke()

    notices.listen(address, ear)
    try:
        yield
    finally:
        notices.leave(address, ear)


PJLINK = Driver(
    "pjlink", "display", "PJLink 投影机与显示器", "PJLink projector or display", PjlinkSettings,
    quantities=(
        of.POWER, of.INPUT, of.PICTURE_MUTED, of.SOUND_MUTED, *of.ERRORS, of.LAMP_HOURS, of.LAMP_LIT, of.NAME,
        of.FILTER_HOURS, of.FROZEN, of.RESOLUTION, of.INFO, of.INPUTS, of.BEST_RESOLUTION, of.LAMP_MODEL,
        of.FILTER_MODEL,
    ),
    connect=connect,
    commands=(
        of.ON, of.OFF, of.SELECT, of.MUTE, of.FREEZE,
        Command("volume", "调节扬声器音量", "change the speaker's volume", STEP),
        Command("microphone", "调节话筒音量", "change the microphone's volume", STEP),
    ),
    rules=of.DISPLAY_RULES, every=10.0, deadline=8.0, stale_after=60.0, discover=udp.discover,
)  # fmt: skip
"""Displays hang up after half a minute of silence, so they are asked every ten seconds."""
