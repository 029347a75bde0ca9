"""Emulated devices, tried with other people's programs: net-snmp's tools and pynmea2."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pynmea2
import pytest

from support.snmp_agents import free_port, place
from wanmi.clock import SystemClock
from wanmi.devices import Sample
from wanmi.errors import DeviceGarbled, DeviceRefused
from wanmi_hardware import jt808
from wanmi_hardware.emulating.receiver import Receiver, Walk, epoch, sentence
from wanmi_hardware.emulating.running import Outage, run_ups, run_vehicle
from wanmi_hardware.emulating.ups_unit import Unit, answer
from wanmi_hardware.emulating.vehicle import Vehicle
from wanmi_hardware.jt808.driver import GatewaySettings

NOON = 1_790_000_000_000_000
UPS = "1.3.6.1.2.1.33"


def walk_of(port: int, root: str) -> dict[str, str]:
    """What net-snmp's snmpbulkwalk says is there."""
    command = ["snmpbulkwalk", "-v2c", "-c", "public", "-On", "-Oq", "-t", "2", f"127.0.0.1:{port}", root]
    said = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    return dict(line.split(" ", 1) for line in said.splitlines())


@asynccontextmanager
async def running_ups(unit: Unit, port: int, outage: Outage | None) -> AsyncIterator[None]:
    task = asyncio.create_task(run_ups(unit, "public", port, outage))
    await asyncio.sleep(0.05)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def test_net_snmp_walks_the_emulated_ups_before_and_in_an_outage(unused_udp_port: int) -> None:
    async def play() -> tuple[dict[str, str], dict[str, str]]:
        unit = Unit("room 2", minutes=10)
        async with running_ups(unit, unused_udp_port, None):
            before = await asyncio.to_thread(walk_of, unused_udp_port, UPS)
        unit.charge = 10.0
        async with running_ups(unit, unused_udp_port, Outage(0, 10_000)):
            while unit.mains:  # noqa: ASYNC110 - another task changes it
                await asyncio.sleep(0.05)
            during = await asyncio.to_thread(walk_of, unused_udp_port, UPS)
        return before, during

    before, during = asyncio.run(play())
    assert before[f".{UPS}.1.4.1.0"] == "3"
    assert before[f".{UPS}.1.2.4.0"] == "100"
    assert during[f".{UPS}.1.4.1.0"] == "5"
    assert during[f".{UPS}.1.2.1.0"] == "3", "the battery is low"


def test_a_unit_drains_goes_off_and_comes_back() -> None:
    unit = Unit("u", minutes=10, recharge=20)
    unit.mains = False
    unit.pass_seconds(300)
    assert (unit.state, round(unit.charge)) == ("battery", 50)
    unit.pass_seconds(400)
    assert (unit.state, unit.charge) == ("off", 0.0)
    unit.mains = True
    unit.pass_seconds(600)
    assert (unit.state, round(unit.charge)) == ("mains", 50)


def test_an_outage_repeats_when_it_shall() -> None:
    once, again = Outage(10, 5), Outage(10, 5, every=30)
    assert [once.mains(at) for at in (0, 9.9, 10, 14.9, 15, 41)] == [True, True, False, False, True, True]
    assert [again.mains(at) for at in (10, 15, 40, 44, 45)] == [False, True, False, False, True]


def test_another_community_gets_no_answer_and_garbage_is_told_as_such() -> None:
    unit = Unit("u")
    with pytest.raises(DeviceGarbled):
        answer(unit, b"public", b"no snmp at all")
    get = bytes.fromhex("302602010104067075626c6963a019020101020100020100300e300c06082b060102010101000500")
    assert answer(unit, b"public", get) is not None
    assert answer(unit, b"secret", get) is None


@pytest.mark.parametrize(("lon", "lat"), [(123.429, 41.7968), (-0.0001, -0.0001), (179.99999, 89.9)])
def test_pynmea2_reads_what_the_receiver_says(lon: float, lat: float) -> None:
    lines = epoch(Walk(lon, lat, radius=0), 7.0, NOON).decode("ascii").splitlines()
    said = [pynmea2.parse(line, check=True) for line in lines]
    assert [one.sentence_type for one in said] == ["GGA", "RMC", "GSA", "GSA"]
    for one in said[:2]:
        assert one.longitude == pytest.approx(lon, abs=2e-7)
        assert one.latitude == pytest.approx(lat, abs=2e-7)
    assert said[1].datetime.timestamp() == NOON / 1_000_000


def test_sixty_minutes_never_come_out() -> None:
    line = epoch(Walk(119.99999999, 29.99999999, radius=0), 0.0, NOON).split(b"\r\n")[0].decode()
    assert ",3000.00000,N,12000.00000,E," in line


def test_a_receiver_is_a_port_until_it_is_unplugged(tmp_path: Path) -> None:
    receiver = Receiver(tmp_path / "port")
    port = os.open(tmp_path / "port", os.O_RDONLY | os.O_NOCTTY)
    assert receiver.say(sentence("GPTXT,01,01,02,HELLO"))
    assert os.read(port, 100) == sentence("GPTXT,01,01,02,HELLO")
    while receiver.say(b"x" * 1000):
        pass  # nobody reads: a full line drops, it never blocks
    receiver.unplug()
    assert not (tmp_path / "port").exists()
    os.close(port)


def test_the_gateway_lets_the_approved_vehicle_in_and_hears_where_it_drives(tmp_path: Path) -> None:
    async def play() -> Sample:
        settings = GatewaySettings(host="127.0.0.1", port=free_port(), vehicles="13900000001")
        driver = next(iter(jt808.drivers()))
        async with driver.connect(place(tmp_path), settings) as gateway:
            vehicle = Vehicle("13900000001", "辽A12345", Walk(123.4, 41.8, 300), SystemClock())
            task = asyncio.create_task(run_vehicle(vehicle, settings.port, 0.05))
            stranger = Vehicle("13900000002", "辽A00000", Walk(123.4, 41.8, 300), SystemClock())
            with pytest.raises(DeviceRefused, match="not let in"):
                await stranger.drive("127.0.0.1", settings.port, 1)
            try:
                async for sample in gateway.samples():
                    if sample.fixes:
                        return sample
            finally:
                task.cancel()
        raise AssertionError("no position came")

    sample = asyncio.run(asyncio.wait_for(play(), 20))
    assert sample.part == "13900000001"
    (fix,) = sample.fixes
    assert fix.lat_e7 == pytest.approx(418_026_900, abs=300)
    assert fix.systems == ("GP", "BD")
