"""The one device model: a driver says how to reach a kind of device, a session is one device reached.

A driver is data with a ``connect``. Who runs it (the edge) gives each device a task of its own, with a deadline, a
back-off and a circuit breaker: a driver never sleeps to retry, never swallows a fault, and never blocks the loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from wanmi.clock import Clock
from wanmi.devices.alarms import AlarmRule
from wanmi.devices.readings import Identity, Quantity, Sample

DeviceKind = Literal["ups", "gnss", "display", "vehicles", "network", "generator", "tracks", "other"]

KINDS: Mapping[DeviceKind, tuple[str, str]] = {
    "ups": ("不间断电源", "UPS"),
    "gnss": ("卫星定位接收机", "GNSS receiver"),
    "display": ("显示设备", "display"),
    "vehicles": ("车载终端接入", "vehicle gateway"),
    "network": ("网络设备", "network gear"),
    "generator": ("发电机", "generator"),
    "tracks": ("轨迹来源", "track source"),
    "other": ("其他设备", "other device"),
}
"""What devices are, in both languages."""


class DeviceSettings(BaseModel):
    """Base of a driver's settings: frozen, an unknown key is an error, docstrings tell what keys are.

    A secret is a ``pydantic.SecretStr``: it is kept sealed on the node, never journaled, never shown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


@dataclass(frozen=True)
class Place:
    """Where a driver works: the node's clock, a folder of its own to keep things in, the language of nobody.

    ``shared`` gives what one loop's sessions of a driver share (one SNMP engine, one trap socket): made once by
    ``make``, kept until the node ends. ``poke`` asks for the next sample now: a device that is polled has spoken by
    itself (a trap).
    """

    clock: Clock
    dir: Path
    shared: Callable[[str, Callable[[], object]], object]
    poke: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Command:
    """Something that a device can be told: ``args`` name what must come with it (``url``, ``level``), with a hint each.

    ``risky``: it takes something away (power off, shut down): a person confirms it.
    """

    name: str
    zh: str
    en: str
    args: Mapping[str, str]
    risky: bool = False


class Session(Protocol):
    """One device, reached. Every method raises DeviceFault's children, and is cancelled at its deadline."""

    async def identify(self) -> Identity:
        """Who the device says it is."""
        ...

    def samples(self) -> AsyncIterator[Sample]:
        """What it says. Polled drivers yield once for each time they are asked for the next; others when it speaks."""
        ...

    async def command(self, name: str, args: Mapping[str, str]) -> str:
        """Tell it to do something; returns what it answered, in words. DeviceRefused if it will not."""
        ...


@dataclass(frozen=True)
class Found:
    """A device that discovery came across: settings to add it with, and why it is thought to be one."""

    driver: str
    name: str
    settings: Mapping[str, str]
    identity: Identity
    why: str


@dataclass(frozen=True)
class Driver:
    """How a kind of device is reached.

    ``every`` seconds between two polls (0: the device speaks by itself); ``deadline`` seconds that connecting, one
    poll or one command may take; ``stale_after`` seconds without a sample make what is known stale. ``discover`` looks
    in a place that the technician names (an address range, "" for what is plugged in). ``rules`` watch the device itself,
    ``part_rules`` each of a gateway's parts; such an alarm's rule ends in a colon and the part. ``parts``: those that its
    settings let in, where they say so; the alarms of others end.
    """

    name: str
    kind: DeviceKind
    zh: str
    en: str
    settings: type[DeviceSettings]
    quantities: tuple[Quantity, ...]
    connect: Callable[[Place, DeviceSettings], AbstractAsyncContextManager[Session]]
    commands: tuple[Command, ...] = ()
    rules: tuple[AlarmRule, ...] = ()
    part_rules: tuple[AlarmRule, ...] = ()
    every: float = 10.0
    deadline: float = 8.0
    stale_after: float = 60.0
    parts: Callable[[DeviceSettings], Collection[str]] | None = None
    discover: Callable[[Place, str], AsyncIterator[Found]] | None = None

    def quantity(self, name: str) -> Quantity | None:
        """The quantity of a reading's name; a pattern's last part stands for rows: ``output.2.voltage`` is ``output.#.voltage``."""
        wanted = "".join("#" if part.isdigit() else part for part in _parts(name))
        return next((one for one in self.quantities if one.name in (name, wanted)), None)


def _parts(name: str) -> list[str]:
    """The parts of a dotted name, dots kept."""
    parts: list[str] = []
    for n, part in enumerate(name.split(".")):
        parts += [".", part] if n else [part]
    return parts
