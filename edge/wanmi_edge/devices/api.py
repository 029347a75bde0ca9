"""HTTP: drivers, devices, their samples and commands. Times µs UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from wanmi.errors import BadInput, LinkError
from wanmi.registry import NodeContext
from wanmi.web.bounds import E7, Id
from wanmi.web.callers import Reading, needs
from wanmi_edge.devices.book import DeviceBook, Wanted
from wanmi_edge.devices.devices import Devices
from wanmi_edge.devices.views import (
    DeviceView,
    DriverView,
    FixView,
    FoundView,
    IdentityView,
    ReadingView,
    view_device,
    view_driver,
    view_fix,
    view_found,
    view_identity,
    view_reading,
)

MOST_SAMPLES = 2000
Texts = Annotated[dict[Id, Annotated[str, Field(max_length=20_000)]], Field(max_length=100)]
"""Settings of a driver or arguments of a command, by their names."""
Key = Annotated[str, Path(min_length=1, max_length=60, description="its number or its name")]


@dataclass(frozen=True)
class DeviceIn:
    """A device to set: ``settings`` of its driver as text, secrets too (kept sealed, never shown again)."""

    driver: Id
    name: Annotated[str, Field(max_length=60)]
    settings: Texts = field(default_factory=dict)
    enabled: bool = True
    lon_e7: E7 | None = None
    lat_e7: E7 | None = None


@dataclass(frozen=True)
class TestIn:
    """Settings to try without setting anything."""

    driver: Id
    settings: Texts = field(default_factory=dict)


@dataclass(frozen=True)
class TestOut:
    """What the device said when it was tried."""

    identity: IdentityView
    readings: list[ReadingView]
    fixes: list[FixView]


@dataclass(frozen=True)
class DiscoverIn:
    """Where to look: an address range, or "" for what is plugged in."""

    driver: Id
    where: Id = ""


@dataclass(frozen=True)
class CommandIn:
    """A command's arguments; ``confirm`` must be true for a risky one."""

    args: Texts = field(default_factory=dict)
    confirm: bool = False


@dataclass(frozen=True)
class CommandOut:
    """What the device answered."""

    answer: str


@dataclass(frozen=True)
class DevicesOut:
    """Every device; ``as_of`` is the node's time."""

    as_of: int
    devices: list[DeviceView]


@dataclass(frozen=True)
class DriversOut:
    """Every driver."""

    drivers: list[DriverView]


@dataclass(frozen=True)
class FoundOut:
    """What discovery came across."""

    found: list[FoundView]


@dataclass(frozen=True)
class SampleOut:
    """What the device said at once."""

    at: int
    readings: list[ReadingView]
    fixes: list[FixView]


@dataclass(frozen=True)
class SamplesOut:
    """Samples, oldest first."""

    samples: list[SampleOut]


def build_api(node: NodeContext, devices: Devices) -> APIRouter:
    """The routes under /api/v1."""
    router = APIRouter(tags=["devices"])
    devices.wire(node)
    _reading(router, node, devices)
    _changing(router, node, devices)
    _talking(router, node, devices)
    return router


def _book(devices: Devices) -> DeviceBook:
    if devices.book is None:
        raise LinkError("the devices are not wired to their node yet")
    return devices.book


def _reading(router: APIRouter, node: NodeContext, devices: Devices) -> None:
    book = _book(devices)

    @router.get("/drivers")
    @needs("device.read")
    def drivers() -> DriversOut:
        """What can be connected, with every setting explained."""
        return DriversOut([view_driver(one) for one in node.registry.drivers.values()])

    @router.get("/devices")
    @needs("device.read")
    def every(kind: Annotated[str, Query(max_length=20)] = "") -> DevicesOut:
        """Every device of this edge with its health and newest readings."""
        found = [one for one in book.all() if kind in ("", one.kind)]
        return DevicesOut(node.clock.now(), [view_device(node, devices, one) for one in found])

    @router.get("/devices/{device}")
    @needs("device.read")
    def one(device: Key) -> DeviceView:
        """One device."""
        return view_device(node, devices, book.get(device))

    @router.get("/devices/{device}/samples")
    @needs("device.read")
    def samples(
        device: Key,
        since: Annotated[int, Query(ge=0, le=2**53)] = 0,
        part: Annotated[str, Query(max_length=40)] = "",
        reading: Annotated[str, Query(max_length=60, description="only readings of this name")] = "",
        limit: Annotated[int, Query(ge=1, le=MOST_SAMPLES)] = 300,
    ) -> SamplesOut:
        """The newest samples that are on disk, oldest first; raw values beside cooked ones."""
        found = book.get(device)
        driver = book.driver(found.driver)
        kept = devices.keeper.read(found.id, part, since, limit) if devices.keeper is not None else []
        return SamplesOut([
            SampleOut(k.at, [view_reading(driver, r, k.at) for r in k.readings if reading in ("", r.name)], [view_fix(f) for f in k.fixes])
            for k in kept
        ])  # fmt: skip


def _changing(router: APIRouter, node: NodeContext, devices: Devices) -> None:
    book = _book(devices)

    @router.post("/devices", status_code=201)
    @needs("device.change")
    def add(caller: Reading, ask: DeviceIn) -> DeviceView:
        """Add a device."""
        return view_device(node, devices, book.add(Wanted(**vars(ask)), caller.actor.id))

    @router.put("/devices/{device}")
    @needs("device.change")
    def change(caller: Reading, device: Key, ask: DeviceIn) -> DeviceView:
        """Set a device otherwise; it keeps its number. Secrets that are not given stay."""
        return view_device(node, devices, book.change(device, Wanted(**vars(ask)), caller.actor.id))

    @router.delete("/devices/{device}")
    @needs("device.change")
    def remove(caller: Reading, device: Key, reason: Annotated[str, Query(max_length=500)] = "") -> DeviceView:
        """Take a device away."""
        return view_device(node, devices, book.remove(device, reason, caller.actor.id))


def _talking(router: APIRouter, node: NodeContext, devices: Devices) -> None:
    book = _book(devices)

    @router.post("/devices/test")
    @needs("device.change")
    async def test(ask: TestIn) -> TestOut:
        """Try settings: connect, ask who it is, take one sample. The problem says what is wrong."""
        driver = book.driver(ask.driver)
        identity, sample = await devices.try_settings(node, driver, ask.settings)
        now = node.clock.now()
        return TestOut(
            view_identity(identity),
            [view_reading(driver, one, now) for one in sample.readings],
            [view_fix(one) for one in sample.fixes],
        )

    @router.post("/devices/discover")
    @needs("device.change")
    async def discover(ask: DiscoverIn) -> FoundOut:
        """Look for devices."""
        found = await devices.discover(node, book.driver(ask.driver), ask.where)
        return FoundOut([view_found(one) for one in found])

    @router.post("/devices/{device}/commands/{name}")
    @needs("device.change")
    async def command(device: Key, name: Annotated[str, Path(max_length=40)], ask: CommandIn) -> CommandOut:
        """Tell a device to do something."""
        found = book.get(device)
        known = {one.name: one for one in book.driver(found.driver).commands}
        if name not in known:
            raise BadInput(f"driver {found.driver} knows no command {name!r} (it knows {', '.join(known) or 'none'})")
        wrong = set(ask.args) ^ set(known[name].args)
        if wrong:
            raise BadInput(f"command {name}: its arguments are {', '.join(known[name].args) or 'none'}")
        if known[name].risky and not ask.confirm:
            raise BadInput(f"command {name} takes something away: say confirm")
        return CommandOut(await devices.talk_of(found.id).command(name, ask.args))
