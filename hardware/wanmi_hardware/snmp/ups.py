"""Driver ``ups-snmp``: UPS units by UPS-MIB (RFC 1628), PowerNet (APC) and XUPS (Eaton), or by a technician's map.

A session first walks what the agent has, then asks only for that, in few questions; what changes seldom is asked for
seldom. What is missing is unknown; no answer is the device's health and never a state of its power.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path

from pydantic import field_validator

from wanmi.devices import DeviceSettings, Driver, Event, Identity, Place, Reading, Sample
from wanmi.errors import DeviceGarbled
from wanmi_hardware.snmp.agent import Agent
from wanmi_hardware.snmp.cook import Readings, cook, merged
from wanmi_hardware.snmp.discover import discover_ups
from wanmi_hardware.snmp.identity import SYS_OBJECT_ID, SYSTEM, identity_of
from wanmi_hardware.snmp.maps import OidMap, checked_map, load_map, packaged_map
from wanmi_hardware.snmp.power import ALARM_ROOT, flag_alarms, judged, table_alarms
from wanmi_hardware.snmp.quirks import Quirk, quirk_of
from wanmi_hardware.snmp.reach import reached
from wanmi_hardware.snmp.settings import SnmpSettings
from wanmi_hardware.snmp.traps import Mailbox
from wanmi_hardware.snmp.ups_commands import give
from wanmi_hardware.snmp.ups_words import COMMANDS, QUANTITIES, RULES
from wanmi_hardware.snmp.values import Oid, Var

MAPS = ("rfc1628", "powernet", "powernet-basic", "xups")
"""In order: what an earlier map knows well is not asked for by a later one."""
SLOW = 30
"""Every so many polls what changes seldom is asked for."""
LEARN = 180
"""Every so many polls the agent is walked again: a phase, a probe or a battery may have come."""

BY_NAME = {quantity.name: quantity for quantity in QUANTITIES}


class UpsSettings(SnmpSettings):
    """How a UPS is reached."""

    map: Path | None = None
    """An OID map of your own (TOML), for a UPS that speaks none of UPS-MIB, PowerNet and XUPS."""

    @field_validator("map")
    @classmethod
    def _is_readable(cls, path: Path | None) -> Path | None:
        return path if path is None else checked_map(path, QUANTITIES)


@cache
def known_maps() -> tuple[OidMap, ...]:
    """The maps of this package for UPS units."""
    return tuple(packaged_map(name, QUANTITIES) for name in MAPS)


class UpsSession:
    """One UPS."""

    def __init__(self, agent: Agent, settings: UpsSettings, box: Mailbox | None, problem: str) -> None:
        self._agent = agent
        self._box = box
        self._problem = problem
        self._maps = known_maps() if settings.map is None else (load_map(settings.map, QUANTITIES),)
        self._plan: dict[bool, list[Oid]] = {}
        self._quirk: Quirk | None = None
        self._identity = Identity()
        self._polls = 0

    async def identify(self) -> Identity:
        """Maker, model, serial number and firmware, as far as it says."""
        if not self._plan:
            await self._learn()
        return self._identity

    async def samples(self) -> AsyncIterator[Sample]:
        """Its readings, once for each time that they are asked for; traps that came as events."""
        problem = (Event("trap.unavailable", {"reason": self._problem}),) if self._problem else ()
        while True:
            readings = await self._poll()
            events = (*problem, *(self._box.take() if self._box else ()))
            yield Sample(readings, events=events, identity=self._identity)
            problem = ()

    async def command(self, name: str, args: Mapping[str, str]) -> str:
        """Shut the load down after a delay, call that off, test the battery, stop a test."""
        return await give(self._agent, name, args)

    async def _poll(self) -> tuple[Reading, ...]:
        number, self._polls = self._polls, self._polls + 1
        if not self._plan or (number and number % LEARN == 0):
            return _told(await self._learn())
        asked = [*self._plan[False], *(self._plan[True] if number % SLOW == 0 else ())]
        found = await self._agent.get(asked)
        if not found:
            raise DeviceGarbled(f"{self._agent.where}: has nothing any more of what it had; its UPS may be unplugged")
        if len(found) < len(asked):
            self._polls = LEARN
        return _told(await self._readings(found))

    async def _learn(self) -> Readings:
        """Walk what the agent has, find out who it is, plan what to ask for."""
        system = await self._agent.get(SYSTEM)
        found: dict[Oid, Var] = {}
        for root in dict.fromkeys(one.root for one in self._maps):
            found |= await self._look(root)
        self._identity = identity_of(system | found)
        object_id = system[SYS_OBJECT_ID].value if SYS_OBJECT_ID in system else None
        self._quirk = quirk_of(object_id if isinstance(object_id, tuple) else None, self._identity)
        readings = await self._readings(found)
        self._plan = _planned(self._maps, found, readings)
        if not any(self._plan.values()):
            said = f"{self._identity.maker} {self._identity.model}".strip() or "an agent without a name"
            raise DeviceGarbled(
                f"{self._agent.where}: answers as {said}, and has no UPS object of {', '.join(MAPS)}: is it a UPS? "
                "A power strip or a switch is added as network-snmp, a UPS of another MIB with a map of its own"
            )
        return readings

    async def _look(self, root: Oid | None) -> dict[Oid, Var]:
        """What is under a root; for maps without one, and agents that cannot walk, what the map asks for."""
        oids = [oid for one in self._maps if one.root == root for oid in one.expected()]
        if root is None:
            return await self._agent.get(oids)
        try:
            return await self._agent.walk(root)
        except DeviceGarbled:
            return await self._agent.get(oids)

    async def _readings(self, found: Mapping[Oid, Var]) -> Readings:
        changes = self._quirk.change if self._quirk else ()
        cooked = merged(cook(one, found, BY_NAME, changes) for one in self._maps)
        flags = [flag_alarms(one, found) for one in self._maps if one.flags]
        count = cooked.get("alarms.count")
        table: Mapping[Oid, Var] = {}
        if count is not None and count.quality == "good" and count.value:
            # A table that cannot be walked hides its alarms, not the rest.
            with suppress(DeviceGarbled):
                table = await self._agent.walk(ALARM_ROOT)
        return judged(merged([cooked, table_alarms(count, table), *flags]))


def _told(readings: Readings) -> tuple[Reading, ...]:
    return tuple(readings[name] for name in sorted(readings))


def _planned(maps: Sequence[OidMap], found: Mapping[Oid, Var], readings: Readings) -> dict[bool, list[Oid]]:
    """What to ask for in every poll (False) and seldom (True): of each reading the object that it came from."""
    plan: dict[bool, list[Oid]] = {False: [], True: []}
    planned: set[str] = set()
    for one in maps:
        for oid in sorted(found):
            at = one.place(oid)
            if at is None or at[1] in planned or at[1] not in readings:
                continue
            read, name = at
            # Made unknown by other readings, or good from this object; a later map's object is good from that one.
            if readings[name].raw == found[oid].raw():
                plan[read.slow].append(oid)
                planned.add(name)
        plan[False] += [oid for oid in one.flags if oid in found]
    return plan


@asynccontextmanager
async def connect(place: Place, settings: DeviceSettings) -> AsyncIterator[UpsSession]:
    """A session with the UPS at the settings' address."""
    mine = UpsSettings.model_validate(settings, from_attributes=True)
    async with reached(place, mine) as (agent, box, problem):
        yield UpsSession(agent, mine, box, problem)


DRIVER = Driver(
    name="ups-snmp",
    kind="ups",
    zh="不间断电源（SNMP）",
    en="UPS by SNMP",
    settings=UpsSettings,
    quantities=QUANTITIES,
    connect=connect,
    commands=COMMANDS,
    rules=RULES,
    deadline=12.0,
    discover=discover_ups,
)
