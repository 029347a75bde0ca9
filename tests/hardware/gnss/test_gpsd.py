"""gpsd's JSON: pure, against a peer that misbehaves, and Debian's gpsd fed by gpsfake."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.gnss.saying import epoch
from wanmi.clock import SystemClock
from wanmi.devices import Place, Sample
from wanmi.errors import DeviceGarbled, DeviceRefused, DeviceUnreachable
from wanmi_hardware.gnss.gpsd import LONGEST, Lines, Sky, read_message, time_of
from wanmi_hardware.gnss.gpsd_driver import GpsdReceiver, connect, discover
from wanmi_hardware.gnss.settings import GpsdSettings
from wanmi_hardware.gnss.validity import Bounds, Judge

NOW = 1_790_000_000_000_000
VERSION = b'{"class":"VERSION","release":"3.25","rev":"x","proto_major":3,"proto_minor":15}\r\n'
DEVICES = b'{"class":"DEVICES","devices":[{"class":"DEVICE","path":"/dev/gps0","driver":"u-blox","subtype":"HPG"}]}\r\n'
SKY = (
    b'{"class":"SKY","device":"/dev/gps0","hdop":0.8,"satellites":[{"PRN":1,"gnssid":0,"ss":40.0,"used":true},'
    b'{"PRN":19,"gnssid":3,"ss":44.0,"used":true},{"PRN":5,"gnssid":6,"ss":0.0,"used":false}]}\r\n'
)


def tpv(lat: float = 41.79677, lon: float = 123.4293041, mode: int = 3, at: str = "2026-09-21T14:13:20.000Z") -> bytes:
    return f'{{"class":"TPV","device":"/dev/gps0","mode":{mode},"time":"{at}","lat":{lat},"lon":{lon}}}\r\n'.encode()


def place_of(tmp_path: Path) -> Place:
    return Place(SystemClock(), tmp_path, lambda _key, make: make())


def test_a_position_and_its_sky() -> None:
    sky = Sky()
    sky.take(read_message(SKY))
    made = sky.epoch(read_message(tpv()), NOW)
    fix = Judge(Bounds()).judge(made)
    assert (fix.state, fix.lon_e7, fix.lat_e7, fix.made_at) == ("valid", 1_234_293_041, 417_967_700, NOW)
    assert (fix.systems, fix.satellites, fix.hdop, made.snrs) == (("BD", "GP"), 2, 80, (40, 44))


@pytest.mark.parametrize("said", [tpv(mode=1), tpv(mode=0), b'{"class":"TPV","mode":3}', b'{"class":"TPV"}'])
def test_without_a_mode_there_is_no_position(said: bytes) -> None:
    fix = Judge(Bounds()).judge(Sky().epoch(read_message(said), NOW))
    assert (fix.state, fix.lon_e7, fix.lat_e7) == ("no_fix", None, None)


def test_zero_zero_is_no_place() -> None:
    assert Judge(Bounds()).judge(Sky().epoch(read_message(tpv(0.0, 0.0)), NOW)).state == "implausible"


def test_times() -> None:
    assert time_of("2026-09-21T14:13:20.250Z") == NOW + 250_000
    assert [time_of(one) for one in (None, "", "yesterday", "2026-09-21T14:13:20", "9999-99-99T00:00:00Z")] == [
        None
    ] * 5


@given(st.lists(st.binary(max_size=50)), st.integers(1, 60))
def test_lines_do_not_depend_on_how_they_are_cut(parts: list[bytes], step: int) -> None:
    data = b"\n".join(parts) + b"\n" + VERSION
    lines = Lines()
    found = [line for n in range(0, len(data), step) for line in lines.feed(data[n : n + step])]
    assert found == Lines().feed(data)
    assert found[-1] == VERSION.strip()


@given(st.integers(LONGEST - 2, LONGEST * 2), st.integers(1500, 9000))
def test_a_huge_line_is_passed_over(size: int, step: int) -> None:
    data = b"x" * size + b"\n" + VERSION
    lines = Lines()
    found = [line for n in range(0, len(data), step) for line in lines.feed(data[n : n + step])]
    assert found[-1] == VERSION.strip()
    assert all(len(one) <= LONGEST for one in found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
        ["class", "mode", "lat", "lon", "time", "satellites", "ss", "used", "gnssid", "hdop", "altMSL", "speed", "status"]
    ), inner, max_size=8), max_leaves=20,
)  # fmt: skip


@given(st.one_of(st.binary(max_size=300), JSON.map(lambda one: __import__("json").dumps(one).encode())))
def test_no_line_raises_anything_else_and_none_is_a_false_place(line: bytes) -> None:
    try:
        message = read_message(line)
    except DeviceGarbled:
        return
    sky = Sky()
    sky.take(message)
    fix = Judge(Bounds()).judge(sky.epoch(message, NOW))
    assert (fix.lon_e7, fix.lat_e7) != (0, 0)


# -- a peer that says what the test wants -------------------------------------------------------------------


@asynccontextmanager
async def peer(*said: bytes, hangs_up: bool = False) -> AsyncIterator[GpsdSettings]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(VERSION)
        assert b'?WATCH={"enable":true' in await reader.readline()
        for chunk in said:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(0.01)
        if not hangs_up:
            with suppress(OSError):
                await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield GpsdSettings(port=server.sockets[0].getsockname()[1], every=0.05)


def stream(session: GpsdReceiver) -> AsyncGenerator[Sample, None]:
    samples = session.samples()
    assert isinstance(samples, AsyncGenerator)
    return samples


async def hear(tmp_path: Path, settings: GpsdSettings, n: int) -> list[Sample]:
    async with connect(place_of(tmp_path), settings) as session, aclosing(stream(session)) as samples:
        return [await asyncio.wait_for(anext(samples), 20) for _ in range(n)]


def test_garbage_between_messages_is_counted_and_passed_over(tmp_path: Path) -> None:
    async def play() -> None:
        good = tpv(mode=1)
        async with peer(DEVICES, b"\xff\xfe{{{\n[]\n" + b"y" * 200_000 + b"\n", SKY, good[:30], good[30:]) as settings:
            (sample,) = await hear(tmp_path, settings, 1)
            counts = {one.name: one.value for one in sample.readings}
            assert counts["sentences.garbled"] == 2.0
            assert sample.fixes[0].state == "no_fix"

    asyncio.run(play())


def test_what_gpsd_refuses_is_told(tmp_path: Path) -> None:
    async def play() -> None:
        async with peer(DEVICES) as settings:
            with pytest.raises(DeviceRefused, match=r"has no device /dev/gps1 \(it has /dev/gps0\)"):
                await hear(tmp_path, settings.model_copy(update={"device": "/dev/gps1"}), 1)
            found = [one async for one in discover(place_of(tmp_path), f"127.0.0.1:{settings.port}")]
            assert [(one.name, one.settings["device"]) for one in found] == [("/dev/gps0", "/dev/gps0")]
        async with peer(DEVICES, b'{"class":"ERROR","message":"Unrecognized request"}\n') as settings:
            with pytest.raises(DeviceRefused, match="says: Unrecognized request"):
                await hear(tmp_path, settings, 1)
        async with peer(DEVICES, hangs_up=True) as settings:
            with pytest.raises(DeviceUnreachable, match="hung up"):
                await hear(tmp_path, settings, 1)
        with pytest.raises(DeviceUnreachable, match="does it run"):
            await hear(tmp_path, settings, 1)

    asyncio.run(play())


# -- Debian's gpsd ------------------------------------------------------------------------------------------


@pytest.fixture
def fake_gpsd(tmp_path: Path) -> Iterator[GpsdSettings]:
    """gpsd, fed by gpsfake with a drive of one minute from now on, over and over."""
    now = SystemClock().now() // 1_000_000 * 1_000_000
    log = tmp_path / "drive.log"
    log.write_bytes(b"".join(epoch(now + n * 1_000_000, 1_234_293_041 + n * 1000, 417_967_700) for n in range(50)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert shutil.which("gpsfake"), "needs the Debian packages gpsd and gpsd-clients: make system"
    command = ["gpsfake", "-q", "-c", "0.02", "-P", str(port), str(log)]
    running = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield GpsdSettings(port=port, every=0.05)
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def test_debians_gpsd(tmp_path: Path, fake_gpsd: GpsdSettings) -> None:
    async def play() -> list[Sample]:
        for _ in range(200):
            try:
                return await hear(tmp_path, fake_gpsd, 12)
            except DeviceUnreachable:
                await asyncio.sleep(0.05)
        raise AssertionError("gpsd did not come up")

    found = [one for one in asyncio.run(play()) if one.fixes[0].state == "valid"]
    assert len(found) >= 5
    fix = found[-1].fixes[0]
    assert fix.lon_e7 is not None
    assert fix.lat_e7 is not None
    assert 1_234_293_000 <= fix.lon_e7 <= 1_234_345_000
    assert abs(fix.lat_e7 - 417_967_700) < 10
    assert "GP" in fix.systems, "gpsd names BeiDou satellites of few receivers"
