"""Emulated devices at work: sockets and pseudo terminals, until they are told to stop."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from wanmi.errors import DeviceFault, DeviceGarbled
from wanmi_hardware.emulating.receiver import Receiver, Walk, walked
from wanmi_hardware.emulating.ups_unit import Unit, answer
from wanmi_hardware.emulating.vehicle import Vehicle
from wanmi_hardware.pjlink.emulator import PjlinkEmulator, Projector

TICK = 0.5
REDIAL = 3.0


@dataclass(frozen=True)
class Outage:
    """When the mains fail: first after ``after`` seconds, for ``lasts``, again every ``every`` (0: once)."""

    after: float
    lasts: float
    every: float = 0.0

    def mains(self, second: float) -> bool:
        """Whether there is power after so many seconds."""
        since = second - self.after
        if since < 0:
            return True
        return (since % self.every if self.every else since) >= self.lasts


class UpsAgent(asyncio.DatagramProtocol):
    """The agent of one unit. What is no SNMP gets no answer, as from a real one."""

    def __init__(self, unit: Unit, community: str) -> None:
        self._unit = unit
        self._community = community.encode()
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """The socket is there."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """A question."""
        try:
            said = answer(self._unit, self._community, data)
        except DeviceGarbled:
            return
        if said is not None:
            self._transport.sendto(said, addr)


async def run_ups(unit: Unit, community: str, port: int, outage: Outage | None) -> None:
    """Answer on a UDP port of loopback, for ever."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: UpsAgent(unit, community), local_addr=("127.0.0.1", port)
    )
    started = before = loop.time()
    try:
        while True:
            await asyncio.sleep(TICK)
            now = loop.time()
            unit.mains = outage is None or outage.mains(now - started)
            unit.pass_seconds(now - before)
            before = now
    finally:
        transport.close()


async def run_vehicle(vehicle: Vehicle, port: int, every: float) -> None:
    """Drive; dial again a few seconds after the line went or the gateway refused, for ever."""
    while True:
        with contextlib.suppress(OSError, DeviceFault):
            await vehicle.drive("127.0.0.1", port, every)
        await asyncio.sleep(REDIAL)


async def run_display(port: int, password: str, warms: float) -> None:
    """Serve a projector, whose lamp takes ``warms`` seconds, on a TCP port of loopback, for ever."""
    emulator = PjlinkEmulator(Projector(warm_seconds=warms), password=password)
    await emulator.start(port=port)
    try:
        await asyncio.Event().wait()
    finally:
        await emulator.stop()


async def run_receiver(link: Path, walk: Walk, start_us: int) -> None:
    """Say a second's sentences each second on a pseudo terminal that ``link`` points to, for ever."""
    receiver = Receiver(link)
    try:
        for (due, data), (later, _) in pairwise(walked(walk, start_us)):
            receiver.say(data)
            await asyncio.sleep((later - due) / 1_000_000)
    finally:
        receiver.unplug()
