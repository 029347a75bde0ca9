"""Every recording through snmpsim, a real process: what the driver reads is kept beside it and was reviewed."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from support.snmp_agents import AUTH_PASSWORD, PRIVACY_PASSWORD, USER, place, recordings
from wanmi.devices import Identity, Reading, Sample
from wanmi.errors import DeviceGarbled
from wanmi_hardware.snmp import network, ups
from wanmi_hardware.snmp.quirks import all_quirks

GOLDEN = Path(__file__).parent / "golden"
UPS = ["eastpower-istars-swv053", "eaton-93e-80", "eaton-9px-partial", "huawei-gse200m", "ingrasys-power-switch"]
UPS += ["phoenixtec-power", "tripplite-poweralert"]
NO_UPS = {
    "apc-7902b": "APC",
    "apc-8641": "APC",
    "apc-8932": "APC",
    "emerson-network-power": "Emerson Network Power",
    "vertiv-power": "Vertiv",
}
"""Rack power strips, an air conditioner, and a UPS whose MIB nobody documents."""


async def read_ups(settings: ups.UpsSettings, polls: int = 1) -> tuple[Identity, list[Sample]]:
    samples: list[Sample] = []
    async with ups.connect(place(), settings) as session, aclosing(session.samples()) as coming:
        identity = await session.identify()
        while len(samples) < polls:
            samples.append(await anext(coming))
    return identity, samples


def settings(port: int, name: str, **more: object) -> ups.UpsSettings:
    return ups.UpsSettings.model_validate({"address": "127.0.0.1", "port": port, "community": name, **more})


def shown(identity: Identity, readings: tuple[Reading, ...]) -> str:
    who = f"# {identity.maker} | {identity.model} | {identity.serial} | {identity.firmware}\n"
    lines = [f"{one.name} = {one.value} ({one.quality}; {one.raw})\n" for one in readings if one.raw != "0 present"]
    return who + "".join(lines)


def test_every_recording_is_tried() -> None:
    assert sorted([*UPS, *NO_UPS]) == sorted(recordings())


@pytest.mark.parametrize("version", ["2c", "1"])
@pytest.mark.parametrize("name", UPS)
def test_readings_are_those_reviewed(recorded_agents: int, name: str, version: str) -> None:
    identity, (sample,) = asyncio.run(read_ups(settings(recorded_agents, name, version=version)))
    assert shown(identity, sample.readings) == (GOLDEN / f"{name}.txt").read_text()


@pytest.mark.parametrize("name", UPS)
def test_later_polls_say_the_same_as_the_walk(recorded_agents: int, name: str) -> None:
    _, samples = asyncio.run(read_ups(settings(recorded_agents, name, batch=7), polls=2))
    walked = {one.name: one for one in samples[0].readings}
    polled = {one.name: one for one in samples[1].readings}
    assert "power.state" in polled
    assert polled.items() <= walked.items()
    assert len(polled) > len(walked) // 2 or name == "tripplite-poweralert"


@pytest.mark.parametrize("name", NO_UPS)
def test_what_is_no_ups_is_told(recorded_agents: int, name: str) -> None:
    with pytest.raises(DeviceGarbled, match=f"answers as {NO_UPS[name]}.*has no UPS object.*network-snmp"):
        asyncio.run(read_ups(settings(recorded_agents, name)))


def test_quirks_name_a_recording_that_is_here() -> None:
    for quirk in all_quirks():
        name = quirk.proof.split(".snmprec")[0]
        assert name in recordings(), quirk.title
        assert all(change.why for change in quirk.change)


def test_version_3_reads_the_same(recorded_agents: int) -> None:
    import hashlib

    name = "eaton-93e-80"
    context = hashlib.md5(name.encode()).hexdigest()
    by_user = {"version": "3", "user": USER, "auth_password": AUTH_PASSWORD, "privacy_password": PRIVACY_PASSWORD}
    identity, (sample,) = asyncio.run(read_ups(settings(recorded_agents, "", context=context, **by_user)))
    assert shown(identity, sample.readings) == (GOLDEN / f"{name}.txt").read_text()


@pytest.mark.parametrize("name", ["apc-8932", "phoenixtec-power", "emerson-network-power"])
def test_links_of_recorded_agents(recorded_agents: int, name: str) -> None:
    async def read() -> Sample:
        wanted = network.NetworkSettings.model_validate(
            {"address": "127.0.0.1", "port": recorded_agents, "community": name}
        )
        async with network.connect(place(), wanted) as session, aclosing(session.samples()) as coming:
            return await anext(coming)

    sample = asyncio.run(read())
    said = {one.name: one.value for one in sample.readings}
    assert said["links.up"] == 2.0
    assert said["link.1.state"] == "up"
    assert isinstance(said["uptime"], float)
    assert sample.identity is not None
    assert sample.identity.maker
