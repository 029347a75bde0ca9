"""Traps and informs from Debian's snmptrap, bursts, garbage, a taken port."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.snmp_agents import PLAIN, UPS, free_port, own_agent, place, snmpd, snmptrap
from wanmi.devices import Event, Sample
from wanmi_hardware.snmp import ups
from wanmi_hardware.snmp.ber import Message, Pdu, encode
from wanmi_hardware.snmp.traps import KEPT, Mailbox, TrapReceiver, event_of
from wanmi_hardware.snmp.values import Var

ON_BATTERY = "1.3.6.1.2.1.33.2.1"
TRAP_OID = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)


def settings(**more: object) -> ups.UpsSettings:
    return ups.UpsSettings.model_validate({"address": "127.0.0.1", "timeout": 0.5, **more})


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - a real process or socket is waited for
            await asyncio.sleep(0.01)


async def listening(do: Callable[[int], Awaitable[None]], count: int, **how: object) -> tuple[tuple[Event, ...], int]:
    """What came for a device at 127.0.0.1 while ``do`` was done, and how often it was to be polled."""
    pokes: list[int] = []
    receiver = TrapReceiver(0, "127.0.0.1")
    box = Mailbox(settings(**how), lambda: pokes.append(1))
    await receiver.watch(box)
    try:
        await do(receiver.port)
        await until(lambda: len(pokes) >= count)
        return box.take(), len(pokes)
    finally:
        receiver.close()


def sent(*options: str) -> Callable[[int], Awaitable[None]]:
    return lambda port: asyncio.to_thread(snmptrap, port, *options)


@pytest.mark.parametrize(
    "options",
    [
        ("-v2c", "-c", "public", f"0 {ON_BATTERY} 1.3.6.1.2.1.33.1.2.3.0 i 17"),
        ("-Ci", "-v2c", "-c", "public", f"0 {ON_BATTERY} 1.3.6.1.2.1.33.1.2.3.0 i 17"),
        ("-v1", "-c", "public", "1.3.6.1.2.1.33.2 10.9.9.9 6 1 0 1.3.6.1.2.1.33.1.2.3.0 i 17"),
    ],
    ids=["v2c", "v2c inform", "v1"],
)
def test_a_trap_is_an_event_and_a_poll(options: tuple[str, ...]) -> None:
    (event,), pokes = asyncio.run(listening(sent(*options), 1))
    assert event.kind == "trap.on_battery"
    assert event.facts["from"] == "127.0.0.1"
    assert event.facts["1.3.6.1.2.1.33.1.2.3.0"] == "17"
    assert pokes == 1


V3 = ("-v3", "-u", "wanmi", "-l", "authPriv", "-a", "SHA", "-A", "auth-pass-1", "-x", "AES", "-X", "priv-pass-1")
SECRETS = {"version": "3", "user": "wanmi", "auth_password": "auth-pass-1", "privacy_password": "priv-pass-1"}


def test_traps_and_informs_of_version_3(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A trap comes from the device's own engine, which discovery told; an inform is for ours."""
    from wanmi_hardware.snmp.usm import engine_id

    with snmpd(PLAIN, tmp_path_factory.mktemp("snmpd")) as agent:

        async def send(port: int) -> None:
            device = await engine_id(settings(port=agent, **SECRETS))
            assert device
            wrong = [part.replace("auth-pass-1", "wrong-pass") for part in V3]
            await sent(*wrong, "-e", f"0x{device.hex()}", "0 1.3.6.1.6.3.1.1.5.1")(port)
            await sent(*V3, "-e", f"0x{device.hex()}", f"0 {ON_BATTERY}")(port)
            await sent(*V3, "-Ci", f"0 {ON_BATTERY}")(port)

        events, _ = asyncio.run(listening(send, 2, port=agent, **SECRETS))
    assert [event.kind for event in events] == ["trap.on_battery", "trap.on_battery"]


def trap(number: int) -> bytes:
    pairs = ((TRAP_OID, Var("oid", (1, 3, 6, 1, 2, 1, 33, 2, 3))), ((*UPS, 6, 2, 1, 1, number), Var("integer", number)))
    return encode(Message(1, b"public", Pdu("trap2", number, 0, 0, pairs)))


