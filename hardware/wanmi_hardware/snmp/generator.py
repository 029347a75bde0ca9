"""Driver ``generator-snmp``: any generator controller, by an OID map that a technician writes (TOML)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import field_validator

from wanmi.devices import AlarmRule, DeviceSettings, Driver, Event, Identity, Place, Quantity, Sample
from wanmi.errors import DeviceGarbled, DeviceRefused
from wanmi_hardware.snmp.agent import Agent
from wanmi_hardware.snmp.cook import cook
from wanmi_hardware.snmp.identity import SYSTEM, identity_of
from wanmi_hardware.snmp.maps import OidMap, checked_map, load_map
from wanmi_hardware.snmp.reach import reached
from wanmi_hardware.snmp.settings import SnmpSettings
from wanmi_hardware.snmp.traps import Mailbox
from wanmi_hardware.snmp.ups_words import YES_NO

STATE = {
    "stopped": ("停机", "stopped"),
    "starting": ("启动中", "starting"),
    "running": ("运行", "running"),
    "cooling": ("冷却中", "cooling down"),
    "fault": ("故障", "fault"),
}
MODE = {"auto": ("自动", "automatic"), "manual": ("手动", "manual"), "off": ("停用", "off"), "test": ("试机", "test")}

QUANTITIES: tuple[Quantity, ...] = (
    Quantity("engine.state", "", "机组状态", "engine state", words=STATE),
    Quantity("engine.mode", "", "控制方式", "mode", words=MODE),
    Quantity("engine.speed", "1/min", "转速", "engine speed", 0, 5_000),
    Quantity("engine.hours", "h", "运行小时", "running hours", 0, 1_000_000),
    Quantity("engine.starts", "", "启动次数", "starts", 0, 10_000_000),
    Quantity("coolant.temperature", "°C", "冷却液温度", "coolant temperature", -40, 150),
    Quantity("oil.pressure", "kPa", "机油压力", "oil pressure", 0, 1_500),
    Quantity("fuel.level", "%", "燃油液位", "fuel level", 0, 100),
    Quantity("battery.voltage", "V", "启动电池电压", "starter battery", 0, 60),
    Quantity("output.frequency", "Hz", "输出频率", "output frequency", 0, 70),
    Quantity("output.load", "%", "负载", "load", 0, 200),
    Quantity("output.power", "W", "输出功率", "output power", 0, 20_000_000),
    Quantity("output.#.voltage", "V", "第#相输出电压", "output # voltage", 0, 15_000),
    Quantity("output.#.current", "A", "第#相输出电流", "output # current", 0, 10_000),
    Quantity("mains.available", "", "市电正常", "mains available", words=YES_NO),
    Quantity("breaker.closed", "", "机组合闸", "generator breaker closed", words=YES_NO),
    Quantity("alarms.count", "", "设备告警数", "alarms of the controller", 0, 10_000),
    Quantity("alarm.general", "", "公共告警", "common alarm", words=YES_NO),
)
BY_NAME = {quantity.name: quantity for quantity in QUANTITIES}

RULES: tuple[AlarmRule, ...] = (
    AlarmRule(
        "fault", "engine.state", "critical", "发电机故障", "generator fault", is_one_of=("fault",), latching=True
    ),
    AlarmRule("running", "engine.state", "notice", "发电机运行", "generator running", is_one_of=("running",), after=10),
    AlarmRule(
        "fuel_low", "fuel.level", "warning", "燃油不足", "fuel low", below=25, back=5, after=120, clear_after=120
    ),
    AlarmRule(
        "coolant_hot", "coolant.temperature", "critical", "冷却液过热", "coolant hot", above=105, back=5, after=15
    ),
    AlarmRule(
        "not_automatic",
        "engine.mode",
        "warning",
        "不在自动方式",
        "not in automatic",
        is_one_of=("manual", "off"),
        after=600,
    ),
    AlarmRule(
        "battery_low", "battery.voltage", "warning", "启动电池电压低", "starter battery low", below=11.5, after=300
    ),
    AlarmRule("general", "alarm.general", "warning", "公共告警", "common alarm", is_one_of=("yes",), after=10),
)


class GeneratorSettings(SnmpSettings):
    """How a generator's controller is reached."""

    map: Path
    """The OID map (TOML): which object is which quantity. docs/devices.md shows one."""

    @field_validator("map")
    @classmethod
    def _is_readable(cls, path: Path) -> Path:
        return checked_map(path, QUANTITIES)


class GeneratorSession:
    """One generator."""

    def __init__(self, agent: Agent, oid_map: OidMap, box: Mailbox | None, problem: str) -> None:
        self._agent = agent
        self._map = oid_map
        self._box = box
        self._problem = problem

    async def identify(self) -> Identity:
        """Who the controller says it is."""
        return identity_of(await self._agent.get(SYSTEM))

    async def samples(self) -> AsyncIterator[Sample]:
        """Its readings, once for each time that they are asked for."""
        identity = await self.identify()
        problem = (Event("trap.unavailable", {"reason": self._problem}),) if self._problem else ()
        while True:
            readings = cook(self._map, await self._agent.get(self._map.expected()), BY_NAME)
            if not readings:
                raise DeviceGarbled(
                    f"{self._agent.where}: answers, and has nothing of OID map {self._map.name} ({self._map.title}): "
                    "is it this controller, and does the user or community see these objects?"
                )
            events = (*problem, *(self._box.take() if self._box else ()))
            yield Sample(tuple(readings[name] for name in sorted(readings)), events=events, identity=identity)
            problem = ()

    async def command(self, name: str, args: Mapping[str, str]) -> str:
        """A generator is only read here: starting a machine from afar needs more than SNMP."""
        raise DeviceRefused(f"{self._agent.where}: there is no command {name} for a generator")


@asynccontextmanager
async def connect(place: Place, settings: DeviceSettings) -> AsyncIterator[GeneratorSession]:
    """A session with the controller at the settings' address."""
    mine = GeneratorSettings.model_validate(settings, from_attributes=True)
    async with reached(place, mine) as (agent, box, problem):
        yield GeneratorSession(agent, load_map(mine.map, QUANTITIES), box, problem)


DRIVER = Driver(
    name="generator-snmp",
    kind="generator",
    zh="发电机（SNMP，自定义对象表）",
    en="generator by SNMP, with an OID map",
    settings=GeneratorSettings,
    quantities=QUANTITIES,
    connect=connect,
    rules=RULES,
)
