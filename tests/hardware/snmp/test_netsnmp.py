"""Debian's net-snmp as a second, independent agent: what is read, and what a technician is told when it is refused."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from support.snmp_agents import PLAIN, SNMPD_USERS, UPS, free_port, place, snmpd
from wanmi.devices import Identity, Place, Sample
from wanmi.errors import DeviceFault, DeviceRefused, DeviceUnreachable
from wanmi_hardware.snmp import network, ups, usm
from wanmi_hardware.snmp.discover import discover_ups
from wanmi_hardware.snmp.values import Var

OBJECTS = {
    **PLAIN,
    (*UPS, 1, 1, 0): Var("octets", b"Debian"),
    (*UPS, 1, 2, 0): Var("octets", b"net-snmp"),
    (*UPS, 8, 1, 0): Var("integer", 2),
    (*UPS, 8, 2, 0): Var("integer", -1),
}
SECRETS = {"version": "3", "user": "wanmi", "auth_password": "auth-pass-1", "privacy_password": "priv-pass-1"}


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an snmpd."""
    with snmpd(OBJECTS, tmp_path_factory.mktemp("snmpd")) as port:
        yield port


async def read(where: Place, port: int, **how: object) -> tuple[Identity, Sample]:
    wanted = ups.UpsSettings.model_validate({"address": "127.0.0.1", "port": port, "timeout": 0.5, **how})
    async with ups.connect(where, wanted) as session, aclosing(session.samples()) as coming:
        return await session.identify(), await anext(coming)


WAYS = [
    {"version": "1"},
    {"version": "2c"},
    SECRETS,
    {
        "version": "3",
        "user": "strong",
        "auth": "sha256",
        "auth_password": "auth-pass-2",
        "privacy_password": "priv-pass-2",
    },
    {"version": "3", "user": "signs", "auth_password": "auth-pass-3", "privacy": "none"},
]


@pytest.mark.parametrize("way", WAYS, ids=["v1", "v2c", "v3 sha aes", "v3 sha256 aes", "v3 without privacy"])
def test_snmpd_is_read(agent: int, way: dict[str, object]) -> None:
    identity, sample = asyncio.run(read(place(), agent, **way))
    said = {one.name: one.value for one in sample.readings}
    assert (identity.maker, identity.model) == ("Debian", "net-snmp")
    assert (said["power.state"], said["battery.charge"], said["output.load"]) == ("mains", 97.0, 41.0)


WRONG = [
    ({"community": "geheim"}, DeviceUnreachable, "no answer.*community is wrong"),
    ({**SECRETS, "user": "nobody"}, DeviceRefused, "does not know user 'nobody'"),
    ({**SECRETS, "auth_password": "wrong-pass-1"}, DeviceRefused, "authentication is wrong: look at auth_password"),
    ({**SECRETS, "auth": "md5"}, DeviceRefused, "authentication is wrong.*whether auth is md5"),
    ({**SECRETS, "privacy_password": "wrong-pass-1"}, DeviceRefused, "privacy is wrong: look at privacy_password"),
    ({**SECRETS, "privacy": "des"}, DeviceRefused, "privacy is wrong.*whether privacy is des"),
    (
        {"version": "3", "user": "signs", "auth_password": "auth-pass-3", "privacy_password": "priv-pass-1"},
        DeviceRefused,
        "not allowed this security level",
    ),
]


@pytest.mark.parametrize(("way", "fault", "told"), WRONG)
def test_what_is_wrong_is_told_apart(agent: int, way: dict[str, object], fault: type[DeviceFault], told: str) -> None:
    with pytest.raises(fault, match=told) as refused:
        asyncio.run(read(place(), agent, **way))
    assert f"127.0.0.1:{agent}" in str(refused.value)


def test_one_user_name_with_two_passwords_on_two_agents(agent: int, tmp_path: Path) -> None:
    users = "createUser wanmi SHA other-auth AES other-priv\nrouser wanmi authpriv\n"
    other = {**SECRETS, "auth_password": "other-auth", "privacy_password": "other-priv"}

    async def both(second: int) -> None:
        here = place()
        for _ in range(2):
            assert (await read(here, agent, **SECRETS))[0].maker == "Debian"
            assert (await read(here, second, **other))[0].maker == "Debian"

    with snmpd(OBJECTS, tmp_path, users=users) as second:
        asyncio.run(both(second))


def test_a_card_whose_boots_ran_backwards_is_read_again(tmp_path: Path) -> None:
    """A firmware that forgets its boots: the same engine id, younger than the one that we knew."""
    users, port = SNMPD_USERS + "exactEngineID 0x80001f8804aabbccdd\n", free_port()

    async def live() -> list[str]:
        here, seen = place(), []
        for forgets in (False, False, True):
            if forgets:
                shutil.rmtree(tmp_path / "persistent")
            with snmpd(OBJECTS, tmp_path, port, users):
                seen += [(await read(here, port, **SECRETS))[0].maker for _ in range(2)]
        return seen

    assert asyncio.run(live()) == ["Debian"] * 6


def test_a_clock_out_of_its_window_is_told_by_itself() -> None:
    from pysnmp.proto import errind

    wanted = ups.UpsSettings.model_validate({"address": "10.0.0.7", **SECRETS})
    fault = usm.fault_of(errind.notInTimeWindow, wanted)
    assert isinstance(fault, DeviceRefused)
    assert "time window" in str(fault)
    assert "restart the agent's card" in str(fault)


def test_privacy_without_its_library_is_told(agent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DeviceRefused, match="needs the Python module cryptography"):
        asyncio.run(read(place(), agent, **SECRETS))


def test_a_command_by_the_write_community(agent: int) -> None:
    async def shut_down(community: str) -> str:
        wanted = {"address": "127.0.0.1", "port": agent, "timeout": 0.5, "write_community": community}
        async with ups.connect(place(), ups.UpsSettings.model_validate(wanted)) as session:
            told = await session.command("shutdown", {"seconds": "300"})
            await session.command("shutdown-abort", {})
            return told

    assert asyncio.run(shut_down("private")) == "the output goes off in 300 s"
    with pytest.raises(DeviceFault, match=r"noAccess|notWritable|noSuchName|readOnly|authorizationError"):
        asyncio.run(shut_down("public"))


def test_network_gear_is_this_machine(agent: int) -> None:
    async def look() -> list[Sample]:
        wanted = network.NetworkSettings.model_validate({"address": "127.0.0.1", "port": agent, "version": "2c"})
        here = place()
        async with network.connect(here, wanted) as session, aclosing(session.samples()) as coming:
            return [await anext(coming)]

    (sample,) = asyncio.run(look())
    names = {one.name: one.value for one in sample.readings}
    assert "lo" in names.values()
    assert names["link.1.state"] == "up"


def test_discovery_finds_it_and_says_why(agent: int) -> None:
    async def find(where: str) -> list[str]:
        return [f"{one.driver} {one.settings['port']} {one.why}" async for one in discover_ups(place(), where)]

    found = asyncio.run(find(f"127.0.0.1-127.0.0.3:{agent}"))
    assert found == [f"ups-snmp {agent} answers SNMP at 127.0.0.1:{agent} and has UPS-MIB"]