def test_500_traps_in_a_burst_all_arrive() -> None:
    async def burst(port: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
            for number in range(500):  # the loop does not read meanwhile: all wait in the socket
                device.sendto(trap(number), ("127.0.0.1", port))

    events, pokes = asyncio.run(listening(burst, 500))
    assert pokes == 500
    assert len(events) == KEPT + 1
    assert events[-1] == Event("trap.dropped", {"count": "300"})
    assert [event.kind for event in events[:KEPT]] == ["trap.alarm_added"] * KEPT


def test_garbage_hurts_nobody() -> None:
    async def send(port: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
            whole = trap(1)
            for data in (b"", b"\0", b"\xff" * 1400, whole[:-3], os.urandom(300), b"\x30\x03\x02\x01\x03", trap(7)):
                device.sendto(data, ("127.0.0.1", port))

    events, _ = asyncio.run(listening(send, 1))
    assert [event.kind for event in events] == ["trap.alarm_added"]


def test_a_stranger_is_counted_and_nobody_polled() -> None:
    async def send() -> tuple[int, tuple[Event, ...]]:
        receiver = TrapReceiver(0, "127.0.0.1")
        box = Mailbox(settings(address="10.0.0.9"), lambda: None)
        await receiver.watch(box)
        try:
            await asyncio.to_thread(snmptrap, receiver.port, "-v2c", "-c", "public", f"0 {ON_BATTERY}")
            await until(lambda: receiver.strangers == 1)
            # a proxy names the device that the trap is of
            proxied = ("-v1", "-c", "public", "1.3.6.1.2.1.33.2 10.0.0.9 6 1 0")
            await asyncio.to_thread(snmptrap, receiver.port, *proxied)
            await until(lambda: receiver.received == 2)
            return receiver.strangers, box.take()
        finally:
            receiver.close()

    strangers, (event,) = asyncio.run(send())
    assert strangers == 1
    assert event.kind == "trap.on_battery"


def test_a_taken_port_is_told_and_the_device_polled_all_the_same() -> None:
    async def poll(port: int) -> Sample:
        async with own_agent(dict(PLAIN)) as (_, agent):
            wanted = settings(port=agent, trap_port=port)
            async with ups.connect(place(), wanted) as session, aclosing(session.samples()) as coming:
                return await anext(coming)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 0))
        port = taken.getsockname()[1]
        sample = asyncio.run(poll(port))
    (event,) = sample.events
    assert event.kind == "trap.unavailable"
    assert f"UDP port {port} for traps cannot be had (Address already in use)" in event.facts["reason"]
    assert [one.value for one in sample.readings if one.name == "power.state"] == ["mains"]


def test_a_session_gets_its_traps_and_is_polled_at_once() -> None:
    async def poll() -> tuple[list[str], int]:
        port, poked = free_port(), asyncio.Event()
        async with own_agent(dict(PLAIN)) as (_, agent):
            wanted, here = settings(port=agent, trap_port=port), place(poke=poked.set)
            async with ups.connect(here, wanted) as session, aclosing(session.samples()) as coming:
                await anext(coming)
                await asyncio.to_thread(snmptrap, port, "-v2c", "-c", "public", f"0 {ON_BATTERY}")
                await asyncio.wait_for(poked.wait(), 10)
                sample = await anext(coming)
                return [event.kind for event in sample.events], len(sample.readings)

    kinds, readings = asyncio.run(poll())
    assert kinds == ["trap.on_battery"]
    assert readings > 5


def test_the_socket_has_room_for_a_burst() -> None:
    async def room() -> int:
        receiver = TrapReceiver(0, "127.0.0.1")
        await receiver.watch(Mailbox(settings(), lambda: None))
        assert receiver._socket is not None
        size = receiver._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        receiver.close()
        return size

    allowed = int(Path("/proc/sys/net/core/rmem_max").read_text())
    assert asyncio.run(room()) >= min(8 * 1024 * 1024, 2 * allowed)


@given(st.binary(max_size=200))
def test_any_datagram_is_survived(data: bytes) -> None:
    receiver = TrapReceiver(0)
    receiver._take(data, ("127.0.0.1", 1))
    assert receiver.strangers + receiver.garbled <= 1


@given(st.lists(st.integers(0, 0xFFFFFFFF), max_size=8).map(tuple), st.binary(max_size=30))
def test_any_trap_is_an_event(oid: tuple[int, ...], text: bytes) -> None:
    event = event_of("10.0.0.1", oid, (((1, 3), Var("octets", text)),))
    assert event.kind.startswith("trap.")
    assert all(isinstance(fact, str) for fact in event.facts.values())
