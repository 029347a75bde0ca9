"""Driver ``network-snmp``: switches, routers and whatever has IF-MIB."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from pydantic import Field

from wanmi.clock import Clock
from wanmi.devices import DeviceSettings, Driver, Event, Identity, Place, Sample
from wanmi.errors import DeviceGarbled, DeviceRefused
from wanmi_hardware.snmp.agent import Agent
from wanmi_hardware.snmp.discover import discover_network
from wanmi_hardware.snmp.identity import SYSTEM, identity_of
from wanmi_hardware.snmp.interfaces import (
    DESCRIPTION,
    HIGH_SPEED,
    NAME,
    OPERATING,
    POLLED,
    QUANTITIES,
    RULES,
    SPEED,
    UPTIME,
    Link,
    Look,
    links_of,
    readings_of,
)
from wanmi_hardware.snmp.reach import reached
from wanmi_hardware.snmp.settings import SnmpSettings
from wanmi_hardware.snmp.traps import Mailbox
from wanmi_hardware.snmp.values import Oid, Var

LEARN = 60
"""Every so many polls the ports are looked for again: a module may have come."""
MOST = 512
"""Ports of one device that are read; a chassis with more is read from its first."""


class NetworkSettings(SnmpSettings):
    """How network gear is reached."""

    ports: str = Field("", pattern=r"^(\d+(-\d+)?(,\d+(-\d+)?)*)?$")
    """Interface numbers (ifIndex) to read, such as 1-24,49; empty: all, at most 512."""

    def wants(self, index: int) -> bool:
        """Whether a port is to be read."""
        if not self.ports:
            return True
        spans = (span.partition("-") for span in self.ports.split(","))
        return any(int(first) <= index <= int(last or first) for first, _, last in spans)


class NetworkSession:
    """One device with IF-MIB."""

    def __init__(
        self, agent: Agent, settings: NetworkSettings, clock: Clock, box: Mailbox | None, problem: str
    ) -> None:
        self._agent = agent
        self._settings = settings
        self._clock = clock
        self._box = box
        self._problem = problem
        self._links: tuple[Link, ...] = ()
        self._plan: list[Oid] = []
        self._before: Look | None = None

    async def identify(self) -> Identity:
        """Maker by sysObjectID, model from sysDescr."""
        return identity_of(await self._agent.get(SYSTEM))

    async def samples(self) -> AsyncIterator[Sample]:
        """Its links, once for each time that they are asked for; rates from the second on."""
        identity = await self.identify()
        problem = (Event("trap.unavailable", {"reason": self._problem}),) if self._problem else ()
        polls = 0
        while True:
            if polls % LEARN == 0:
                await self._learn()
            found = await self._agent.get([UPTIME, *self._plan])
            ticks = found[UPTIME].value if UPTIME in found else None
            now = Look(self._clock.monotonic(), ticks if isinstance(ticks, int) else None, found)
            events = (*problem, *(self._box.take() if self._box else ()))
            yield Sample(readings_of(self._links, self._before, now), events=events, identity=identity)
            self._before, problem, polls = now, (), polls + 1

    async def command(self, name: str, args: Mapping[str, str]) -> str:
        """Network gear is only read here."""
        raise DeviceRefused(f"{self._agent.where}: there is no command {name} for network gear")

    async def _learn(self) -> None:
        found: dict[Oid, Var] = {}
        for column in (OPERATING, DESCRIPTION, NAME, SPEED, HIGH_SPEED):
            found |= await self._agent.walk(column)
        self._links = tuple(link for link in links_of(found) if self._settings.wants(link.index))[:MOST]
        if not self._links:
            raise DeviceGarbled(f"{self._agent.where}: has no interfaces (IF-MIB), or its view hides them from us")
        asked = [(*column, link.index) for column in POLLED for link in self._links]
        there = await self._agent.get(asked)
        self._plan = [oid for oid in asked if oid in there]


@asynccontextmanager
async def connect(place: Place, settings: DeviceSettings) -> AsyncIterator[NetworkSession]:
    """A session with the device at the settings' address."""
    mine = NetworkSettings.model_validate(settings, from_attributes=True)
    async with reached(place, mine) as (agent, box, problem):
        yield NetworkSession(agent, mine, place.clock, box, problem)


DRIVER = Driver(
    name="network-snmp",
    kind="network",
    zh="网络设备（SNMP）",
    en="network gear by SNMP",
    settings=NetworkSettings,
    quantities=QUANTITIES,
    connect=connect,
    rules=RULES,
    every=30.0,
    deadline=20.0,
    stale_after=120.0,
    discover=discover_network,
)
