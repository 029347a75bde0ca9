"""`gnss-serial` over pty pairs: recorded bytes, unplugging by closing the pty, plugging in again under the stable name."""

from __future__ import annotations

import asyncio
import os
import pty
import tty
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest

from hardware.gnss.saying import epoch
from wanmi.clock import SystemClock
from wanmi.devices import Place, Sample
from wanmi.errors import DeviceFault, DeviceGarbled, DeviceRefused, DeviceUnreachable
from wanmi_hardware.gnss.line import open_line
from wanmi_hardware.gnss.serial_driver import GNSS_SERIAL, SerialReceiver, connect, discover
from wanmi_hardware.gnss.settings import SerialSettings

RECORDED = Path(__file__).parent / "recorded"


class Cable:
    """A pty whose far end has a stable name, as udev gives to ports."""

    def __init__(self, folder: Path) -> None:
        self.name = folder / "usb-u-blox_GNSS_receiver-if00"
        self.master = -1

    def plug(self) -> None:
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        os.set_blocking(self.master, False)
        self.name.unlink(missing_ok=True)
        self.name.symlink_to(os.ttyname(slave))
        os.close(slave)

    def unplug(self) -> None:
        os.close(self.master)
        self.name.unlink()

    async def say(self, data: bytes) -> None:
        for n in range(0, len(data), 512):
            while True:
                try:
                    os.write(self.master, data[n : n + 512])
                    break
                except BlockingIOError:
                    await asyncio.sleep(0.005)
            await asyncio.sleep(0)

    def settings(self) -> SerialSettings:
        return SerialSettings(path=str(self.name), baud=115_200, every=0.05)


@pytest.fixture
def cable(tmp_path: Path) -> Cable:
    return Cable(tmp_path)


def place_of(tmp_path: Path) -> Place:
    return Place(SystemClock(), tmp_path, lambda _key, make: make())


async def take(samples: AsyncGenerator[Sample, None], n: int) -> list[Sample]:
    return [await asyncio.wait_for(anext(samples), 5) for _ in range(n)]


def stream(session: SerialReceiver) -> AsyncGenerator[Sample, None]:
    samples = session.samples()
    assert isinstance(samples, AsyncGenerator)
    return samples


def test_recorded_bytes_come_through_and_the_cable_may_be_pulled(tmp_path: Path, cable: Cable) -> None:
    async def play() -> list[Sample]:
        found: list[Sample] = []
        for _ in range(2):
            cable.plug()
            async with connect(place_of(tmp_path), cable.settings()) as session, aclosing(stream(session)) as samples:
                saying = asyncio.create_task(cable.say((RECORDED / "ublox-8.log").read_bytes()))
                found += await take(samples, 1)
                saying.cancel()
                cable.unplug()
                with pytest.raises(DeviceUnreachable, match=r"unplugged|the line ended"):
                    await take(samples, 99)
            with pytest.raises(DeviceUnreachable, match="cannot be opened"):
                async with connect(place_of(tmp_path), cable.settings()):
                    pass
        return found

    found = asyncio.run(play())
    assert [sample.fixes[0].state for sample in found] == ["stale", "stale"], "recorded in 2017"
    assert found[0].fixes[0].systems in ((), ("GL", "GP"))


def test_live_epochs_are_valid_and_each_comes_soon_after_it_is_said(tmp_path: Path, cable: Cable) -> None:
    async def play() -> list[Sample]:
        cable.plug()
        found: list[Sample] = []
        async with connect(place_of(tmp_path), cable.settings()) as session, aclosing(stream(session)) as samples:
            for _ in range(3):
                now = SystemClock().now() // 10_000 * 10_000
                await cable.say(b"\xb5\x62\x01\x07" + epoch(now, 1_234_293_041, 417_967_700))
                found += await take(samples, 1)
            cable.unplug()
        return found

    found = asyncio.run(play())
    assert [sample.fixes[0].state for sample in found] == ["valid"] * 3
    offsets = [one.value for sample in found for one in sample.readings if one.name == "clock.offset"]
    assert all(isinstance(one, float) and -100 < one <= 0 for one in offsets)


def test_noise_is_told_as_a_wrong_baud_rate(tmp_path: Path, cable: Cable) -> None:
    async def play() -> None:
        cable.plug()
        async with connect(place_of(tmp_path), cable.settings()) as session, aclosing(stream(session)) as samples:
            saying = asyncio.create_task(cable.say(bytes(range(1, 256)) * 120))
            with pytest.raises(DeviceGarbled, match="is 115200 baud right"):
                await take(samples, 1)
            saying.cancel()

    asyncio.run(play())


def test_a_port_in_use_is_refused(tmp_path: Path, cable: Cable) -> None:
    async def play() -> None:
        cable.plug()
        async with open_line(str(cable.name), 9600, SystemClock()):
            with pytest.raises(DeviceRefused, match="another program has it open"):
                async with connect(place_of(tmp_path), cable.settings()):
                    pass

    asyncio.run(play())


def test_ports_that_speak_are_found_by_their_stable_name(tmp_path: Path, cable: Cable) -> None:
    async def play() -> list[str]:
        cable.plug()
        (tmp_path / "usb-FTDI_display").symlink_to("/dev/null")
        saying = asyncio.create_task(_speak(cable))
        found = [one async for one in discover(place_of(tmp_path), str(tmp_path))]
        saying.cancel()
        return [f"{one.name}: {one.why}: {one.settings['path']}" for one in found]

    assert asyncio.run(play()) == [
        f"usb-u-blox_GNSS_receiver-if00: speaks NMEA at 9600 baud: {tmp_path}/usb-u-blox_GNSS_receiver-if00"
    ]


async def _speak(cable: Cable) -> None:
    while True:
        await cable.say(epoch(SystemClock().now(), 1_234_293_041, 417_967_700))
        await asyncio.sleep(0.1)


def test_it_takes_no_commands(tmp_path: Path, cable: Cable) -> None:
    async def play() -> None:
        cable.plug()
        async with GNSS_SERIAL.connect(place_of(tmp_path), cable.settings()) as session:
            assert (await session.identify()).model == cable.name.name
            with pytest.raises(DeviceFault, match="takes no commands"):
                await session.command("reset", {})

    asyncio.run(play())
